package dev.gatehouse;

import static dev.gatehouse.Bodies.assertSameBytes;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatehouse.clients.RealClient;
import dev.gatehouse.clients.RealClient.Answer;
import dev.gatehouse.clients.RealClient.Call;
import dev.gatehouse.testing.CountingRelay;
import dev.gatehouse.testing.Feed;
import dev.gatehouse.testing.Json;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.Upstream.Then;
import dev.gatehouse.testing.UpstreamThat;
import dev.gatehouse.testing.UpstreamThat.Framing;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What every client is tried with. A subclass names the clients: in {@code clients}, {@code
 * headClients}, {@code askingClients}, {@code keepingClients} and {@code streamingClients}.
 */
@Timeout(60)
abstract class RealClients {
  private static final byte GZIP_MAGIC = 0x1f;

  private final RunningGateway gateway;
  private final Upstream products;

  RealClients(RunningGateway gateway) {
    this.gateway = gateway;
    this.products = gateway.upstream("products");
  }

  final RunningGateway gateway() {
    return gateway;
  }

  @ParameterizedTest
  @MethodSource("clients")
  void getArrives(RealClient client) throws IOException {
    Answer answer = client.send(call("GET", "/1?a=b%20c&d"));

    assertThat(answer.status()).isEqualTo(200);
    assertThat(echo(answer).path("target").asText()).isEqualTo("/1?a=b%20c&d");
    assertThat(answer.header("Via")).isEqualTo("1.1 gatehouse");
  }

  @ParameterizedTest
  @MethodSource("clients")
  void aBodyArrives(RealClient client) throws IOException {
    byte[] body = "{\"name\": \"caf\u00e9\"}".getBytes(UTF_8);

    Answer answer =
        client.send(call("POST", "/1").header("Content-Type", "application/json").body(body));

    assertThat(answer.status()).isEqualTo(200);
    assertThat(echoedBody(answer)).isEqualTo(body);
    assertThat(products.only().values("Content-Type")).containsExactly("application/json");
    assertThat(products.only().values("Content-Length")).containsExactly("" + body.length);
  }

  @ParameterizedTest
  @MethodSource("clients")
  void aBodyOfUntoldLengthArrives(RealClient client) throws IOException {
    byte[] body = random(300_000);

    Answer answer =
        client.send(
            call("POST", "/1").header("Content-Type", "application/octet-stream").chunked(body));

    assertThat(answer.status()).isEqualTo(200);
    assertSameBytes(products.only().body(), body);
    assertThat(products.only().values("Transfer-Encoding")).containsExactly("chunked");
  }

  @ParameterizedTest
  @MethodSource("clients")
  void aDownloadIsWhole(RealClient client) throws IOException {
    byte[] body = random(10 << 20);
    products.will(UpstreamThat.answers("Content-Type: application/octet-stream", body));

    Answer answer = client.send(call("GET", "/download"));

    assertThat(answer.status()).isEqualTo(200);
    assertSameBytes(answer.body(), body);
  }

