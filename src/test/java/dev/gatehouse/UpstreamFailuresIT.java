package dev.gatehouse;

import static dev.gatehouse.Problems.assertProblem;
import static dev.gatehouse.testing.RunningGateways.EXTENDED;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Upstream.Behaviour;
import dev.gatehouse.testing.Upstream.Then;
import dev.gatehouse.testing.UpstreamThat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
  void aServiceThatHangsUpIsReset() {
    assertFails(UpstreamThat.closesBeforeAnswer(), 502, "upstream_reset");
    assertFails(UpstreamThat.resets(), 502, "upstream_reset");
  }

  @Test
  void aServiceThatHangsUpWithinItsHeadIsABadGateway() {
    gateway
        .upstream("users")
        .will(
            (request, out) -> {
              out.write("HTTP/1.1 200 OK\r\nX-Half".getBytes(UTF_8));
              return Then.CLOSE;
            });

    RawResponse answer = gateway.get("/api/users/1");

    assertThat(answer.code()).isIn("upstream_reset", "upstream_garbled");
    assertProblem(answer, 502, answer.code());
  }

  @Test
  void aServiceThatIsTooSlowTimesOut() {
    gateway.upstream("slow").will(UpstreamThat.neverAnswers());

    RawResponse answer = gateway.get("/api/slow/1");

    assertProblem(answer, 504, "upstream_timeout");
    assertThat(gateway.upstream("slow").requests()).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "POST", "PUT", "DELETE"})
  void aFailedRequestIsNotSentTwice(String method) {
    gateway.upstream("users").will(UpstreamThat.closesBeforeAnswer());

    gateway.send(gateway.request(method, "/api/users/1").body("x".getBytes(UTF_8)));

    assertThat(gateway.upstream("users").requests()).hasSize(1);
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

  private void assertFails(Behaviour behaviour, int status, String code) {
    gateway.upstream("users").will(behaviour);

    assertProblem(gateway.get("/api/users/1"), status, code);
    assertProblem(
        gateway.send(gateway.request("POST", "/api/users/1").body("x".getBytes(UTF_8))),
        status,
        code);
  }
}
