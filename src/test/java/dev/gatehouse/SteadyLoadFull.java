package dev.gatehouse;

import static dev.gatehouse.testing.RunningGateways.STOCK;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RunningGateway;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * One request after the other by the same connections for a while. Each second Tomcat looks for
 * exchanges whose application has stopped; it must not take one that is just being ended for such.
 */
@OnEveryGateway(contexts = STOCK)
class SteadyLoadFull {
  private static final Duration TIME =
      Duration.ofSeconds(Integer.getInteger("gatehouse.test.steadySeconds", 40));
  private static final int CLIENTS = 8;

  private final RunningGateway gateway;

  SteadyLoadFull(RunningGateway gateway) {
    this.gateway = gateway;
  }

  @Test
  void everyRequestIsAnsweredAndNoneStaysOpen() throws Exception {
    RawRequest request = gateway.request("GET", "/api/users/1");
    long end = System.nanoTime() + TIME.toNanos();
    ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
    try {
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        running.add(clients.submit(() -> work(request, end)));
      }
      for (Future<?> each : running) {
        each.get(TIME.toSeconds() + 60, TimeUnit.SECONDS);
      }
    } finally {
      clients.shutdownNow();
    }
    await().until(() -> gateway.metric("gatehouse_exchanges_open") == 0);
  }

  private void work(RawRequest request, long end) {
    RawClient client = gateway.connect();
    try {
      for (int i = 0; System.nanoTime() - end < 0; i++) {
        client.send(request);
        RawResponse answer = client.receive();
        assertThat(answer.status()).as("%s", answer).isEqualTo(200);
        if (answer.values("Connection").contains("close")) {
          client.close();
          client = gateway.connect();
        }
        if (i % 1_000 == 0) {
          // The service keeps every request that it sees.
          gateway.upstream("users").forget();
        }
      }
    } finally {
      client.close();
    }
  }
}
