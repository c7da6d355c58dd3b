package dev.gatehouse;

import static dev.gatehouse.testing.RunningGateways.EXTENDED;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.BodyStream;
import dev.gatehouse.testing.Feed;
import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RecordedRequest;
import dev.gatehouse.testing.RunningGateway;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The service {@code beats} has a {@code sse.heartbeat} of 100 ms. */
@OnEveryGateway(contexts = EXTENDED)
class HeartbeatIT {
  private static final String EVENTS =
      "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked";
  private static final String BEAT = ":\n\n";
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final Duration SOME_BEATS = Duration.ofMillis(500);

  private final RunningGateway gateway;
  private final List<Subscriber> subscribers = new ArrayList<>();

  HeartbeatIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  @AfterEach
  void close() throws IOException {
    for (Subscriber subscriber : subscribers) {
      subscriber.client.close();
      subscriber.feed.close();
    }
  }

  @Test
  void aQuietStreamBeatsBetweenItsEvents() throws IOException {
    for (String event :
        List.of("data: 1\n\n", "data: 1\r\n\r\n", "data: 1\r\r", "id: 1\ndata\n\n")) {
      Subscriber subscriber = subscribe(EVENTS);
      for (int i = 0; i < 2; i++) {
        subscriber.feed.send(event);
        subscriber.receiveFirst(event);
        subscriber.receive(BEAT + BEAT);
      }
    }
  }

  @Test
  void noBeatIsWrittenWithinAnEvent() throws IOException {
    for (String half :
        List.of("data: 1", "data: 1\n", "data: 1\r\n", "data: 1\r", ": beat\n", "data: a\n\nda")) {
      Subscriber subscriber = subscribe(EVENTS);
      subscriber.feed.send(half);
      subscriber.receiveFirst(half);
    }

    assertAllQuiet();

    for (Subscriber subscriber : subscribers) {
      subscriber.feed.send("\n\n");
      subscriber.receive("\n\n" + BEAT);
    }
  }

  @Test
  void anEventInPiecesEndsWithItsLast() throws IOException {
    Subscriber subscriber = subscribe(EVENTS);
    subscriber.feed.send("data: 1\r");
    subscriber.receiveFirst("data: 1\r");
    for (String piece : List.of("\n", "data: 2\n", "\n")) {
      subscriber.feed.send(piece);
      subscriber.receive(piece);
    }

    subscriber.receive(BEAT);
  }

  @Test
  void nothingButAPlainStreamOfEventsBeats() throws IOException {
    for (String headerLines :
        List.of(
            EVENTS + "\r\nContent-Encoding: gzip",
            "Content-Type: text/event-stream\r\nContent-Length: 900",
            "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked")) {
      Subscriber subscriber = subscribe(headerLines);
      subscriber.feed.send("data: 1\n\n");
      subscriber.receive("data: 1\n\n");
    }

    assertAllQuiet();
  }

  @Test
  void theServiceEndsABeatingStream() throws IOException {
    Subscriber subscriber = subscribe(EVENTS);
    subscriber.feed.send("data: 1\n\n");
    subscriber.receiveFirst("data: 1\n\n");
    subscriber.receive(BEAT);

    subscriber.feed.send("data: 2\n\n");
    subscriber.feed.end();

    assertThat(new String(subscriber.body.readAllBytes(), US_ASCII).replace(BEAT, ""))
        .isEqualTo("data: 2\n\n");
  }

  @Test
  void aClientThatHasLeftIsFoundThoughTheServiceIsQuiet() throws IOException {
    String path = "/api/beats/left-" + UUID.randomUUID();
    Subscriber subscriber = subscribe(path, EVENTS);
    subscriber.feed.send("data: 1\n\n");
    subscriber.receiveFirst("data: 1\n\n");
    subscriber.receive(BEAT);
    RecordedRequest request = gateway.upstream("beats").only();

    subscriber.client.abort();

    await()
        .atMost(Duration.ofSeconds(2))
        .pollInterval(Duration.ofMillis(20))
        .until(() -> !gateway.upstream("beats").holds(request));
    await().until(() -> !gateway.accessLog(path).isEmpty());
    assertThat(gateway.accessLog(path)).singleElement().asString().contains("\" 499 ");
  }

  private Subscriber subscribe(String headerLines) throws IOException {
    return subscribe("/api/beats/stream", headerLines);
  }

  private Subscriber subscribe(String path, String headerLines) throws IOException {
    RawClient client = gateway.connect().patience(PATIENCE);
    Feed feed = new Feed();
    gateway.upstream("beats").will(feed);
    client.send(gateway.request("GET", path));
    feed.sendHead(headerLines);
    Subscriber subscriber = new Subscriber(client, feed, client.body(client.receiveHead()));
    subscribers.add(subscriber);
    return subscriber;
  }

  /** Waits for a few beats' time at the first, in which they would come at all. */
  private void assertAllQuiet() throws IOException {
    Duration wait = SOME_BEATS;
    for (Subscriber subscriber : subscribers) {
      subscriber.client.patience(wait);
      assertThatThrownBy(subscriber.body::read).isInstanceOf(SocketTimeoutException.class);
      subscriber.client.patience(PATIENCE);
      wait = Duration.ofMillis(1);
    }
  }

  private record Subscriber(RawClient client, Feed feed, BodyStream body) {

    void receive(String expected) throws IOException {
      assertThat(new String(body.readNBytes(expected.length()), US_ASCII)).isEqualTo(expected);
    }

    /** As the machine may be slow, there may be beats before the first piece of an event. */
    void receiveFirst(String expected) throws IOException {
      StringBuilder seen = new StringBuilder();
      while (seen.length() < expected.length()) {
        seen.append(new String(body.readNBytes(1), US_ASCII));
        if (seen.toString().equals(BEAT)) {
          seen.setLength(0);
        }
      }
      assertThat(seen).hasToString(expected);
    }
  }
}
