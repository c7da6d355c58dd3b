package dev.gatehouse;

import static dev.gatehouse.Bodies.assertSameBytes;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawHttp2Client;
import dev.gatehouse.testing.RecordedRequest;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.Upstream.Behaviour;
import dev.gatehouse.testing.Upstream.Then;
import dev.gatehouse.testing.UpstreamThat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hc.client5.http.async.methods.SimpleHttpRequest;
import org.apache.hc.client5.http.async.methods.SimpleHttpResponse;
import org.apache.hc.client5.http.async.methods.SimpleResponseConsumer;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpVersion;
import org.apache.hc.core5.http.message.BasicHttpRequest;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.http.nio.entity.BasicAsyncEntityProducer;
import org.apache.hc.core5.http.nio.support.BasicRequestProducer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@OnEveryGateway
class Http2IT {
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final byte[] BODY = "{\"name\": \"x\"}".repeat(5_000).getBytes(UTF_8);

  private final RunningGateway gateway;

  Http2IT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  /** Tomcat tells of the end of a body in the same words as of a stream that was taken back. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 10_000})
  void anUploadThatIsTakenBackNeverLooksWhole(int sent) {
    AtomicInteger whole = new AtomicInteger();
    gateway
        .upstream("users")
        .will(
            (request, out) -> {
              whole.incrementAndGet();
              return Then.CLOSE;
            });
    byte[] begin = new byte[sent];

    for (int i = 0; i < 100; i++) {
      try (RawHttp2Client client = new RawHttp2Client(gateway.connect())) {
        client.begin("POST", gateway.context() + "/api/users/1", Tokens.good(gateway.trust()));
        if (sent > 0) {
          client.send(begin);
        }
        client.cancel();
      }
    }

    await().until(() -> gateway.metric("gatehouse_exchanges_open"), open -> open == 0);
    await().until(() -> gateway.upstream("users").busy() == 0);
    assertThat(whole).hasValue(0);
  }

  /** The window is used up within the answer, at its end, or by its very last byte. */
  @ParameterizedTest
  @CsvSource({
    "0, 1",
    "0, 150",
    "149, 150",
    "150, 150",
    "10000, 20000",
    "65535, 65535",
    "65535, 65536",
    "65535, 66000",
    "65535, 70000",
    "65535, 73727",
    "65535, 73728",
    "65535, 200000"
  })
  void anAnswerLargerThanTheClientsWindowArrivesWhole(int window, int length) throws IOException {
    byte[] content = new byte[length];
    new Random(length).nextBytes(content);
    for (boolean chunked : new boolean[] {false, true}) {
      gateway.upstream("users").will(sends(content, chunked));
      String path = "/api/users/" + UUID.randomUUID();
      ByteArrayOutputStream body = new ByteArrayOutputStream();
      try (RawClient connection = gateway.connect().patience(PATIENCE);
          RawHttp2Client client = RawHttp2Client.taking(window, connection)) {
        client.get(gateway.context() + path, Tokens.good(gateway.trust()));
        if (window > 0) {
          body.writeBytes(client.receiveBody(Math.min(window, length)));
        } else {
          client.awaitHead();
        }

        client.take(1_000_000);

        body.writeBytes(client.receiveBody(Integer.MAX_VALUE));
        assertThat(client.ended()).isTrue();
        await().until(() -> gateway.accessLog(path).size() == 1);
      }
      assertSameBytes(body.toByteArray(), content);
      assertThat(gateway.accessLog(path).get(0)).contains("\" 200 " + length + " ");
    }
  }

