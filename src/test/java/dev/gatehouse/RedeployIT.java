package dev.gatehouse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.Container;
import dev.gatehouse.testing.Flood;
import dev.gatehouse.testing.GatewayServer;
import dev.gatehouse.testing.Provider;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawHttp2Client;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RedisServer;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Tokens.Trust;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.Upstream.Then;
import dev.gatehouse.testing.UpstreamThat;
import dev.gatehouse.testing.Webapp;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Pattern;
import org.awaitility.core.ConditionTimeoutException;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RedeployIT {
  private static final int REDEPLOYS = Integer.getInteger("gatehouse.test.redeploys", 1);
  private static final int CLIENTS = 10;
  private static final int MORE_THAN_THREADS = 30;

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int LENGTH = 100_000_000;
  private static final String LOADER = "[\\w.]*\\.(Parallel)?Web[aA]ppClassLoader";
  private static final String EVENT = "data: 1\n\n";
  private static final String LAST_CHUNK = "0\r\n\r\n";
  private static final String TOKEN = Tokens.good(Trust.HS256);

  @ParameterizedTest
  @MethodSource("dev.gatehouse.testing.Container#chosen")
  void redeployingUnderLoadLeavesNothingBehind(Container container) throws IOException {
    try (Upstream users = Upstream.start();
        Upstream orders = Upstream.start();
        Upstream products = Upstream.start();
        Provider provider = Provider.publishing("a");
        RedisServer redis = RedisServer.start();
        GatewayServer server = container.newServer().redeployable().http2()) {
      orders.will(
          (request, out) -> {
            String head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
            out.write((head + EVENT).getBytes(UTF_8));
            return Then.SILENCE;
          });
      server
          .deploy(
              Tokens.trusting(Trust.HS256, Webapp.at(""))
                  .setting("jwt.issuers", "provider")
                  .setting("jwt.provider.issuer", provider.issuer())
                  .setting("jwt.provider.refreshInterval", "100ms")
                  .setting("rateLimit", "1000000/1m")
                  .setting("rateLimit.store", redis.url())
                  .setting("users.url", users.url())
                  .setting("orders.url", orders.url())
                  .setting("products.url", products.url()))
          .start();
      use(server);

      for (int i = 0; i < REDEPLOYS; i++) {
        haveAThreadStarted(server, products);
        redeployAmidExchanges(server, orders, products);
        use(server);
      }

      // Tomcat renews the threads of its pool, one a second, each when it has served another
      // request.
      awaitNothingLeft(
          container,
          server,
          () -> {
            use(server);
            assertAsAfterOneDeployment(server);
          });
      assertThat(server.log())
          .doesNotContain(
              "appears to have started a thread",
              "ThreadLocal",
              "memory leak",
              "has failed to stop it",
              "failed to remove it",
              "SEVERE");
      // Each was there once, and has told that it leaves.
      assertThat(redis.command("ZCARD", "gatehouse:nodes")).isEqualTo("1");
    }
  }

  /** Who waits for a connection, who uploads or is about to, and who does not read on. */
  @ParameterizedTest
  @MethodSource("dev.gatehouse.testing.Container#chosen")
  void nobodyIsLeftWaiting(Container container) throws IOException {
    try (Upstream users = Upstream.overrun();
        Upstream orders = Upstream.start();
        Upstream products = Upstream.start();
        GatewayServer server = container.newServer().redeployable().http2()) {
      orders.will(UpstreamThat.neverAnswers());
      products.will(
          (request, out) -> {
            String head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            out.write(head.getBytes(UTF_8));
            new Flood(LENGTH).writeChunked(out);
            return Then.KEEP;
          });
      server
          .deploy(
              Tokens.trusting(Trust.HS256, Webapp.at(""))
                  .setting("users.url", users.url())
                  .setting("users.timeout.connect", "1m")
                  .setting("orders.url", orders.url())
                  .setting("products.url", products.url()))
          .start();
      try (RawClient connecting = server.connect();
          RawHttp2Client connectingToo = new RawHttp2Client(server.connect());
          RawClient uploading = server.connect();
          RawHttp2Client aboutToUpload = new RawHttp2Client(server.connect());
          RawClient downloading = server.connect()) {
        connecting.send(RawRequest.of("GET", "/api/users/1").bearer(TOKEN));
        connectingToo.get("/api/users/1", TOKEN);
        aboutToUpload.begin("POST", "/api/orders", TOKEN);
        uploading.send(
            RawRequest.of("POST", "/api/orders").bearer(TOKEN).line("Content-Length: 10"));
        downloading.send(RawRequest.of("GET", "/api/products/1").bearer(TOKEN));
        assertThat(downloading.receiveHead().get(0)).contains(" 200");
        await().until(() -> exchangesOpen(server) == 5);

        server.redeploy("");

        assertThat(connecting.receive().status()).isEqualTo(503);
        assertThat(connectingToo.receiveStatus()).isEqualTo(503);
        assertThat(uploading.receive().status()).isEqualTo(503);
        assertThat(aboutToUpload.receiveStatus()).isEqualTo(503);
        assertThat(downloading.receiveRest().length).isLessThan(LENGTH);
      }
      // A Jetty that nobody uses remembers the connection that it looked at last.
      awaitNothingLeft(
          container,
          server,
          () -> {
            assertThat(exchangesOpen(server)).isZero();
            assertThat(instances(histogram(server), LOADER)).isEqualTo(1);
          });
    }
  }

  private static double exchangesOpen(GatewayServer server) {
    return RunningGateway.atRootOf(server).metric("gatehouse_exchanges_open");
  }

  /** With idle connections to a service, a quiet stream, and a service that has yet to answer. */
  private static void redeployAmidExchanges(
      GatewayServer server, Upstream orders, Upstream products) throws IOException {
    products.forget();
    products.will(UpstreamThat.neverAnswers());
    try (RawClient stream = server.connect();
        RawClient waiting = server.connect();
        RawHttp2Client waitingToo = new RawHttp2Client(server.connect())) {
      stream.send(RawRequest.of("GET", "/api/orders/events").bearer(TOKEN));
      assertThat(stream.receiveHead().get(0)).contains(" 200");
      waiting.send(RawRequest.of("GET", "/api/products/1").bearer(TOKEN));
      waitingToo.get("/api/products/2", TOKEN);
      await().until(() -> products.requests().size() == 2);

      server.redeploy("");

      assertThat(new String(stream.receiveRest(), UTF_8))
          .contains(EVENT)
          .doesNotEndWith(LAST_CHUNK);
      assertThat(waiting.receive().status()).isEqualTo(503);
      assertThat(waitingToo.receiveStatus()).isEqualTo(503);
      assertThat(waitingToo.receiveBody(Integer.MAX_VALUE)).isEmpty();
      assertThat(waitingToo.ended()).isTrue();
      assertThat(server.accessLogLines(""))
          .filteredOn(line -> line.contains("/products/2"))
          .allMatch(line -> line.contains(" 503 "))
          .isNotEmpty();
      await().until(() -> orders.open() + products.open() == 0);
    }
  }

  private static void use(GatewayServer server) {
    List<RawClient> clients = new ArrayList<>();
    try {
      for (int i = 0; i < CLIENTS; i++) {
        RawClient client = server.connect();
        clients.add(client);
        client.send(RawRequest.of("GET", "/api/users/" + i).bearer(TOKEN));
      }
      for (RawClient client : clients) {
        assertThat(client.receive().status()).isEqualTo(200);
      }
    } finally {
      clients.forEach(RawClient::close);
    }
  }

  /**
   * Has an answer end while all threads of the server are busy, so that the server starts one for
   * what the gateway has it do. Tomcat waits on a thread for the rest of a refused upload.
   */
  private static void haveAThreadStarted(GatewayServer server, Upstream products)
      throws IOException {
    CountDownLatch gate = new CountDownLatch(1);
    products.forget();
    products.will(UpstreamThat.answersAfter(gate, UpstreamThat.echoes()));
    List<RawClient> uploads = new ArrayList<>();
    try (RawClient client = server.connect()) {
      client.send(RawRequest.of("GET", "/api/products/1").bearer(TOKEN));
      await().until(() -> products.requests().size() == 1);
      for (int i = 0; i < MORE_THAN_THREADS; i++) {
        RawClient upload = server.connect();
        uploads.add(upload);
        upload.send(RawRequest.of("POST", "/api/users").line("Content-Length: 1"));
        assertThat(upload.receiveHead().get(0)).contains(" 401");
      }
      gate.countDown();
      assertThat(client.receive().status()).isEqualTo(200);
    } finally {
      uploads.forEach(RawClient::close);
    }
  }

  private static void awaitNothingLeft(
      Container container, GatewayServer server, ThrowingRunnable check) {
    try {
      await().atMost(PATIENCE).pollInterval(Duration.ofSeconds(1)).untilAsserted(check);
    } catch (ConditionTimeoutException somethingIsLeft) {
      Path heap = Path.of("target", "left-in-" + container + ".hprof").toAbsolutePath();
      throw new AssertionError(server.diagnose("GC.heap_dump", heap.toString()), somethingIsLeft);
    }
  }

  private static void assertAsAfterOneDeployment(GatewayServer server) {
    String histogram = histogram(server);
    assertThat(instances(histogram, LOADER)).isEqualTo(1);
    assertThat(instances(histogram, "dev\\.gatehouse\\.Gateway")).isEqualTo(1);
    assertThat(instances(histogram, "dev\\.gatehouse\\.Exchange")).isZero();
    String threads = server.diagnose("Thread.print");
    assertThat(Pattern.compile("\"gatehouse-timer").matcher(threads).results())
        .as(threads)
        .hasSize(1);
  }

  /** Counts what is left after a full collection. */
  private static String histogram(GatewayServer server) {
    return server.diagnose("GC.class_histogram");
  }

  private static long instances(String histogram, String className) {
    return Pattern.compile("(?m)^ *\\d+: +(\\d+) +\\d+ +" + className + "( |$)")
        .matcher(histogram)
        .results()
        .mapToLong(line -> Long.parseLong(line.group(1)))
        .sum();
  }
}
