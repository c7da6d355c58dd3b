package dev.gatehouse;

import static dev.gatehouse.Problems.assertProblem;
import static dev.gatehouse.testing.RunningGateways.EXTENDED;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawHttp2Client;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.Upstream.Conversation;
import dev.gatehouse.testing.Upstream.Then;
import dev.gatehouse.testing.UpstreamThat;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Each time-out with a service that has little of it, and much of the others: {@code unreached} has
 * a {@code timeout.connect} of 300 ms, {@code slow} a {@code timeout.response} of 300 ms, {@code
 * hurried} a {@code timeout.total} of 600 ms. For {@code timeout.idle} see {@link StreamingIT}.
 */
@OnEveryGateway(contexts = EXTENDED)
class TimeoutsIT {
  private static final Duration LITTLE = Duration.ofMillis(300);
  private static final Duration TOTAL = Duration.ofMillis(600);
  private static final int AT_ONCE = 40;
  private static final int NEARLY_LATE = 400;
  private static final Duration OFTEN = Duration.ofMillis(50);

  /** Far below the time-outs that the services have besides. */
  private static final Duration SOON = Duration.ofSeconds(4);

  /** Tomcat's for a stream; in Jetty it is the service's {@code timeout.idle} that counts. */
  private static final Duration SERVERS_PATIENCE = Duration.ofSeconds(25);

  private static final String CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked";
  private static final String CHUNK = "9\r\ndata: 1\n\n\r\n";

  private final RunningGateway gateway;

  TimeoutsIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  @AfterEach
  void nothingIsLeft() {
    await().atMost(SOON).until(() -> gateway.metric("gatehouse_exchanges_open") == 0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "POST"})
  void aConnectionThatIsNotTaken(String method) {
    RawRequest request = gateway.request(method, "/api/unreached/1");
    RawRequest sent = method.equals("POST") ? request.body(new byte[100_000]) : request;

    RawResponse answer = within(LITTLE, () -> gateway.send(sent));

    assertProblem(answer, 504, "upstream_timeout");
  }

  @Test
  void aFirstByteThatDoesNotComeForAHeadOverHttp2() throws IOException {
    gateway.upstream("slow").will(UpstreamThat.neverAnswers());
    String path = "/api/slow/" + UUID.randomUUID();
    try (RawHttp2Client client = new RawHttp2Client(gateway.connect().patience(SOON))) {
      client.head(gateway.context() + path, Tokens.good(gateway.trust()));

      assertThat(client.receiveStatus()).isEqualTo(504);
      assertThat(client.receiveBody(1)).isEmpty();
      assertThat(client.ended()).isTrue();
    }
    await().until(() -> gateway.accessLog(path).size() == 1);
    assertThat(gateway.accessLog(path)).singleElement().asString().contains("\" 504 ");
  }

  @Test
  void aFirstByteThatDoesNotCome() {
    gateway.upstream("slow").will(UpstreamThat.neverAnswers());

    RawResponse answer = within(LITTLE, () -> gateway.get("/api/slow/1"));

    assertProblem(answer, 504, "upstream_timeout");
    assertThat(gateway.upstream("slow").requests()).hasSize(1);
  }

  /** A head that comes while the time-out is dealt with must not be passed on. */
  @Test
  void anAnswerAtTheTimeOfItsTimeoutIsWholeOrRefused() {
    gateway
        .upstream("slow")
        .willTalk(
            talk -> {
              String target = talk.request().target();
              talk.pause(LITTLE.minusMillis(target.charAt(target.length() - 1) - '0'));
              talk.say("HTTP/1.1 200 OK", "Content-Length: 5", "", "hel");
              talk.say("lo");
              return Then.KEEP;
            });
    String path = "/api/slow/" + UUID.randomUUID();
    ExecutorService clients = Executors.newFixedThreadPool(AT_ONCE);
    List<RawResponse> answers;
    try {
      answers =
          IntStream.range(0, NEARLY_LATE)
              .mapToObj(
                  i ->
                      CompletableFuture.supplyAsync(
                          () -> gateway.get(path + "/" + i % 10), clients))
              .toList()
              .stream()
              .map(CompletableFuture::join)
              .toList();
    } finally {
      clients.shutdown();
    }

    assertThat(answers)
        .allSatisfy(
            answer -> {
              assertThat(answer.status()).isIn(200, 504);
              assertThat(answer.complete()).as("%s is whole", answer).isTrue();
            });
    await().until(() -> gateway.accessLog(path).size() == NEARLY_LATE);
    long whole = answers.stream().filter(answer -> answer.status() == 200).count();
    assertThat(gateway.accessLog(path).stream().filter(line -> line.contains("\" 200 ")).count())
        .as("logged as whole")
        .isEqualTo(whole);
    assertThat(gateway.accessLog(path).stream().filter(line -> line.contains("\" 504 ")).count())
        .as("logged as refused")
        .isEqualTo(NEARLY_LATE - whole);
  }

