package dev.gatehouse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.RunningGateways;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds the table of requests in docs/containers.md against the servers as they come. */
@OnEveryGateway(contexts = RunningGateways.STOCK)
class ContainersIT {
  private final RunningGateway gateway;

  ContainersIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  @ParameterizedTest
  @MethodSource("dev.gatehouse.ContainerTables#requests")
  void aStockServerDoesWhatTheTableSays(Map<String, String> row) {
    String told = row.get(ContainerTables.server(gateway));

    assertThat(ContainerTables.probe(ContainerProbes.REQUESTS, row).apply(gateway)).isEqualTo(told);
  }

  @Test
  void theTableTellsEverythingThatIsKnown() {
    assertThat(ContainerTables.subjects(ContainerTables.requests()))
        .containsExactlyElementsOf(ContainerProbes.REQUESTS.keySet());
  }
}
