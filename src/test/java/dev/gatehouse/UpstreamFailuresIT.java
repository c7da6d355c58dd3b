package dev.gatehouse;

import static dev.gatehouse.Problems.assertProblem;
import static dev.gatehouse.testing.RunningGateways.EXTENDED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.Upstream.Then;
import dev.gatehouse.testing.UpstreamThat;
import org.junit.jupiter.api.Test;

@OnEveryGateway(contexts = EXTENDED)
class UpstreamFailuresIT {
  private final RunningGateway gateway;

  UpstreamFailuresIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  @Test
  void aServiceThatIsDownIsUnreachable() {
    assertProblem(gateway.get("/api/nobody/1"), 502, "upstream_unreachable");
    assertProblem(
        gateway.send(gateway.request("POST", "/api/nobody/1").body(new byte[100_000])),
        502,
        "upstream_unreachable");
  }

  @Test
  void aRequestOnAConnectionThatIsClosedIsSentOnceMoreAndCounted() {
    Upstream users = gateway.upstream("users");
    assertThat(gateway.get("/api/users/1").status()).isEqualTo(200);
    // Until then its connection is not in the pool.
    await().until(() -> gateway.metric("gatehouse_exchanges_open") == 0);
    double before = repeats();
    users.forget();
    users.willTalk(
        talk -> {
          if (users.requests().size() == 1) {
            return Then.CLOSE;
          }
          talk.say("HTTP/1.1 200 OK", "Content-Length: 5", "", "again");
          return Then.KEEP;
        });

    assertThat(gateway.get("/api/users/2").text()).isEqualTo("again");

    assertThat(users.requests()).hasSize(2);
    assertThat(repeats()).isEqualTo(before + 1);
  }

  private double repeats() {
    return gateway.metric("gatehouse_upstream_repeats_total", "service=\"users\"");
  }

  @Test
  void aRefusalLeavesTheConnectionUsable() {
    gateway.upstream("users").will(UpstreamThat.resets());
    try (RawClient client = gateway.connect()) {
      client.send(gateway.request("GET", "/api/users/1"));
      assertProblem(client.receive(), 502, "upstream_reset");

      client.send(gateway.request("GET", "/api/orders/1"));
      assertThat(client.receive().status()).isEqualTo(200);
    }
  }
}
