package dev.gatehouse;

import static dev.gatehouse.Bodies.assertSameBytes;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Upstream.Then;
import dev.gatehouse.testing.UpstreamThat;
import dev.gatehouse.testing.UpstreamThat.Framing;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@OnEveryGateway
class ResponseFidelityIT {
  private final RunningGateway gateway;

  ResponseFidelityIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Disposition: attachment; filename=\"a b, c.txt\"",
        "Content-Disposition: attachment; filename=\"x, y.pdf\"",
        "WWW-Authenticate: Bearer realm=\"x\", error=\"invalid_token\"",
        "WWW-Authenticate: Bearer realm=\"a b\"",
        "Set-Cookie: sid=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/",
        "Last-Modified: Wed, 21 Oct 2026 07:28:00 GMT",
        "X-Json: {\"a\": 1, \"b\": [1, 2]}",
        "ETag: \"abc\"",
        "ETag: W/\"a,b\"",
        "Cache-Control: private, max-age=0,no-cache=\"set-cookie, x\"",
        "Link: <https://a.example/?b,c>; rel=\"next\", </d>; rel=prev",
        "Date: Wed, 21 Oct 2026 07:28:00 GMT",
        "Server: service/1.0 (a, b)",
        "X-Odd: \"unbalanced",
        "X-Empty:",
        "X-Latin-1: caf\u00e9",
        "X-Utf-8: caf\u00c3\u00a9 \u00e2\u0082\u00ac",
      })
  void aHeaderArrivesByteForByte(String line) {
    gateway.upstream("users").will(UpstreamThat.answers(line, new byte[0]));

    RawResponse answer = gateway.get("/api/users/1");

    int colon = line.indexOf(':');
    assertThat(answer.status()).as("%s", answer).isEqualTo(200);
    assertThat(answer.values(line.substring(0, colon)))
        .containsExactly(line.substring(colon + 1).strip());
  }

  @Test
  void theContentTypeArrivesButForItsSpacing() {
    gateway
        .upstream("users")
        .will(UpstreamThat.answers("Content-Type: text/html; charset=utf-8", new byte[0]));

    RawResponse answer = gateway.get("/api/users/1");

    assertThat(answer.values("Content-Type"))
        .singleElement()
        .asString()
        .isEqualToNormalizingWhitespace("text/html; charset=utf-8".replace(" ", spacing(answer)));
  }

  private static String spacing(RawResponse answer) {
    return answer.values("Content-Type").get(0).contains("; ") ? " " : "";
  }

  @Test
  void noContentTypeIsInvented() {
    gateway.upstream("users").will(UpstreamThat.answers("", "x".getBytes(UTF_8)));

    assertThat(gateway.get("/api/users/1").values("Content-Type")).isEmpty();
  }

  @Test
  void repeatedHeadersKeepTheirCountAndOrder() {
    gateway
        .upstream("users")
        .will(
            UpstreamThat.answers(
                """
                Set-Cookie: b=2; Path=/; HttpOnly
                X-Rep: b
                Set-Cookie: a=1
                X-Rep: a, c
                x-rep: b
                Set-Cookie: b=2; Path=/; HttpOnly
                WWW-Authenticate: Basic realm="a, b"
                WWW-Authenticate: Bearer\
                """
                    .replace("\n", "\r\n"),
                new byte[0]));

    RawResponse answer = gateway.get("/api/users/1");

    assertThat(answer.values("X-Rep")).containsExactly("b", "a, c", "b");
    assertThat(answer.values("Set-Cookie"))
        .containsExactly("b=2; Path=/; HttpOnly", "a=1", "b=2; Path=/; HttpOnly");
    assertThat(answer.values("WWW-Authenticate")).containsExactly("Basic realm=\"a, b\"", "Bearer");
  }

  @Test
  void hopByHopHeadersStayBehind() {
    gateway
        .upstream("users")
        .will(
            UpstreamThat.answers(
                "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=7\r\nX-Stays: 1",
                new byte[0]));

    RawResponse answer = gateway.get("/api/users/1");

    assertThat(answer.values("X-Hop")).isEmpty();
    assertThat(answer.values("Keep-Alive")).doesNotContain("timeout=7");
    assertThat(answer.values("Connection").toString()).doesNotContain("X-Hop");
    assertThat(answer.values("X-Stays")).containsExactly("1");
  }

  @Test
  void viaAndRequestIdAreAdded() {
    gateway.upstream("users").will(UpstreamThat.answers("Via: 1.0 inner", new byte[0]));

    RawResponse answer = gateway.get("/api/users/1");

    assertThat(String.join(", ", answer.values("Via"))).isEqualTo("1.0 inner, 1.1 gatehouse");
    assertThat(answer.values("X-Request-Id"))
        .isEqualTo(gateway.upstream("users").only().values("X-Request-Id"));
  }

  @ParameterizedTest
  @ValueSource(ints = {200, 201, 202, 206, 400, 401, 403, 404, 409, 418, 429, 500, 502, 503, 504})
  void everyStatusArrivesWithTheServicesOwnBody(int status) {
    gateway
        .upstream("users")
        .will(
            UpstreamThat.answersWith(
                "HTTP/1.1 " + status + " So\r\nContent-Length: 5\r\nX-A: b\r\n\r\nmine!"));

    RawResponse answer = gateway.get("/api/users/1");

    assertThat(answer.status()).isEqualTo(status);
    assertThat(answer.text()).isEqualTo("mine!");
    assertThat(answer.values("X-A")).containsExactly("b");
    assertThat(answer.values("Content-Length")).containsExactly("5");
  }

  @ParameterizedTest
  @ValueSource(ints = {204, 304})
  void aStatusWithoutBodyArrives(int status) {
    gateway
        .upstream("users")
        .will(UpstreamThat.answersWith("HTTP/1.1 " + status + " So\r\nETag: \"x\"\r\n\r\n"));

    RawResponse answer = gateway.get("/api/users/1");

    assertThat(answer.status()).isEqualTo(status);
    assertThat(answer.values("ETag")).containsExactly("\"x\"");
  }

  @Test
  void headHasTheLengthButNoBody() {
    gateway
        .upstream("users")
        .will(UpstreamThat.answersWith("HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n"));

    RawResponse answer = gateway.send(gateway.request("HEAD", "/api/users/1"));

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.values("Content-Length")).containsExactly("12345");
    assertThat(answer.body()).isEmpty();
  }

  @Test
  void aGzipBodyPassesBitForBit() throws IOException {
    byte[] body = gzip(random(200_000));
    gateway
        .upstream("users")
        .will(
            UpstreamThat.answers("Content-Type: application/json\r\nContent-Encoding: gzip", body));

    RawResponse answer =
        gateway.send(gateway.request("GET", "/api/users/1").line("Accept-Encoding: gzip"));

    assertThat(answer.values("Content-Encoding")).containsExactly("gzip");
    assertThat(answer.values("Content-Length")).containsExactly(String.valueOf(body.length));
    assertSameBytes(answer.body(), body);
  }

  @Test
  void aGzipBodyPassesBitForBitThoughNobodyAskedForIt() throws IOException {
    byte[] body = gzip(random(1_000));
    gateway.upstream("users").will(UpstreamThat.answers("Content-Encoding: gzip", body));

    RawResponse answer = gateway.get("/api/users/1");

    assertThat(answer.values("Content-Encoding")).containsExactly("gzip");
    assertSameBytes(answer.body(), body);
  }

  @Test
  void aGzipRequestBodyPassesBitForBit() throws IOException {
    byte[] body = gzip(random(50_000));

    RawResponse answer =
        gateway.send(
            gateway.request("POST", "/api/users/1").line("Content-Encoding: gzip").body(body));

    assertThat(answer.status()).isEqualTo(200);
    assertSameBytes(gateway.upstream("users").only().body(), body);
    assertThat(gateway.upstream("users").only().values("Content-Encoding")).containsExactly("gzip");
  }

  @Test
  void aLargeBodyPassesByteForByte() {
    byte[] body = random(3_000_000);
    gateway.upstream("users").will(UpstreamThat.answers("", body));

    RawResponse answer = gateway.get("/api/users/1");

    assertThat(answer.complete()).isTrue();
    assertSameBytes(answer.body(), body);
  }

  @Test
  void aBodyThatEndsWithItsConnectionPasses() {
    gateway
        .upstream("users")
        .will(
            (request, out) -> {
              out.write("HTTP/1.1 200 OK\r\n\r\nto the end".getBytes(UTF_8));
              return Then.CLOSE;
            });

    RawResponse answer = gateway.get("/api/users/1");

    assertThat(answer.text()).isEqualTo("to the end");
    assertThat(answer.complete()).isTrue();
  }

  @ParameterizedTest
  @EnumSource
  void aBodyThatIsCutOffNeverLooksWhole(Framing framing) {
    gateway.upstream("users").will(UpstreamThat.closesMidBody(framing));
    assertThat(gateway.get("/api/users/1")).matches(answer -> brokenOff(answer), "broken off");

    gateway.upstream("users").will(UpstreamThat.resetsMidBody(framing));
    assertThat(gateway.get("/api/users/1")).matches(answer -> brokenOff(answer), "broken off");
  }

  /** Either cut off as the service's was, or refused before anything of it was passed on. */
  private static boolean brokenOff(RawResponse answer) {
    return answer.status() == 200 ? !answer.complete() : answer.code().equals("upstream_reset");
  }

  private static byte[] gzip(byte[] plain) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
      gzip.write(plain);
    }
    return bytes.toByteArray();
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }
}
