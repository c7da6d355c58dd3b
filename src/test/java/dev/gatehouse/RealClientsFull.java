package dev.gatehouse;

import static dev.gatehouse.testing.RunningGateways.EXTENDED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.clients.CurlClient;
import dev.gatehouse.clients.NodeClient;
import dev.gatehouse.clients.RealClient;
import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RunningGateway;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The clients that come as programs of their own: the Debian packages curl and nodejs. */
@OnEveryGateway(contexts = EXTENDED)
class RealClientsFull extends RealClients {

  RealClientsFull(RunningGateway gateway) {
    super(gateway);
  }

  static Stream<RealClient.Streaming> clients() {
    return Stream.of(new CurlClient(), new NodeClient());
  }

  static Stream<RealClient.Streaming> headClients() {
    return clients();
  }

  static Stream<RealClient> askingClients() {
    return Stream.of(new CurlClient());
  }

  static Stream<RealClient> keepingClients() {
    return Stream.of(new NodeClient());
  }

  static Stream<RealClient.Streaming> streamingClients() {
    return clients();
  }

  @Test
  void curlKeepsItsConnectionWithinACommand() {
    try (CurlClient curl = new CurlClient()) {
      assertThat(curl.connections(call("GET", "/1"), 3)).containsExactly(1, 0, 0);
    }
  }
}