  @Test
  void aClientThatTakesNothingHoldsNoThreadOfTheServices() throws IOException {
    gateway.upstream("users").will(UpstreamThat.closesBeforeAnswer());
    gateway.upstream("orders").will(sends(new byte[100_000], false));
    for (String path : List.of("/api/users/1", "/api/orders/1")) {
      for (int window : new int[] {0, 10, 65_535}) {
        try (RawHttp2Client client = RawHttp2Client.taking(window, gateway.connect())) {
          client.get(gateway.context() + path, Tokens.good(gateway.trust()));
          client.awaitHead();

          await().until(() -> gateway.server().threads().stream().noneMatch(Http2IT::isHeld));
          client.take(1_000_000);
          client.receiveBody(Integer.MAX_VALUE);
          assertThat(client.ended()).isTrue();
        }
      }
    }
  }

  private static boolean isHeld(String stack) {
    return stack.startsWith("\"gatehouse-client-") && stack.contains("at dev.gatehouse.");
  }

  private static Behaviour sends(byte[] content, boolean chunked) {
    return (request, out) -> {
      String framing =
          chunked
              ? "Transfer-Encoding: chunked\r\n\r\n" + Integer.toHexString(content.length)
              : "Content-Length: " + content.length + "\r\n";
      out.write(("HTTP/1.1 200 OK\r\n" + framing + "\r\n").getBytes(UTF_8));
      out.write(content);
      if (chunked) {
        out.write("\r\n0\r\n\r\n".getBytes(UTF_8));
      }
      return Then.KEEP;
    };
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "HEAD"})
  void anAnswerKeepsItsLength(String method) throws Exception {
    gateway
        .upstream("users")
        .will(
            UpstreamThat.answersWith(
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
                    + (method.equals("GET") ? "hello" : "")));

    SimpleHttpResponse answer = send(request(method, "/api/users/1"), null);

    assertThat(answer.getFirstHeader("Content-Length").getValue()).isEqualTo("5");
  }

  /** The end of an answer is written in a dispatch, which must find the servlet again. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "/",
        "/a%3Fb",
        "/a%23b?c=%25d",
        "/a;v=1/b;w=%2e",
        "/%E2%82%AC%20%7B%7D",
        "/a+b/c&d=e,f:g@h!$'()*",
        "/%61/~/_"
      })
  void anAnswerArrivesFromAnyPath(String path) throws Exception {
    for (String method : List.of("GET", "HEAD")) {
      SimpleHttpResponse answer = send(request(method, "/api/users" + path), null);

      assertThat(answer.getCode()).isEqualTo(200);
    }
    assertThat(gateway.upstream("users").requests()).hasSize(2);
    assertThat(gateway.upstream("users").requests())
        .allSatisfy(seen -> assertThat(seen.target()).isEqualTo(path));
  }

  /** Jetty sends a dispatch through the filters again. */
  @ParameterizedTest
  @ValueSource(strings = {"GET", "HEAD", "POST"})
  void anExchangeIsLoggedAndCountedOnce(String method) throws Exception {
    String path = "/api/users/" + UUID.randomUUID();
    await().until(() -> gateway.metric("gatehouse_exchanges_open") == 0);
    double before = gateway.metric("gatehouse_requests_total", "service=\"users\"");

    send(request(method, path), null);

    await().until(() -> gateway.metric("gatehouse_exchanges_open") == 0);
    assertThat(gateway.metric("gatehouse_requests_total", "service=\"users\"") - before).isOne();
    await()
        .during(Duration.ofMillis(200))
        .until(() -> gateway.accessLog(path), lines -> lines.size() == 1);
  }

  @ParameterizedTest
  @CsvSource({
    "'HTTP/1.1 200 OK\r\n\r\n', 200, ",
    "'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 200, ",
    "'HTTP/1.1 304 Not Modified\r\n\r\n', 304, ",
    "'HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n', 200, 5000000000",
    "'HTTP/1.1 200 OK\r\nX-Half: of', 502, some"
  })
  void anAnswerToHeadGainsNoLength(String head, int status, @Nullable String length)
      throws Exception {
    gateway
        .upstream("users")
        .will(
            (request, out) -> {
              out.write(head.translateEscapes().getBytes(UTF_8));
              return Then.CLOSE;
            });

    SimpleHttpResponse answer = send(request("HEAD", "/api/users/1"), null);

    assertThat(answer.getCode()).isEqualTo(status);
    String told = answer.containsHeader("Content-Length") ? "some" : null;
    assertThat("some".equals(length) ? told : value(answer, "Content-Length")).isEqualTo(length);
  }

  private static @Nullable String value(SimpleHttpResponse answer, String name) {
    return answer.containsHeader(name) ? answer.getFirstHeader(name).getValue() : null;
  }

  /** Tomcat does not tell of such an end. */
  @ParameterizedTest
  @ValueSource(strings = {"hello", ""})
  void aBodyThatEndsWithTrailersArrives(String body) throws IOException {
    Upstream users = gateway.upstream("users");
    try (RawClient connection = gateway.connect().patience(PATIENCE);
        RawHttp2Client client = new RawHttp2Client(connection)) {
      client.begin("POST", gateway.context() + "/api/users/1", Tokens.good(gateway.trust()));
      if (!body.isEmpty()) {
        client.send(body.getBytes(UTF_8));
        await().until(() -> users.requests().size() == 1);
      }
      await().until(() -> gateway.metric("gatehouse_exchanges_open") == 1);

      client.sendTrailers();

      assertThat(client.receiveStatus()).isEqualTo(200);
    }
    assertThat(users.only().body()).asString(UTF_8).isEqualTo(body);
    assertThat(users.only().complete()).isTrue();
    if (!body.isEmpty()) {
      // Tomcat as it comes keeps them to itself.
      List<String> trailers = gateway.inJetty() ? List.of("x-behind: it") : List.of();
      assertThat(users.only().trailers()).isEqualTo(trailers);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"Content-Length: 20\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n9\r\n"})
  void aServiceThatBreaksOffBeforeTheHeadIsSentIsToldOf(String framing) throws Exception {
    gateway
        .upstream("users")
        .will(
            (request, out) -> {
              out.write(("HTTP/1.1 200 OK\r\n" + framing + "half of i").getBytes(UTF_8));
              out.flush();
              return Then.RESET;
            });

    for (int i = 0; i < 20; i++) {
      SimpleHttpResponse answer = send(request("GET", "/api/users/" + i), null);

      assertThat(answer.getCode()).isEqualTo(502);
      assertThat(answer.getBodyText()).contains("\"code\":\"upstream_reset\"");
    }
    await().until(() -> gateway.metric("gatehouse_exchanges_open") == 0);
  }

  @Test
  void aGetWaitsForNothing() throws IOException {
    List<Long> millis = new ArrayList<>();
    for (int i = 0; i < 11; i++) {
      try (RawHttp2Client client = new RawHttp2Client(gateway.connect())) {
        long begin = System.nanoTime();
        client.get(gateway.context() + "/api/users/1", Tokens.good(gateway.trust()));
        client.awaitHead();
        millis.add((System.nanoTime() - begin) / 1_000_000);
      }
    }

    Collections.sort(millis);
    // Where it may be doubted that a body is at its end, that takes 100 ms.
    assertThat(millis.get(5)).as("median of %s", millis).isLessThan(100);
  }

  @Test
  void aBodyOfUnknownLengthArrives() throws Exception {
    RecordedRequest seen = forwarded("POST", producer(ContentType.APPLICATION_JSON));

    assertThat(seen.method()).isEqualTo("POST");
    assertSameBytes(seen.body(), BODY);
    assertThat(seen.values("Content-Type")).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "POST", "PUT", "PATCH", "DELETE"})
  void aBodyOfUnknownLengthAndTypeArrives(String method) throws Exception {
    RecordedRequest seen = forwarded(method, producer(null));

    assertSameBytes(seen.body(), BODY);
    assertThat(seen.values("Content-Type")).isEmpty();
  }

  @Test
  void aBodyOfKnownLengthKeepsIt() throws Exception {
    RecordedRequest seen =
        forwarded(
            "PUT", producer(ContentType.APPLICATION_JSON), "Content-Length", "" + BODY.length);

    assertSameBytes(seen.body(), BODY);
    assertThat(seen.values("Content-Length")).containsExactly(String.valueOf(BODY.length));
    assertThat(seen.values("Transfer-Encoding")).isEmpty();
  }

  @Test
  void getStaysWithoutBody() throws Exception {
    RecordedRequest seen = forwarded("GET", null);

    assertThat(seen.body()).isEmpty();
    assertThat(seen.values("Content-Length")).isEmpty();
    assertThat(seen.values("Transfer-Encoding")).isEmpty();
    assertThat(seen.values("Host"))
        .containsExactly(gateway.upstream("users").url().substring("http://".length()));
  }

  @Test
  void postWithoutBodyStaysWithoutOne() throws Exception {
    RecordedRequest seen = forwarded("POST", null);

    assertThat(seen.body()).isEmpty();
    assertThat(seen.values("Content-Type")).isEmpty();
  }

  @Test
  void aClientThatLeavesEndsTheExchangeThoughTheServiceIsSilent() throws Exception {
    String path = "/api/users/left-" + UUID.randomUUID();
    gateway
        .upstream("users")
        .will(
            (request, out) -> {
              out.write("HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n".getBytes(UTF_8));
              out.write(new byte[60_000]);
              return Then.SILENCE;
            });

    try (RawHttp2Client client = new RawHttp2Client(gateway.connect())) {
      client.get(gateway.context() + path, Tokens.good(gateway.trust()));
      client.receiveBody(1);
      // Jetty loses a reset that comes while it still works at the answer: let it rest first.
      assertThat(gateway.get("/api/orders/1").status()).isEqualTo(200);
      client.abort();
    }

    await().until(() -> !gateway.accessLog(path).isEmpty());
    assertThat(gateway.accessLog(path)).singleElement().asString().contains("\" 499 ");
    await().until(() -> gateway.metric("gatehouse_exchanges_open") == 0);
  }

  private RecordedRequest forwarded(
      String method, @Nullable AsyncEntityProducer body, String... header) throws Exception {
    HttpRequest request = request(method, "/api/users/1?a=b");
    if (header.length > 0) {
      request.setHeader(header[0], header[1]);
    }

    SimpleHttpResponse answer = send(request, body);

    assertThat(answer.getCode()).as("%s", answer.getBodyText()).isEqualTo(200);
    assertThat(answer.getVersion()).isEqualTo(HttpVersion.HTTP_2);
    RecordedRequest seen = gateway.upstream("users").only();
    assertThat(seen.target()).isEqualTo("/1?a=b");
    return seen;
  }

  private HttpRequest request(String method, String path) {
    URI url = URI.create(gateway.server().url(gateway.context()) + path);
    HttpRequest request = new BasicHttpRequest(method, url);
    request.setHeader("Authorization", "Bearer " + Tokens.good(gateway.trust()));
    return request;
  }

  private SimpleHttpResponse send(HttpRequest request, @Nullable AsyncEntityProducer body)
      throws Exception {
    try (CloseableHttpAsyncClient client = HttpAsyncClients.createHttp2Default()) {
      client.start();
      open(client);
      return client
          .execute(new BasicRequestProducer(request, body), SimpleResponseConsumer.create(), null)
          .get(30, TimeUnit.SECONDS);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Tomcat now and then drops a connection on which a body follows the preface at once. */
  private void open(CloseableHttpAsyncClient client) throws Exception {
    String live = gateway.server().url(gateway.context()) + "/gateway/health/live";
    SimpleHttpResponse answer =
        client.execute(SimpleHttpRequest.create("GET", live), null).get(30, TimeUnit.SECONDS);
    assertThat(answer.getCode()).isEqualTo(200);
  }

  private static AsyncEntityProducer producer(@Nullable ContentType type) {
    return new BasicAsyncEntityProducer(BODY, type) {
      @Override
      public long getContentLength() {
        return -1;
      }
    };
  }
}