  @ParameterizedTest
  @MethodSource("headClients")
  void headWithoutALengthGainsNone(RealClient client) throws IOException {
    for (String framing : List.of("", "Transfer-Encoding: chunked\r\n")) {
      products.will(UpstreamThat.answersWith("HTTP/1.1 200 OK\r\n" + framing + "ETag: a\r\n\r\n"));

      Answer answer = client.send(call("HEAD", "/1"));

      assertThat(answer.status()).isEqualTo(200);
      assertThat(answer.header("Content-Length")).isEmpty();
      assertThat(answer.header("ETag")).isEqualTo("a");
      assertThat(answer.body()).isEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource("headClients")
  void headToldOfAFailureArrives(RealClient client) throws IOException {
    products.will(UpstreamThat.resets());

    assertThat(client.send(call("HEAD", "/1")).status()).isEqualTo(502);
  }

  @ParameterizedTest
  @MethodSource("headClients")
  void headHasNoBody(RealClient client) throws IOException {
    products.will(
        UpstreamThat.answersWith(
            "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nETag: \"e\"\r\n\r\n"));

    Answer answer = client.send(call("HEAD", "/1"));

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.header("Content-Length")).isEqualTo("12345");
    assertThat(answer.body()).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("clients")
  void answersWithoutBodyEnd(RealClient client) throws IOException {
    products.will(UpstreamThat.answersWith("HTTP/1.1 204 No Content\r\nETag: \"a\"\r\n\r\n"));
    Answer noContent = client.send(call("GET", "/1"));
    products.will(UpstreamThat.answersWith("HTTP/1.1 304 Not Modified\r\nETag: \"b\"\r\n\r\n"));
    Answer notModified = client.send(call("GET", "/1").header("If-None-Match", "\"b\""));

    assertThat(noContent.status()).isEqualTo(204);
    assertThat(noContent.header("ETag")).isEqualTo("\"a\"");
    assertThat(noContent.body()).isEmpty();
    assertThat(notModified.status()).isEqualTo(304);
    assertThat(notModified.header("ETag")).isEqualTo("\"b\"");
    assertThat(notModified.body()).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("clients")
  void aRedirectToTheServicesOwnAddressIsFollowed(RealClient client) throws IOException {
    products.will(
        (request, out) -> {
          if (request.target().equals("/moved?x=1")) {
            return UpstreamThat.echoes().answer(request, out);
          }
          out.write(
              ("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: "
                      + products.url()
                      + "/moved?x=1\r\n\r\n")
                  .getBytes(US_ASCII));
          return Then.KEEP;
        });

    Answer answer = client.send(call("GET", "/old"));

    assertThat(answer.status()).isEqualTo(200);
    assertThat(echo(answer).path("target").asText()).isEqualTo("/moved?x=1");
    assertThat(products.requests()).hasSize(2);
  }

  @ParameterizedTest
  @MethodSource("clients")
  void aCompressedBodyIsRead(RealClient client) throws IOException {
    byte[] plain = "compress me ".repeat(10_000).getBytes(UTF_8);
    products.will(
        UpstreamThat.answers("Content-Type: text/plain\r\nContent-Encoding: gzip", gzip(plain)));

    Answer answer = client.send(call("GET", "/1"));

    assertThat(answer.status()).isEqualTo(200);
    // Some clients decode it, some leave that to whoever reads.
    boolean encoded = answer.body()[0] == GZIP_MAGIC;
    assertSameBytes(encoded ? gunzip(answer.body()) : answer.body(), plain);
  }

  @ParameterizedTest
  @MethodSource("askingClients")
  void aClientThatAsksFirstIsToldToGoOn(RealClient client) throws IOException {
    byte[] body = random(200_000);

    Answer answer =
        client.send(
            call("POST", "/1")
                .header("Content-Type", "application/octet-stream")
                .body(body)
                .expectingContinue());

    assertThat(answer.status()).isEqualTo(200);
    assertSameBytes(products.only().body(), body);
    assertThat(products.only().values("Expect"))
        .singleElement()
        .asString()
        .isEqualToIgnoringCase("100-continue");
  }

  @ParameterizedTest
  @MethodSource("clients")
  void aBrokenAnswerIsAnError(RealClient client) {
    for (Framing framing : Framing.values()) {
      for (Then then : new Then[] {Then.CLOSE, Then.RESET}) {
        products.will(breaksOffLate(framing, then));

        assertThatThrownBy(() -> client.send(call("GET", "/1")))
            .as("%s, %s", framing, then)
            .isInstanceOf(IOException.class);
      }
    }
    products.will(UpstreamThat.echoes());
    assertThat(get(client)).isEqualTo(200);
  }

  @ParameterizedTest
  @MethodSource("keepingClients")
  void theConnectionIsKept(RealClient client) throws IOException {
    try (CountingRelay relay = CountingRelay.to(gateway.server().port())) {
      String url = "http://127.0.0.1:" + relay.port() + gateway.context() + "/api/products/";
      String token = Tokens.good(gateway.trust());
      for (int i = 0; i < 4; i++) {
        Call call = Call.of("GET", url + i).header("Authorization", "Bearer " + token);
        assertThat(client.send(call).status()).isEqualTo(200);
      }
      // What the gateway itself says leaves the connection usable, too.
      assertThat(client.send(Call.of("GET", url + "refused")).status()).isEqualTo(401);
      assertThat(client.send(Call.of("GET", url + "open/1")).status()).isEqualTo(200);

      assertThat(relay.connections()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @MethodSource("streamingClients")
  void eventsArriveOneByOne(RealClient.Streaming client) throws Exception {
    try (Feed feed = new Feed();
        InputStream events = open(client, feed)) {
      for (int i = 0; i < 5; i++) {
        String event = "id: " + i + "\ndata: x\n\n";
        feed.send(event);
        assertThat(new String(events.readNBytes(event.length()), US_ASCII)).isEqualTo(event);
      }
      feed.end();
      assertThat(events.readAllBytes()).isEmpty();
    }
  }

  private InputStream open(RealClient.Streaming client, Feed feed) throws Exception {
    products.will(feed);
    // Some clients return with the answer's head, some before.
    Thread head = new Thread(() -> sendHead(feed), "head");
    head.start();
    InputStream events = client.open(call("GET", "/events"));
    head.join();
    return events;
  }

  private static void sendHead(Feed feed) {
    try {
      feed.sendHead("Content-Type: text/event-stream\r\nTransfer-Encoding: chunked");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A request with a good token to the service products. */
  final Call call(String method, String path) {
    String url = gateway.server().url(gateway.context()) + "/api/products" + path;
    return Call.of(method, url).header("Authorization", "Bearer " + Tokens.good(gateway.trust()));
  }

  private int get(RealClient client) {
    try {
      return client.send(call("GET", "/1")).status();
    } catch (IOException e) {
      throw new AssertionError("broken for good", e);
    }
  }

  /** Sends so much of an answer that the client has seen its head for long. */
  private static Upstream.Behaviour breaksOffLate(Framing framing, Then then) {
    return (request, out) -> {
      out.write("HTTP/1.1 200 OK\r\n".getBytes(US_ASCII));
      if (framing == Framing.LENGTH) {
        out.write("Content-Length: 1000000\r\n\r\n".getBytes(US_ASCII));
        out.write(new byte[300_000]);
      } else {
        out.write("Transfer-Encoding: chunked\r\n\r\n493e0\r\n".getBytes(US_ASCII));
        out.write(new byte[300_000]);
        out.write("\r\n".getBytes(US_ASCII));
      }
      out.flush();
      return then;
    };
  }

  private static JsonNode echo(Answer answer) {
    return Json.read(new String(answer.body(), UTF_8));
  }

  private static byte[] echoedBody(Answer answer) {
    return Base64.getDecoder().decode(echo(answer).path("body").asText());
  }

  private static byte[] gzip(byte[] plain) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
      gzip.write(plain);
    }
    return bytes.toByteArray();
  }

  private static byte[] gunzip(byte[] compressed) throws IOException {
    return new GZIPInputStream(new ByteArrayInputStream(compressed)).readAllBytes();
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }
}
