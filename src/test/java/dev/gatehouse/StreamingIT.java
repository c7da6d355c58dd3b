package dev.gatehouse;

import static dev.gatehouse.testing.RunningGateways.EXTENDED;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.BodyStream;
import dev.gatehouse.testing.Feed;
import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawHttp2Client;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RecordedRequest;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Upstream.Then;
import dev.gatehouse.testing.UpstreamThat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Streams whose every event counts at once. The service {@code hasty} has a {@code timeout.idle} of
 * 300 ms.
 */
@OnEveryGateway(contexts = EXTENDED)
class StreamingIT {
  private static final String EVENTS = "Content-Type: text/event-stream";
  private static final String CHUNKED = "\r\nTransfer-Encoding: chunked";
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final Duration BEYOND_IDLE = Duration.ofMillis(700);

  private final RunningGateway gateway;
  private final Feed feed = new Feed();
  private RawClient client;

  StreamingIT(RunningGateway gateway) {
    this.gateway = gateway;
    this.client = gateway.connect();
  }

  @BeforeEach
  void waitNoMinute() throws IOException {
    client.patience(PATIENCE);
  }

  @AfterEach
  void close() throws IOException {
    client.close();
    feed.close();
  }

  @ParameterizedTest
  @CsvSource({
    "text/event-stream, true",
    "text/event-stream, false",
    "text/event-stream;charset=UTF-8, true",
    "Text/Event-Stream; charset=utf-8, true",
    "application/x-ndjson, true",
    "application/x-ndjson, false",
    "application/ndjson; charset=utf-8, true",
  })
  void anEventArrivesAtOnce(String type, boolean chunked) throws IOException {
    BodyStream body = open("users", "Content-Type: " + type + (chunked ? CHUNKED : ""));
    List<Long> micros = new ArrayList<>();

    for (int i = 0; i < 50; i++) {
      byte[] event = "data: event %6d\n\n".formatted(i).getBytes(US_ASCII);
      long begin = System.nanoTime();
      feed.send(event);
      assertThat(body.readNBytes(event.length)).isEqualTo(event);
      micros.add((System.nanoTime() - begin) / 1_000);
    }

    Collections.sort(micros);
    assertThat(micros.get(micros.size() / 2)).as("median of %s", micros).isLessThan(100_000);
    assertThat(micros.get(micros.size() - 1)).as("longest of %s", micros).isLessThan(1_000_000);
  }

  @Test
  void anEventLargerThanEveryBufferArrivesAtOnce() throws IOException {
    BodyStream body = open("users", EVENTS + CHUNKED);

    for (int size : new int[] {1_000_000, 20, 70_001, 32_768, 1}) {
      byte[] event = ("data: " + "x".repeat(size) + "\n\n").getBytes(US_ASCII);
      feed.send(event);
      Bodies.assertSameBytes(body.readNBytes(event.length), event);
    }
  }

  @Test
  void eventsThatComeTogetherArriveToTheLast() throws IOException {
    BodyStream body = open("users", EVENTS + CHUNKED);
    ByteArrayOutputStream all = new ByteArrayOutputStream();

    for (int i = 0; i < 1_000; i++) {
      byte[] event = ("id: " + i + "\ndata: " + "y".repeat(i) + "\n\n").getBytes(US_ASCII);
      all.writeBytes(event);
      feed.send(event);
    }

    Bodies.assertSameBytes(body.readNBytes(all.size()), all.toByteArray());
  }

  @Test
  void theHeadArrivesBeforeTheFirstEvent() throws IOException {
    for (String type : List.of("text/event-stream", "application/x-ndjson")) {
      try (Feed next = new Feed();
          RawClient another = gateway.connect().patience(PATIENCE)) {
        gateway.upstream("users").will(next);
        another.send(gateway.request("GET", "/api/users/stream"));
        next.sendHead("Content-Type: " + type + CHUNKED);

        assertThat(another.receiveHead().get(0)).as(type).startsWith("HTTP/1.1 200");
      }
    }
  }

  @Test
  void aStreamThatEndsIsWhole() throws IOException {
    BodyStream body = open("users", EVENTS + CHUNKED);

    feed.send("data: last\n\n");
    feed.end();

    assertThat(new String(body.readAllBytes(), US_ASCII)).isEqualTo("data: last\n\n");
  }

  @Test
  void aStreamOfEventsMayBeQuietForLongerThanItsIdleTimeout() throws IOException {
    BodyStream body = open("hasty", EVENTS + ";charset=utf-8" + CHUNKED);

    assertQuiet(body);

    feed.send("data: 1\n\n");
    assertThat(body.readNBytes(9)).asString(US_ASCII).isEqualTo("data: 1\n\n");
  }

  /** Over HTTP/2, because there Tomcat has no time-out of its own for that. */
  @Test
  void aQuietStreamWhoseClientTakesNothingIsEnded() throws IOException {
    gateway.upstream("hasty").will(feed);
    try (RawHttp2Client taker = RawHttp2Client.taking(5, gateway.connect())) {
      taker.get(gateway.context() + "/api/hasty/stream", Tokens.good(gateway.trust()));
      feed.sendHead(EVENTS + CHUNKED);
      feed.send("data: 1\n\n");
      taker.receiveBody(1);

      awaitFreed("hasty");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"application/x-ndjson", "application/octet-stream", "text/event-streams"})
  void anyOtherAnswerMustNotBeQuietForLonger(String type) {
    gateway
        .upstream("hasty")
        .will(
            (request, out) -> {
              String head = "HTTP/1.1 200 OK\r\nContent-Type: " + type + CHUNKED;
              out.write((head + "\r\n\r\n3\r\n{}\n\r\n").getBytes(US_ASCII));
              return Then.SILENCE;
            });

    client.send(gateway.request("GET", "/api/hasty/stream"));
    RawResponse answer = client.receive();

    assertThat(answer.complete() && answer.status() == 200).as("%s looks whole", answer).isFalse();
    awaitFreed("hasty");
  }