  @Test
  void theTimeForAllWithoutAnAnswer() {
    gateway.upstream("hurried").will(UpstreamThat.neverAnswers());

    RawResponse answer = within(TOTAL, () -> gateway.get("/api/hurried/1"));

    assertProblem(answer, 504, "upstream_timeout");
  }

  @ParameterizedTest
  @ValueSource(strings = {"application/octet-stream", "application/x-ndjson", "text/event-stream"})
  void theTimeForAllWithAnAnswerThatGoesOnAndOn(String type) {
    gateway.upstream("hurried").willTalk(dripping(type));

    RawResponse answer = within(TOTAL, () -> gateway.get("/api/hurried/1"));

    // The little that came may not yet have been passed on.
    assertThat(answer.complete() && answer.status() == 200).as("%s looks whole", answer).isFalse();
  }

  @Test
  void theTimeForAllWithAStreamThatBeats() {
    gateway
        .upstream("hurried")
        .willTalk(
            talk -> {
              talk.say(CHUNKED, "Content-Type: text/event-stream", "", CHUNK);
              return Then.SILENCE;
            });

    RawResponse answer = within(TOTAL, () -> gateway.get("/api/hurried/1"));

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.complete()).as("%s looks whole", answer).isFalse();
  }

  @Test
  void theTimeForAllWithAnUploadThatGoesOnAndOn() {
    RawResponse answer =
        within(
            TOTAL,
            () -> {
              try (RawClient client = gateway.connect()) {
                client.send(
                    gateway.request("POST", "/api/hurried/1").line("Transfer-Encoding: chunked"));
                await()
                    .pollInterval(OFTEN)
                    .until(
                        () -> {
                          client.send(CHUNK.getBytes(US_ASCII));
                          return client.hasReceived();
                        });
                return client.receive();
              }
            });

    // Whose turn it was when the time was up is chance.
    assertThat(answer.status()).as("%s", answer).isIn(408, 504);
    assertThat(gateway.upstream("hurried").requests()).noneMatch(seen -> seen.complete());
  }

  @Test
  void theTimeForAllWithAClientThatDoesNotReadOn() {
    Upstream hurried = gateway.upstream("hurried");
    hurried.willTalk(
        talk -> {
          talk.say(CHUNKED, "", "");
          while (true) {
            talk.say("100000", "x".repeat(0x100000), "");
          }
        });

    within(
        TOTAL,
        () -> {
          try (RawClient client = gateway.connect()) {
            client.send(gateway.request("GET", "/api/hurried/1"));
            await().until(() -> hurried.busy() == 1);
            await().atMost(SOON).until(() -> hurried.busy() == 0);
            return client;
          }
        });
  }

  /** Over HTTP/2, where a client can refuse to take a single byte. Servers wait long for it. */
  @Test
  void aClientThatDoesNotTakeItsRefusal() throws IOException {
    gateway.upstream("faulty").will(UpstreamThat.neverAnswers());
    gateway.upstream("hasty").will(UpstreamThat.closesBeforeAnswer());
    try (RawHttp2Client late = RawHttp2Client.taking(0, gateway.connect());
        RawHttp2Client broken = RawHttp2Client.taking(0, gateway.connect())) {
      late.get(gateway.context() + "/api/faulty/1", Tokens.good(gateway.trust()));
      broken.get(gateway.context() + "/api/hasty/1", Tokens.good(gateway.trust()));
      late.awaitHead();
      broken.awaitHead();

      await().atMost(SERVERS_PATIENCE).until(() -> gateway.metric("gatehouse_exchanges_open") == 0);
    }
  }

  /**
   * Tomcat may forget that a request ends with its head: then it is the same to the gateway as
   * here.
   */
  @ParameterizedTest
  @ValueSource(strings = {"GET", "HEAD", "OPTIONS"})
  void aRequestThatDoesNotSayThatItIsWhole(String method) throws IOException {
    Upstream faulty = gateway.upstream("faulty");
    try (RawHttp2Client client = new RawHttp2Client(gateway.connect().patience(SOON))) {
      client.begin(method, gateway.context() + "/api/faulty/1", Tokens.good(gateway.trust()));

      assertThat(client.receiveStatus()).isEqualTo(gateway.inJetty() ? 408 : 200);
    }
    if (gateway.inJetty()) {
      assertThat(faulty.requests()).isEmpty();
    } else {
      assertThat(faulty.only().body()).isEmpty();
    }
  }

  /** In Tomcat the service has been asked without it; Jetty is believed, and waited for. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aBodyThatComesWhenItIsTooLate(boolean answering) throws IOException {
    Upstream users = gateway.upstream("users");
    users.willTalk(
        talk -> {
          boolean whole = talk.hear() && talk.request().body().length > 0;
          if (whole || answering) {
            talk.say(CHUNKED, "Content-Type: text/event-stream", "", CHUNK);
          }
          if (!whole) {
            return Then.SILENCE;
          }
          talk.say("0", "", "");
          return Then.KEEP;
        });
    String path = "/api/users/" + UUID.randomUUID();
    try (RawHttp2Client client = new RawHttp2Client(gateway.connect().patience(SOON))) {
      client.begin("GET", gateway.context() + path, Tokens.good(gateway.trust()));
      if (!gateway.inJetty()) {
        await().until(() -> users.requests().size() == 1);
      }
      if (!gateway.inJetty() && answering) {
        client.awaitHead();
      }

      client.sendLast("hello".getBytes(US_ASCII));

      if (gateway.inJetty()) {
        assertThat(client.receiveStatus()).isEqualTo(200);
        assertThat(users.only().body()).asString(US_ASCII).isEqualTo("hello");
      } else if (answering) {
        assertThatThrownBy(() -> client.receiveBody(Integer.MAX_VALUE))
            .hasMessageContaining("broken off");
      } else {
        assertThat(client.receiveStatus()).isEqualTo(408);
      }
    }
    if (!gateway.inJetty()) {
      await().until(() -> !gateway.accessLog(path).isEmpty());
      assertThat(gateway.accessLog(path)).singleElement().asString().contains("\" 408 ");
    }
  }

  @Test
  void whoIsToBeAskedForTheBodyIsNotBlamedForASlowConnection() {
    Upstream late = gateway.upstream("late");
    try (RawClient client = gateway.connect()) {
      byte[] body = "hello".getBytes(US_ASCII);
      client.send(
          gateway
              .request("POST", "/api/late/1")
              .line("Expect: 100-continue")
              .line("Content-Length: " + body.length));

      assertThat(late.takesNobodyFor(Duration.ofMillis(1_500))).isTrue();
      late.takeConnections();

      assertThat(client.receiveAny().status()).isEqualTo(100);
      client.send(body);
      assertThat(client.receive().status()).isEqualTo(200);
      assertThat(late.only().body()).isEqualTo(body);
    }
  }

  /** A service that sends something every 50 ms, without an end. */
  private static Conversation dripping(String type) {
    return talk -> {
      talk.say(CHUNKED, "Content-Type: " + type, "", "");
      while (true) {
        talk.say(CHUNK);
        talk.pause(OFTEN);
      }
    };
  }

  /** Does something that must not end before, and must end soon after, the time-out. */
  private static <T> T within(Duration timeout, Supplier<T> exchange) {
    long begin = System.nanoTime();
    T result = exchange.get();
    Duration taken = Duration.ofNanos(System.nanoTime() - begin);
    assertThat(taken).isBetween(timeout, timeout.plus(SOON));
    return result;
  }
}
