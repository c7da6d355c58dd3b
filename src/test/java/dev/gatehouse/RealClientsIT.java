package dev.gatehouse;

import static dev.gatehouse.testing.RunningGateways.EXTENDED;

import dev.gatehouse.clients.ApacheAsyncClient;
import dev.gatehouse.clients.ApacheClassicClient;
import dev.gatehouse.clients.JavaHttpClient;
import dev.gatehouse.clients.RealClient;
import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RunningGateway;
import java.io.IOException;
import java.net.http.HttpClient.Version;
import java.util.stream.Stream;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;

/** The clients that every machine with the build has. */
@OnEveryGateway(contexts = EXTENDED)
class RealClientsIT extends RealClients {

  RealClientsIT(RunningGateway gateway) {
    super(gateway);
  }

  static Stream<RealClient> clients() {
    return Stream.of(
        new JavaHttpClient(Version.HTTP_1_1),
        new JavaHttpClient(Version.HTTP_2),
        new ApacheClassicClient(),
        new ApacheAsyncClient());
  }

  static Stream<RealClient> headClients() {
    return clients();
  }

  /** Without Java's by HTTP/2: in a stock Tomcat it waits for 100 without end. */
  static Stream<RealClient> askingClients() {
    return Stream.of(
        new JavaHttpClient(Version.HTTP_1_1), new ApacheClassicClient(), new ApacheAsyncClient());
  }

  static Stream<RealClient> keepingClients() {
    return clients();
  }

  static Stream<RealClient.Streaming> streamingClients() {
    return Stream.of(
        new JavaHttpClient(Version.HTTP_1_1),
        new JavaHttpClient(Version.HTTP_2),
        new ApacheClassicClient());
  }

  @Test
  void javasClientUpgradesToHttp2() throws IOException {
    try (JavaHttpClient client = new JavaHttpClient(Version.HTTP_2)) {
      Assertions.assertThat(client.send(call("GET", "/1")).protocol()).isEqualTo("HTTP_2");
      Assertions.assertThat(client.send(call("GET", "/2")).protocol()).isEqualTo("HTTP_2");
    }
  }
}
