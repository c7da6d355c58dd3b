package dev.gatehouse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.Container;
import dev.gatehouse.testing.GatewayServer;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawRequest;
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
import java.util.regex.Pattern;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RedeployIT {
  private static final int REDEPLOYS = Integer.getInteger("gatehouse.test.redeploys", 1);
  private static final int CLIENTS = 10;

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String EVENT = "data: 1\n\n";
  private static final String LAST_CHUNK = "0\r\n\r\n";
  private static final String TOKEN = Tokens.good(Trust.HS256);

  @ParameterizedTest
  @MethodSource("dev.gatehouse.testing.Container#chosen")
  void redeployingUnderLoadLeavesNothingBehind(Container container) throws IOException {
    try (Upstream users = Upstream.start();
        Upstream orders = Upstream.start();
        Upstream products = Upstream.start();
        GatewayServer server = container.newServer().redeployable()) {
      orders.will(
          (request, out) -> {
            String head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
            out.write((head + EVENT).getBytes(UTF_8));
            return Then.SILENCE;
          });
      products.will(UpstreamThat.neverAnswers());
      server
          .deploy(
              Tokens.trusting(Trust.HS256, Webapp.at(""))
                  .setting("users.url", users.url())
                  .setting("orders.url", orders.url())
                  .setting("products.url", products.url()))
          .start();
      use(server);

      for (int i = 0; i < REDEPLOYS; i++) {
        redeployAmidExchanges(server, orders, products);
        use(server);
      }

      try {
        // Tomcat renews the threads of its pool, one a second, each when it has served another
        // request. With JDK 17 that may not be enough: see docs/containers.md.
        await()
            .atMost(PATIENCE)
            .pollInterval(Duration.ofSeconds(1))
            .untilAsserted(
                () -> {
                  use(server);
                  assertAsAfterOneDeployment(server);
                });
      } catch (ConditionTimeoutException somethingIsLeft) {
        Path heap = Path.of("target", "left-in-" + container + ".hprof").toAbsolutePath();
        throw new AssertionError(server.diagnose("GC.heap_dump", heap.toString()), somethingIsLeft);
      }
      assertThat(server.log())
          .doesNotContain(
              "appears to have started a thread",
              "ThreadLocal",
              "memory leak",
              "has failed to stop it",
              "failed to remove it",
              "SEVERE");
    }
  }

  /** With idle connections to a service, a quiet stream, and a service that has yet to answer. */
  private static void redeployAmidExchanges(
      GatewayServer server, Upstream orders, Upstream products) throws IOException {
    products.forget();
    try (RawClient stream = server.connect();
        RawClient waiting = server.connect()) {
      stream.send(RawRequest.of("GET", "/api/orders/events").bearer(TOKEN));
      assertThat(stream.receiveHead().get(0)).contains(" 200");
      waiting.send(RawRequest.of("GET", "/api/products/1").bearer(TOKEN));
      await().until(() -> products.requests().size() == 1);

      server.redeploy("");

      assertThat(new String(stream.receiveRest(), UTF_8))
          .contains(EVENT)
          .doesNotEndWith(LAST_CHUNK);
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

  private static void assertAsAfterOneDeployment(GatewayServer server) {
    // Counts what is left after a full collection.
    String histogram = server.diagnose("GC.class_histogram");
    assertThat(instances(histogram, "[\\w.]*\\.(Parallel)?Web[aA]ppClassLoader")).isEqualTo(1);
    assertThat(instances(histogram, "dev\\.gatehouse\\.Gateway")).isEqualTo(1);
    assertThat(instances(histogram, "dev\\.gatehouse\\.Exchange")).isZero();
    String threads = server.diagnose("Thread.print");
    assertThat(Pattern.compile("\"gatehouse-timer").matcher(threads).results())
        .as(threads)
        .hasSize(1);
  }

  private static long instances(String histogram, String className) {
    return Pattern.compile("(?m)^ *\\d+: +(\\d+) +\\d+ +" + className + "( |$)")
        .matcher(histogram)
        .results()
        .mapToLong(line -> Long.parseLong(line.group(1)))
        .sum();
  }
}
