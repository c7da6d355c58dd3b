package dev.gatehouse;

import static dev.gatehouse.Problems.assertProblem;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawHttp2Client;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Tokens;
import java.io.IOException;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@OnEveryGateway
class OwnEndpointsIT {
  private final RunningGateway gateway;

  OwnEndpointsIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  @ParameterizedTest
  @ValueSource(strings = {"/gateway/health/live", "/gateway/health/ready"})
  void healthIsOpen(String path) {
    RawResponse answer = gateway.send(gateway.anonymous("GET", path));

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.values("Content-Type"))
        .singleElement()
        .asString()
        .startsWith("application/json");
    assertThat(answer.text()).isEqualTo("{\"status\":\"UP\"}");
  }

  @Test
  void metricsNeedAToken() {
    assertProblem(gateway.send(gateway.anonymous("GET", "/gateway/metrics")), 401, "token_missing");
  }

  @Test
  void metricsNeedTheScope() {
    RawResponse answer = gateway.get("/gateway/metrics");

    assertProblem(answer, 403, "scope_missing");
    assertThat(answer.values("WWW-Authenticate"))
        .singleElement()
        .asString()
        .startsWith("Bearer ")
        .contains("error=\"insufficient_scope\"");
  }

  @ParameterizedTest
  @ValueSource(strings = {"xgateway:admin", "gateway:administrator", "gateway", "GATEWAY:ADMIN"})
  void aScopeThatIsAlikeIsNotEnough(String scope) {
    String token = Tokens.signed(gateway.trust(), Tokens.claims("scope", scope));

    assertProblem(
        gateway.send(gateway.anonymous("GET", "/gateway/metrics").bearer(token)),
        403,
        "scope_missing");
  }

  @Test
  void metricsCountRequestsByServiceAndStatus() {
    double before = ordersServed();

    assertThat(gateway.get("/api/orders/1").status()).isEqualTo(200);

    // A request has ended a little after the client has its answer.
    await().until(() -> ordersServed() == before + 1);
    await().until(() -> gateway.metric("gatehouse_exchanges_open") == 0);
  }

  @Test
  void aClientThatLeavesWithinAReportIsNoFailureOfTheGateway() throws IOException {
    String path = "/gateway/metrics?left=" + UUID.randomUUID();
    try (RawHttp2Client client = RawHttp2Client.taking(0, gateway.connect())) {
      client.get(gateway.context() + path, Tokens.admin(gateway.trust()));
      client.awaitHead();

      client.abort();
    }

    await().until(() -> gateway.accessLog(path).size() == 1);
    // Tomcat 11 keeps to itself that the last bytes cannot be sent.
    String status = gateway.inJetty() ? "499" : "(499|200)";
    assertThat(gateway.accessLog(path)).singleElement().asString().containsPattern("\" " + status);
  }

  private double ordersServed() {
    return gateway.metric("gatehouse_requests_total", "service=\"orders\"", "status=\"200\"");
  }
}
