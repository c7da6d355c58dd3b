package dev.gatehouse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.Container;
import dev.gatehouse.testing.GatewayServer;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Tokens.Trust;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.UpstreamThat;
import dev.gatehouse.testing.Webapp;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Clients that ask and ask and read nothing. A quick answer is written by the thread that has
 * waited for it, which such a client then holds: no more than 32 of them at a time.
 */
class SlowReadersFull {

  private static final int READERS = 80;
  private static final int MOST_HELD = 32;

  /** Not all that could be: a reader may be kept waiting by another path, too. */
  private static final int MANY = 16;

  @ParameterizedTest
  @MethodSource("dev.gatehouse.testing.Container#chosen")
  void holdNoMoreThreadsThanMayWait(Container container) throws IOException {
    List<RawClient> readers = new ArrayList<>();
    try (Upstream users = Upstream.start();
        GatewayServer server = container.newServer().keepingConnections()) {
      users.will(UpstreamThat.answers("Content-Type: text/plain", new byte[7_000]));
      server
          .deploy(
              Tokens.trusting(Trust.RS256, Webapp.at(""))
                  .setting("users.url", users.url())
                  .setting("rateLimit", "1000000/1s")
                  .setting("rateLimit.byAddress", "1000000/1s"))
          .start();
      RawRequest request = RawRequest.of("GET", "/api/users/7").bearer(Tokens.good(Trust.RS256));

      for (int i = 0; i < READERS; i++) {
        RawClient reader = server.connect();
        readers.add(reader);
        Thread asking = new Thread(() -> askForEver(reader, request));
        asking.setDaemon(true);
        asking.start();
      }

      await()
          .atMost(Duration.ofMinutes(2))
          .pollInterval(Duration.ofMillis(500))
          .until(() -> held(server) >= MANY);
      for (int i = 0; i < 20; i++) {
        try (RawClient other = server.connect().patience(Duration.ofSeconds(5))) {
          other.send(request);
          RawResponse answer = other.receive();
          assertThat(answer.status()).isEqualTo(200);
        }
        assertThat(held(server)).isLessThanOrEqualTo(MOST_HELD);
      }

      readers.forEach(RawClient::abort);
      await().atMost(Duration.ofSeconds(10)).until(() -> held(server) == 0);
    } finally {
      readers.forEach(RawClient::close);
    }
  }

  private static void askForEver(RawClient reader, RawRequest request) {
    try {
      while (true) {
        reader.send(request);
      }
    } catch (UncheckedIOException gone) {
      // The test is over.
    }
  }

  private static long held(GatewayServer server) {
    return server.threads().stream().filter(stack -> stack.contains("ServiceProxy.passOn")).count();
  }
}
