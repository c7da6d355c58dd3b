package dev.gatehouse;

import static dev.gatehouse.testing.RunningGateways.EXTENDED;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Upstream.Then;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Uploads that end while their answers flow already. */
@OnEveryGateway(contexts = EXTENDED)
class DuplexIT {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final int UPLOADS = 1_000;
  private static final int CLIENTS = 16;
  private static final int EVENTS = 20;

  private final RunningGateway gateway;

  DuplexIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  /** In Tomcat the end of a chunked body is an event of its own, while others are under way. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void nobodyWaitsForEverWhenAnUploadEndsWithinItsAnswer(boolean leaves) throws Exception {
    gateway
        .upstream("users")
        .willTalk(
            talk -> {
              talk.say("HTTP/1.1 200 OK", "Content-Type: text/event-stream", "");
              talk.say("Transfer-Encoding: chunked", "", "");
              for (int i = 0; i < EVENTS; i++) {
                talk.say("9", "data: a\n\n", "");
              }
              if (!talk.hear()) {
                return Then.CLOSE;
              }
              talk.say("0", "", "");
              return Then.KEEP;
            });

    ExecutorService pool = Executors.newFixedThreadPool(CLIENTS);
    try {
      List<Callable<Void>> calls = new ArrayList<>();
      for (int i = 0; i < UPLOADS; i++) {
        calls.add(
            () -> {
              upload(leaves);
              return null;
            });
      }
      for (Future<Void> call : pool.invokeAll(calls)) {
        call.get();
      }
    } finally {
      pool.shutdownNow();
    }
    await()
        .atMost(PATIENCE)
        .until(() -> gateway.metric("gatehouse_exchanges_open"), open -> open == 0);
    await("no thread is held by an exchange")
        .atMost(PATIENCE)
        .until(
            () ->
                gateway.server().threads().stream()
                    .noneMatch(stack -> stack.contains("at dev.gatehouse.proxy.")));
  }

  private void upload(boolean leaves) throws IOException {
    try (RawClient connection = gateway.connect().patience(PATIENCE)) {
      if (leaves) {
        leave(connection);
        return;
      }
      send(connection);
      RawResponse answer = connection.receive();
      assertThat(answer.status()).isEqualTo(200);
      assertThat(answer.text()).isEqualTo("data: a\n\n".repeat(EVENTS));
    }
  }

  private void leave(RawClient connection) {
    try {
      send(connection);
    } catch (UncheckedIOException e) {
      // So many have left that the service is saturated until the server has noticed.
    }
    connection.abort();
  }

  private void send(RawClient connection) {
    connection.send(gateway.request("POST", "/api/users/1").line("Transfer-Encoding: chunked"));
    for (int i = 0; i < EVENTS / 2; i++) {
      connection.send("1\r\na\r\n".getBytes(US_ASCII));
    }
    connection.send("0\r\n\r\n".getBytes(US_ASCII));
  }
}
