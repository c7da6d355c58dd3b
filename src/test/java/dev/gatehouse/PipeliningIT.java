package dev.gatehouse;

import static dev.gatehouse.testing.RunningGateways.STOCK;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RunningGateway;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A client that sends its next request before it has the answer to the last. */
@OnEveryGateway(contexts = STOCK)
class PipeliningIT {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final RunningGateway gateway;

  PipeliningIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  @ParameterizedTest
  @CsvSource({"false, 0", "false, 5000", "false, 20000", "true, 0", "true, 5000", "true, 20000"})
  void theSecondUploadIsNotTakenForTheFirst(boolean chunked, int length) throws IOException {
    byte[] body = "b".repeat(length).getBytes(US_ASCII);
    for (int i = 0; i < 50; i++) {
      try (RawClient connection = gateway.connect().patience(PATIENCE)) {
        RawRequest first = gateway.request("POST", "/api/users/first");
        connection.send(chunked ? first.chunked(body) : first.body(body));
        connection.send(gateway.request("POST", "/api/users/second").body(body));

        for (String target : new String[] {"/first", "/second"}) {
          RawResponse answer = connection.receive();
          assertThat(answer.status()).as("%s of turn %s", target, i).isEqualTo(200);
          assertThat(answer.json().path("target").asText()).isEqualTo(target);
          assertThat(answer.json().path("body").binaryValue()).isEqualTo(body);
        }
      }
    }
  }
}
