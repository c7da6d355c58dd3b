package dev.gatehouse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.Container;
import dev.gatehouse.testing.GatewayServer;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RunningGateway;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Holds docs/containers.md against servers with all the settings that it names, and with short
 * time-outs.
 */
@ParameterizedClass(name = "{0}")
@MethodSource("dev.gatehouse.testing.Container#chosen")
@SuppressWarnings("NullAway.Init") // start() sets the fields
class ConfiguredContainersIT {
  private static final String MILLIS = "1000";

  private static final List<Map<String, String>> LOOSENED = new ArrayList<>();
  private static RunningGateway gateway;

  ConfiguredContainersIT(Container container) {
    assertThat(container).isNotNull();
  }

  @BeforeParameterizedClassInvocation
  static void start(Container container) {
    GatewayServer server = container.newServer();
    boolean jetty = container.toString().startsWith("jetty");
    LOOSENED.clear();
    for (Map<String, String> row : ContainerTables.requests()) {
      if (ContainerTables.loosens(row, jetty, server)) {
        LOOSENED.add(row);
      }
    }
    server.configure(jetty ? "jetty.http.idleTimeout" : "Connector.connectionTimeout", MILLIS);
    gateway = RunningGateway.startIn(server);
  }

  @AfterParameterizedClassInvocation
  static void stop() {
    gateway.close();
  }

  static List<Map<String, String>> loosened() {
    return LOOSENED;
  }

  @ParameterizedTest
  @MethodSource("loosened")
  void theSettingLetsTheRequestThrough(Map<String, String> row) {
    assertThat(ContainerTables.probe(ContainerProbes.REQUESTS, row).apply(gateway))
        .isEqualTo(row.get("then"));
  }

  @ParameterizedTest
  @MethodSource("dev.gatehouse.ContainerTables#timeouts")
  void theServersTimeOutDoesWhatTheTableSays(Map<String, String> row) {
    String told = row.get(ContainerTables.server(gateway));

    assertThat(ContainerTables.probe(ContainerProbes.TIMEOUTS, row).apply(gateway)).isEqualTo(told);
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "PUT"})
  void whoDoesNotReadOnIsGone(String method) {
    String path = "/api/users/" + UUID.randomUUID();
    gateway
        .upstream("users")
        .willTalk(
            talk -> {
              talk.hear();
              talk.say("HTTP/1.1 200 OK", "Content-Length: 100000000", "", "");
              while (true) {
                talk.say("x".repeat(100_000));
              }
            });
    RawRequest request = gateway.request(method, path);
    try (RawClient client = gateway.connect()) {
      client.send(method.equals("PUT") ? request.body(new byte[100]) : request);

      await().until(() -> gateway.accessLog(path).size() == 1);
    }
    assertThat(gateway.accessLog(path).get(0)).contains("\" 499 ");
  }

  @Test
  void theTableTellsEverythingThatIsKnown() {
    assertThat(ContainerTables.subjects(ContainerTables.timeouts()))
        .containsExactlyElementsOf(ContainerProbes.TIMEOUTS.keySet());
  }
}
