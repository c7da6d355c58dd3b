package dev.gatehouse;

import static dev.gatehouse.Problems.assertProblem;
import static dev.gatehouse.testing.RunningGateways.EXTENDED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RunningGateway;
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
  void aServiceThatIsTooSlowTimesOut() {
    gateway.upstream("slow").will(UpstreamThat.neverAnswers());

    RawResponse answer = gateway.get("/api/slow/1");

    assertProblem(answer, 504, "upstream_timeout");
    assertThat(gateway.upstream("slow").requests()).hasSize(1);
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
