package dev.gatehouse;

import static dev.gatehouse.testing.RunningGateways.STOCK;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.UpstreamThat;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

@OnEveryGateway(contexts = STOCK)
class TwoThousandRequestsIT {
  private static final int REQUESTS = 2_000;
  private static final int THREADS = 8;
  private static final int KINDS = 10;
  private static final byte[] UPLOAD = new byte[60_000];
  private static final byte[] DOWNLOAD = new byte[4_000_000];

  private final RunningGateway gateway;
  private final String mark = "mix-" + UUID.randomUUID();
  private final AtomicInteger next = new AtomicInteger();
  private final Map<String, Meeting> meetings = new ConcurrentHashMap<>();

  TwoThousandRequestsIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  /** Where the client learns that its request has arrived, and the service that it may answer. */
  private static final class Meeting {
    private final CountDownLatch arrived = new CountDownLatch(1);
    private final CountDownLatch gone = new CountDownLatch(1);
  }

  @Test
  void everyRequestIsOneLineAndNoExchangeStaysOpen() throws Exception {
    gateway.upstream("products").will(UpstreamThat.resets());
    gateway.upstream("inventory").will(UpstreamThat.answers("", DOWNLOAD));
    gateway
        .upstream("orders")
        .will(
            (request, out) -> {
              Meeting meeting = requireNonNull(meetings.get(request.target()));
              meeting.arrived.countDown();
              return UpstreamThat.answersAfter(meeting.gone, UpstreamThat.echoes())
                  .answer(request, out);
            });
    double unauthorized = gateway.metric("gatehouse_requests_total", "status=\"401\"");
    double badGateway = gateway.metric("gatehouse_requests_total", "status=\"502\"");

    ExecutorService clients = Executors.newFixedThreadPool(THREADS);
    try {
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        running.add(clients.submit(this::work));
      }
      for (Future<?> client : running) {
        client.get(3, TimeUnit.MINUTES);
      }
    } finally {
      clients.shutdownNow();
    }

    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> gateway.metric("gatehouse_exchanges_open"), open -> open == 0);
    gateway.get("/nothing/last-" + mark);
    await().until(() -> !gateway.accessLog("last-" + mark).isEmpty());
    assertThat(gateway.accessLog("/" + mark)).hasSize(REQUESTS);
    assertThat(gateway.metric("gatehouse_requests_total", "status=\"401\""))
        .isEqualTo(unauthorized + REQUESTS / KINDS);
    assertThat(gateway.metric("gatehouse_requests_total", "status=\"502\""))
        .isEqualTo(badGateway + REQUESTS / KINDS);
  }

  private Void work() throws Exception {
    for (int i = next.getAndIncrement(); i < REQUESTS; i = next.getAndIncrement()) {
      request(i);
    }
    return null;
  }

  private void request(int i) throws Exception {
    String rest = "/" + mark + "-" + i;
    switch (i % KINDS) {
      case 0 -> assertStatus(401, i, "/api/users" + rest);
      case 1 -> assertStatus(404, i, "/api/nothing" + rest);
      case 2 -> assertStatus(502, i, "/api/products" + rest);
      case 3 -> leaveBeforeTheAnswer(rest);
      case 4 -> leaveWithinTheAnswer(rest);
      case 5 -> leaveWithinTheUpload(rest);
      case 6 -> upload(rest);
      default -> assertStatus(200, i, "/api/users" + rest);
    }
  }

  private void assertStatus(int expected, int i, String path) {
    boolean anonymous = i % KINDS == 0;
    var request = anonymous ? gateway.anonymous("GET", path) : gateway.request("GET", path);
    assertThat(gateway.send(request).status()).isEqualTo(expected);
  }

  private void upload(String rest) {
    var answer = gateway.send(gateway.request("POST", "/api/users" + rest).body(UPLOAD));
    assertThat(answer.status()).isEqualTo(200);
  }

  private void leaveBeforeTheAnswer(String rest) throws InterruptedException {
    Meeting meeting = new Meeting();
    meetings.put(rest, meeting);
    try (RawClient client = gateway.connect()) {
      client.send(gateway.request("GET", "/api/orders" + rest));
      assertThat(meeting.arrived.await(60, TimeUnit.SECONDS)).isTrue();
      client.abort();
    } finally {
      meeting.gone.countDown();
    }
  }

  private void leaveWithinTheAnswer(String rest) throws IOException {
    try (RawClient client = gateway.connect()) {
      client.send(gateway.request("GET", "/api/inventory" + rest));
      assertThat(client.receiveHead().get(0)).contains(" 200");
      client.abort();
    }
  }

  private void leaveWithinTheUpload(String rest) {
    try (RawClient client = gateway.connect()) {
      client.send(
          gateway
              .request("POST", "/api/notifications" + rest)
              .line("Content-Length: " + UPLOAD.length));
      client.send("the first bytes of many".getBytes(UTF_8));
      await()
          .pollInterval(Duration.ofMillis(5))
          .atMost(Duration.ofSeconds(60))
          .until(
              () ->
                  gateway.upstream("notifications").requests().stream()
                      .anyMatch(seen -> seen.target().equals(rest)));
      client.abort();
    }
  }
}
