package dev.gatehouse;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.BodyStream;
import dev.gatehouse.testing.Flood;
import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.RunningGateways;
import dev.gatehouse.testing.Upstream.Talk;
import dev.gatehouse.testing.Upstream.Then;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Whoever reads slowly slows the writer down; nothing but sockets' buffers lies in between. */
@OnEveryGateway(contexts = RunningGateways.STOCK)
class BackPressureIT {
  private static final long MIB = 1 << 20;
  private static final long LENGTH = 64 * MIB;
  // What systems let the four sockets between the ends hold, and a little of the gateway's own.
  private static final long UNDERWAY = 32 * MIB;

  private final RunningGateway gateway;
  private final Flood body = new Flood(LENGTH);

  BackPressureIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  @Test
  void aClientThatDoesNotReadBlocksTheService() throws IOException {
    gateway
        .upstream("users")
        .will(
            (request, out) -> {
              out.write(("HTTP/1.1 200 OK\r\nContent-Length: " + LENGTH).getBytes(US_ASCII));
              out.write("\r\n\r\n".getBytes(US_ASCII));
              body.write(out);
              return Then.KEEP;
            });
    try (RawClient client = gateway.connect()) {
      client.send(gateway.request("GET", "/api/users/1"));
      BodyStream arriving = client.body(client.receiveHead());

      for (int pause = 0; pause < 2; pause++) {
        awaitStandstill(body::written);
        assertThat(body.written() - body.read()).as("bytes underway").isBetween(1L, UNDERWAY);
        body.compare(arriving, 8 * MIB);
      }
      body.compare(arriving);
    }
  }

  @Test
  void aServiceThatDoesNotReadBlocksTheClient() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    gateway.upstream("users").willTalk(talk -> receiveAll(talk, gate));
    try (RawClient client = gateway.connect()) {
      client.send(gateway.request("PUT", "/api/users/1").line("Content-Length: " + LENGTH));
      CompletableFuture<Void> sender = CompletableFuture.runAsync(() -> writeTo(client));

      awaitStandstill(body::written);
      assertThat(body.written()).as("bytes underway").isBetween(1L, UNDERWAY);
      gate.countDown();

      sender.get(60, TimeUnit.SECONDS);
      assertThat(client.receiveHead().get(0)).startsWith("HTTP/1.1 204");
      assertThat(body.read()).isEqualTo(LENGTH);
    } finally {
      gate.countDown();
    }
  }

  @Test
  void whatASlowClientHasSentArrivesBeforeTheRest() throws IOException {
    gateway.upstream("users").willTalk(talk -> receiveAll(talk, new CountDownLatch(0)));
    try (RawClient client = gateway.connect()) {
      client.send(gateway.request("PUT", "/api/users/1").line("Content-Length: " + LENGTH));

      for (long part : new long[] {1, 20, 4_096, 100_000, 3}) {
        body.write(client.output(), part);
        Awaitility.await()
            .atMost(Duration.ofSeconds(20))
            .until(() -> body.read() == body.written());
      }
      body.write(client.output());

      assertThat(client.receiveHead().get(0)).startsWith("HTTP/1.1 204");
      assertThat(body.read()).isEqualTo(LENGTH);
    }
  }

  /** Waits until a count has moved, and then has not moved for a while. */
  private static void awaitStandstill(LongSupplier count) {
    AtomicLong last = new AtomicLong();
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(250))
        .until(() -> last.getAndSet(count.getAsLong()) == count.getAsLong() && last.get() > 0);
  }

  private void writeTo(RawClient client) {
    try {
      body.write(client.output());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Then receiveAll(Talk talk, CountDownLatch gate) throws IOException {
    try {
      gate.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
    body.compare(talk.body());
    talk.say("HTTP/1.1 204 No Content", "", "");
    return Then.KEEP;
  }
}