  @Test
  void aCompressedStreamPassesBitForBit() throws IOException {
    BodyStream body = open("users", EVENTS + "\r\nContent-Encoding: gzip" + CHUNKED);
    ByteArrayOutputStream compressed = new ByteArrayOutputStream();

    try (GZIPOutputStream gzip = new GZIPOutputStream(compressed, true)) {
      for (int i = 0; i < 10; i++) {
        gzip.write(("data: " + i + "\n\n").getBytes(UTF_8));
        gzip.flush();
        byte[] part = compressed.toByteArray();
        compressed.reset();

        feed.send(part);

        assertThat(body.readNBytes(part.length)).isEqualTo(part);
      }
    }
    feed.send(compressed.toByteArray());
    feed.end();
    assertThat(body.readAllBytes()).isEqualTo(compressed.toByteArray());
  }

  @Test
  void aClientThatHasLeftIsFoundAtTheNextEvent() throws IOException {
    BodyStream body = open("users", EVENTS + CHUNKED);
    feed.send("data: 1\n\n");
    body.readNBytes(9);

    client.abort();
    feed.send("data: 2\n\n");

    awaitFreed("users");
  }

  @Test
  void aDownloadIsNotFlushedChunkByChunk() throws IOException {
    byte[] content = new byte[200_000];
    new Random(1).nextBytes(content);
    gateway
        .upstream("users")
        .will(
            (request, out) -> {
              out.write(
                  ("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream" + CHUNKED)
                      .getBytes(US_ASCII));
              out.write("\r\n\r\n".getBytes(US_ASCII));
              for (int at = 0; at < content.length; at += 100) {
                out.write("64\r\n".getBytes(US_ASCII));
                out.write(content, at, 100);
                out.write("\r\n".getBytes(US_ASCII));
              }
              out.write("0\r\n\r\n".getBytes(US_ASCII));
              return Then.KEEP;
            });

    client.send(gateway.request("GET", "/api/users/download"));
    BodyStream body = client.body(client.receiveHead());

    Bodies.assertSameBytes(body.readAllBytes(), content);
    assertThat(body.chunks()).as("chunks that the client saw").isLessThan(200);
  }

  @ParameterizedTest
  @CsvSource({
    "9000, 5000",
    "40000, 5000",
    "40000, 8192",
    "70000, 8193",
    "70001, 32768",
    "200000, 33000",
    "200000, 199999"
  })
  void anAnswerIsWholeInWhateverPartsItComes(int length, int part) throws IOException {
    byte[] content = new byte[length];
    new Random(2).nextBytes(content);
    for (String framing : List.of("\r\nContent-Length: " + length, CHUNKED)) {
      String head = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream" + framing;
      boolean chunked = framing.equals(CHUNKED);
      gateway
          .upstream("users")
          .will(
              (request, out) -> {
                out.write((head + "\r\n\r\n").getBytes(US_ASCII));
                for (int at = 0; at < length; at += part) {
                  int bytes = Math.min(part, length - at);
                  out.write(
                      (chunked ? Integer.toHexString(bytes) + "\r\n" : "").getBytes(US_ASCII));
                  out.write(content, at, bytes);
                  out.write((chunked ? "\r\n" : "").getBytes(US_ASCII));
                  out.flush();
                }
                out.write((chunked ? "0\r\n\r\n" : "").getBytes(US_ASCII));
                return Then.KEEP;
              });

      client.send(gateway.request("GET", "/api/users/download"));
      BodyStream body = client.body(client.receiveHead());

      Bodies.assertSameBytes(body.readAllBytes(), content);
    }
  }

  /** Tomcat keeps the larger buffer that a long answer was given. */
  @Test
  void whatServersGatherIsSentThoughTheLastAnswerWasLong() throws IOException {
    byte[] gathered = new byte[gateway.inJetty() ? 32 * 1024 : 8 * 1024];
    gateway.upstream("users").will(UpstreamThat.answers("", new byte[100_000]));
    client.send(gateway.request("GET", "/api/users/download"));
    assertThat(client.receive().body()).hasSize(100_000);
    gateway.upstream("users").will(feed);

    client.send(gateway.request("GET", "/api/users/slow"));
    feed.sendHead("Content-Type: application/octet-stream" + CHUNKED);
    feed.send(gathered);
    feed.send(gathered);

    BodyStream body = client.body(client.receiveHead());
    assertThat(body.readNBytes(gathered.length)).isEqualTo(gathered);
  }

  /** Asks a service for a stream, and reads the head of its answer. */
  private BodyStream open(String service, String headerLines) throws IOException {
    gateway.upstream(service).will(feed);
    client.send(gateway.request("GET", "/api/" + service + "/stream"));
    feed.sendHead(headerLines);
    return client.body(client.receiveHead());
  }

  private void assertQuiet(BodyStream body) throws IOException {
    client.patience(BEYOND_IDLE);
    assertThatThrownBy(body::read).isInstanceOf(SocketTimeoutException.class);
    client.patience(PATIENCE);
  }

  private void awaitFreed(String service) {
    RecordedRequest request = gateway.upstream(service).only();
    await()
        .atMost(Duration.ofSeconds(2))
        .pollInterval(Duration.ofMillis(20))
        .until(() -> !gateway.upstream(service).holds(request));
  }
}
