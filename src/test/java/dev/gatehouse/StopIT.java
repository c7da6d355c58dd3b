package dev.gatehouse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.Container;
import dev.gatehouse.testing.GatewayServer;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Tokens.Trust;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.Webapp;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class StopIT {
  private static final int REQUESTS = 1_000;
  private static final int PER_CONNECTION = 50;

  @ParameterizedTest
  @MethodSource("dev.gatehouse.testing.Container#chosen")
  void stoppingWritesAllLinesAndLeavesNoThreadBehind(Container container) {
    try (Upstream users = Upstream.start();
        GatewayServer server = container.newServer()) {
      server
          .deploy(Tokens.trusting(Trust.HS256, Webapp.at("")).setting("users.url", users.url()))
          .start();
      String token = Tokens.good(Trust.HS256);
      for (int sent = 0; sent < REQUESTS; sent += PER_CONNECTION) {
        send(server, token, PER_CONNECTION);
      }

      server.stop();

      assertThat(server.accessLogLines("")).hasSize(REQUESTS);
      assertThat(server.log())
          .doesNotContain("has failed to stop it", "failed to remove it", "memory leak");
    }
  }

  private static void send(GatewayServer server, String token, int requests) {
    try (RawClient client = server.connect()) {
      for (int i = 0; i < requests; i++) {
        client.send(RawRequest.of("GET", "/api/users/" + i).bearer(token));
        assertThat(client.receive().status()).isEqualTo(200);
      }
    }
  }
}
