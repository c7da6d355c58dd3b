package dev.gatehouse;

import static dev.gatehouse.Bodies.assertSameBytes;
import static dev.gatehouse.testing.RunningGateways.STOCK;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RecordedRequest;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Upstream.Then;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Good and bad requests on many connections for a while: every good one gets its own answer, byte
 * for byte, whatever happens next to it; and nothing is left behind.
 */
@OnEveryGateway(contexts = STOCK)
class SoakFull {
  private static final Duration TIME =
      Duration.ofSeconds(Long.getLong("gatehouse.test.soakSeconds", 40));
  private static final int CLIENTS = 24;
  private static final int LARGEST = 150_000;
  private static final long SLACK_BYTES = 16L << 20;

  private enum Kind {
    DOWNLOAD,
    UPLOAD,
    BREAKS_OFF,
    LEAVES_IN_DOWNLOAD,
    LEAVES_IN_UPLOAD
  }

  private final RunningGateway gateway;
  private final AtomicLong ids = new AtomicLong();
  private final AtomicLong good = new AtomicLong();
  private final Set<String> cutUploads = ConcurrentHashMap.newKeySet();
  private final Set<String> wholeThoughCut = ConcurrentHashMap.newKeySet();

  SoakFull(RunningGateway gateway) {
    this.gateway = gateway;
  }

  @Test
  void everyGoodRequestGetsItsOwnAnswerAndNothingIsLeftBehind() throws Exception {
    gateway.upstream("users").will(this::answer);
    run(Duration.ofSeconds(10));
    settle();
    long bytesBefore = gateway.server().liveBytes();

    run(TIME);

    settle();
    assertThat(wholeThoughCut).as("uploads that were cut, and looked whole").isEmpty();
    assertThat(good).as("good requests").hasValueGreaterThan(TIME.toSeconds() * 20);
    assertThat(gateway.server().liveBytes()).isLessThan(bytesBefore + SLACK_BYTES);
  }

  private void run(Duration time) throws Exception {
    long end = System.nanoTime() + time.toNanos();
    ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
    try {
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        long seed = i;
        running.add(clients.submit(() -> client(new Random(seed), end)));
      }
      for (Future<?> client : running) {
        client.get(time.toSeconds() + 60, TimeUnit.SECONDS);
      }
    } finally {
      clients.shutdownNow();
    }
  }

  private void settle() {
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> gateway.metric("gatehouse_exchanges_open"), open -> open == 0);
    await().atMost(Duration.ofSeconds(60)).until(() -> gateway.upstream("users").busy() == 0);
    gateway.upstream("users").forget();
  }

  private @Nullable Void client(Random random, long end) throws IOException {
    RawClient connection = gateway.connect();
    try {
      while (System.nanoTime() - end < 0) {
        Kind kind = kind(random.nextInt(100));
        if (!goesWell(connection, kind, random)) {
          connection.close();
          connection = gateway.connect();
        }
      }
    } finally {
      connection.close();
    }
    return null;
  }

  private static Kind kind(int percent) {
    if (percent < 75) {
      return Kind.DOWNLOAD;
    } else if (percent < 90) {
      return Kind.UPLOAD;
    } else if (percent < 94) {
      return Kind.BREAKS_OFF;
    }
    return percent < 97 ? Kind.LEAVES_IN_DOWNLOAD : Kind.LEAVES_IN_UPLOAD;
  }

  /** Makes one request; returns whether the connection can be used again. */
  private boolean goesWell(RawClient connection, Kind kind, Random random) throws IOException {
    long id = ids.incrementAndGet();
    int size = 1 + random.nextInt(LARGEST);
    String path = "/api/users/%s-%d-%d".formatted(kind, id, size);
    switch (kind) {
      case DOWNLOAD -> {
        connection.send(gateway.request("GET", path));
        return isGood(connection.receive(), bytes(id, size));
      }
      case UPLOAD -> {
        var request = gateway.request("POST", path);
        connection.send(
            random.nextBoolean()
                ? request.body(bytes(id, size))
                : request.chunked(bytes(id, size)));
        return isGood(connection.receive(), reversed(bytes(id, size)));
      }
      case BREAKS_OFF -> {
        connection.send(gateway.request("GET", path));
        RawResponse answer = connection.receive();
        assertThat(answer.status() == 502 || !answer.complete()).as("%s", answer.status()).isTrue();
        return false;
      }
      case LEAVES_IN_DOWNLOAD -> {
        connection.send(gateway.request("GET", path));
        connection.receiveHead();
        connection.abort();
        return false;
      }
      default -> {
        cutUploads.add(path);
        connection.send(gateway.request("POST", path).line("Content-Length: " + (size + 1)));
        connection.send(bytes(id, size));
        connection.abort();
        return false;
      }
    }
  }

  private boolean isGood(RawResponse answer, byte[] expected) {
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.complete()).isTrue();
    assertSameBytes(answer.body(), expected);
    good.incrementAndGet();
    return true;
  }

  /** The service: what it does stands in the path. */
  private Then answer(RecordedRequest request, OutputStream out) throws IOException {
    String[] asked = request.target().substring(1).split("-", -1);
    Kind kind = Kind.valueOf(asked[0]);
    long id = Long.parseLong(asked[1]);
    byte[] body = bytes(id, Integer.parseInt(asked[2]));
    if (cutUploads.contains("/api/users" + request.target())) {
      wholeThoughCut.add(request.target());
    }
    if (kind == Kind.UPLOAD) {
      body = reversed(request.body());
    }
    boolean chunked = id % 2 == 0;
    out.write(
        ("HTTP/1.1 200 OK\r\n"
                + (chunked ? "Transfer-Encoding: chunked" : "Content-Length: " + body.length)
                + "\r\n\r\n")
            .getBytes(US_ASCII));
    boolean breaksOff = kind == Kind.BREAKS_OFF;
    int length = breaksOff ? body.length / 2 : body.length;
    if (chunked && length > 0) {
      out.write((Integer.toHexString(body.length) + "\r\n").getBytes(US_ASCII));
    }
    out.write(body, 0, length);
    if (breaksOff) {
      out.flush();
      return id % 3 == 0 ? Then.RESET : Then.CLOSE;
    }
    if (chunked) {
      out.write(((length > 0 ? "\r\n" : "") + "0\r\n\r\n").getBytes(ISO_8859_1));
    }
    if (id % 1_000 == 0) {
      gateway.upstream("users").forget();
    }
    return Then.KEEP;
  }

  private static byte[] bytes(long id, int size) {
    byte[] bytes = new byte[size];
    new Random(id).nextBytes(bytes);
    return bytes;
  }

  private static byte[] reversed(byte[] bytes) {
    byte[] reversed = new byte[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      reversed[i] = bytes[bytes.length - 1 - i];
    }
    return reversed;
  }
}
