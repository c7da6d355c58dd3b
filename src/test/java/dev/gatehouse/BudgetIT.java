package dev.gatehouse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.SoftAssertions.assertSoftly;

import dev.gatehouse.testing.Container;
import dev.gatehouse.testing.GatewayServer;
import dev.gatehouse.testing.ProcessCounts;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Tokens.Trust;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.UpstreamThat;
import dev.gatehouse.testing.Webapp;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What one request costs with everything on: token, limits, access log. The figures are counts, so
 * a slow machine does not change them; and the servers compile with C1 only, which makes every
 * object that the code asks for, so the JIT does not change them either. A server under load
 * allocates less: C2 leaves some objects out.
 */
class BudgetIT {

  /**
   * Per request: the bytes that are allowed, and those that were measured with JDK 17 and 25; the
   * hand-offs that are allowed, and those that were measured. A tenth more bytes than measured are
   * room enough. Hand-offs need more: now and then threads meet at a lock, in Tomcat 10.1 most of
   * all. Whoever makes a request cheaper lowers them: what a run measures stands in its output.
   */
  private enum Budget {
    JETTY_EE10(17_100, 15_500, 1.7, 1.0),
    JETTY_EE11(17_100, 15_500, 1.7, 1.0),
    TOMCAT_10(16_800, 15_200, 1.5, 0.8),
    TOMCAT_11(20_100, 18_200, 1.5, 0.8);

    private final long bytes;
    private final long bytesMeasured;
    private final double handOffs;
    private final double handOffsMeasured;

    Budget(long bytes, long bytesMeasured, double handOffs, double handOffsMeasured) {
      this.bytes = bytes;
      this.bytesMeasured = bytesMeasured;
      this.handOffs = handOffs;
      this.handOffsMeasured = handOffsMeasured;
    }
  }

  private static final int WARM_UP = 5_000;
  private static final int ROUNDS = 6;
  private static final int REQUESTS = 500;

  private static final int LONG_ROUNDS = 3;
  private static final int LONG_ANSWERS = 20;

  /** Of 1 MiB. Without portions, Tomcat needs 45. */
  private static final int MOST_HAND_OFFS_IN_A_LONG_ANSWER = 12;

  private static final byte[] ANSWER = "{\"id\":7,\"name\":\"Ada Lovelace\"}".getBytes(UTF_8);

  private static List<Container> servers() {
    return Container.chosen();
  }

  @ParameterizedTest
  @MethodSource("servers")
  void aRequestStaysWithinTheBudget(Container container) {
    Budget budget = Budget.valueOf(container.name());
    try (Upstream users = Upstream.start();
        GatewayServer server = container.newServer().keepingConnections().processors(2)) {
      users.will(UpstreamThat.answers("Content-Type: application/json", ANSWER));
      server
          .deploy(
              Tokens.trusting(Trust.RS256, Webapp.at(""))
                  .setting("users.url", users.url())
                  .setting("rateLimit", "1000000/1s")
                  .setting("rateLimit.byAddress", "1000000/1s"))
          .start();
      RawRequest request = RawRequest.of("GET", "/api/users/7").bearer(Tokens.good(Trust.RS256));
      long bytes = Long.MAX_VALUE;
      double handOffs = Double.MAX_VALUE;

      try (RawClient client = server.connect();
          ProcessCounts counts = server.counts()) {
        ask(client, request, WARM_UP);
        // The least counts: what else goes on in the process and on the machine only adds.
        for (int round = 0; round < ROUNDS; round++) {
          users.forget();
          ProcessCounts.Spent spent = counts.during(() -> ask(client, request, REQUESTS));
          bytes = Math.min(bytes, spent.allocatedBytes() / REQUESTS);
          handOffs = Math.min(handOffs, (double) spent.handOffs() / REQUESTS);
        }
      }

      server.stop();
      assertThat(server.accessLogLines("")).hasSize(WARM_UP + ROUNDS * REQUESTS);
      check(container, budget, bytes, handOffs);
    }
  }

  /** Of a long answer, the server takes what the client takes without another thread. */
  @ParameterizedTest
  @MethodSource("servers")
  void aLongAnswerIsNotHandedOverForEachOfItsParts(Container container) {
    byte[] megabyte = new byte[1024 * 1024];
    try (Upstream users = Upstream.start();
        GatewayServer server = container.newServer().keepingConnections().processors(2)) {
      users.will(UpstreamThat.answers("Content-Type: application/octet-stream", megabyte));
      server
          .deploy(Tokens.trusting(Trust.RS256, Webapp.at("")).setting("users.url", users.url()))
          .start();
      RawRequest request = RawRequest.of("GET", "/api/users/7").bearer(Tokens.good(Trust.RS256));
      double handOffs = Double.MAX_VALUE;

      try (RawClient client = server.connect();
          ProcessCounts counts = server.counts()) {
        for (int round = 0; round < LONG_ROUNDS; round++) {
          ProcessCounts.Spent spent =
              counts.during(
                  () -> {
                    for (int i = 0; i < LONG_ANSWERS; i++) {
                      client.send(request);
                      assertThat(client.receive().body()).isEqualTo(megabyte);
                    }
                  });
          handOffs = Math.min(handOffs, (double) spent.handOffs() / LONG_ANSWERS);
        }
      }

      checkLong(container, handOffs);
    }
  }

  @SuppressWarnings("SystemOut") // For whoever lowers the budget.
  private static void checkLong(Container container, double handOffs) {
    System.out.printf(Locale.ROOT, "%s: %.2f hand-offs per MiB%n", container, handOffs);
    assertThat(handOffs)
        .withFailMessage(
            "hands over %.1f times per MiB in %s, the budget is %d (was 5)",
            handOffs, container, MOST_HAND_OFFS_IN_A_LONG_ANSWER)
        .isLessThanOrEqualTo(MOST_HAND_OFFS_IN_A_LONG_ANSWER);
  }

  private static void ask(RawClient client, RawRequest request, int times) {
    for (int i = 0; i < times; i++) {
      client.send(request);
      RawResponse answer = client.receive();
      assertThat(answer.status()).isEqualTo(200);
      assertThat(answer.values("RateLimit")).isNotEmpty();
    }
  }

  @SuppressWarnings("SystemOut") // For whoever lowers a budget.
  private static void check(Container container, Budget budget, long bytes, double handOffs) {
    System.out.printf(
        Locale.ROOT, "%s: %,d bytes, %.2f hand-offs per request%n", container, bytes, handOffs);
    assertSoftly(
        softly -> {
          softly
              .assertThat(bytes)
              .withFailMessage(
                  "allocates %,d bytes per request in %s, the budget is %,d (was %,d)",
                  bytes, container, budget.bytes, budget.bytesMeasured)
              .isLessThanOrEqualTo(budget.bytes);
          softly
              .assertThat(handOffs)
              .withFailMessage(
                  "hands over %.2f times per request in %s, the budget is %.1f (was %.1f)",
                  handOffs, container, budget.handOffs, budget.handOffsMeasured)
              .isLessThanOrEqualTo(budget.handOffs);
        });
  }
}
