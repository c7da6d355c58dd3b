package dev.gatehouse;

import static dev.gatehouse.Bodies.assertSameBytes;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RecordedRequest;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Upstream.Then;
import dev.gatehouse.testing.UpstreamThat;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@OnEveryGateway
class RequestFidelityIT {
  private final RunningGateway gateway;

  RequestFidelityIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PROPFIND"})
  void everyMethodArrivesWithItsBodyAndItsLength(String method) {
    byte[] body = "{\"name\": \"é\"}".getBytes(UTF_8);

    RecordedRequest seen = forwarded(gateway.request(method, "/api/users/1").body(body));

    assertThat(seen.method()).isEqualTo(method);
    assertSameBytes(seen.body(), body);
    assertThat(seen.values("Content-Length")).containsExactly(String.valueOf(body.length));
    assertThat(seen.values("Transfer-Encoding")).isEmpty();
    assertThat(seen.values("Content-Type")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
  void everyMethodArrivesWithoutABody(String method) {
    RecordedRequest seen = forwarded(gateway.request(method, "/api/users/1"));

    assertThat(seen.method()).isEqualTo(method);
    assertThat(seen.body()).isEmpty();
    assertThat(seen.values("Transfer-Encoding")).isEmpty();
    assertThat(seen.values("Content-Type")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"POST", "PUT"})
  void aBodyOfLengthZeroStaysOne(String method) {
    RecordedRequest seen = forwarded(gateway.request(method, "/api/users/1").body(new byte[0]));

    assertThat(seen.body()).isEmpty();
    assertThat(seen.values("Content-Length")).containsExactly("0");
    assertThat(seen.values("Transfer-Encoding")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
  void aChunkedBodyArrives(String method) {
    byte[] body = random(100_000);

    RecordedRequest seen = forwarded(gateway.request(method, "/api/users/1").chunked(body));

    assertSameBytes(seen.body(), body);
    assertThat(seen.values("Content-Length")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
  void aBodyIsNeverTakenForARequest(String method) {
    byte[] body = "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(UTF_8);

    gateway.send(gateway.request(method, "/api/users/1").chunked(body));
    gateway.send(gateway.request(method, "/api/users/1").body(body));

    assertThat(gateway.upstream("users").requests())
        .hasSize(2)
        .allSatisfy(seen -> assertThat(seen.target()).isEqualTo("/1"))
        .allSatisfy(seen -> assertSameBytes(seen.body(), body));
  }

  /** The sizes are those of which a part stays in a server's buffer when the rest is sent on. */
  @Test
  void aBodyArrivesWholeThoughTheServiceMustBeConnectedFirst() {
    gateway
        .upstream("users")
        .will(
            (request, out) -> {
              String head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
              out.write(head.getBytes(UTF_8));
              return Then.CLOSE;
            });

    for (int length = 4_000; length <= 17_000; length += 500) {
      byte[] body = random(length);
      gateway.upstream("users").forget();
      assertSameBytes(forwarded(gateway.request("POST", "/api/users/1").body(body)).body(), body);
      gateway.upstream("users").forget();
      assertSameBytes(
          forwarded(gateway.request("POST", "/api/users/1").chunked(body)).body(), body);
    }
  }

  @Test
  void aLargeBodyArrivesByteForByte() {
    byte[] body = random(3_000_000);

    RecordedRequest seen =
        forwarded(
            gateway
                .request("POST", "/api/users/1")
                .line("Content-Type: application/octet-stream")
                .body(body));

    assertSameBytes(seen.body(), body);
    assertThat(seen.values("Content-Type")).containsExactly("application/octet-stream");
  }

  /** By Tomcat's connector in its own words; by us where it reaches us. */
  @Test
  void traceIsRefused() {
    RawResponse answer = gateway.send(gateway.request("TRACE", "/api/users/1"));

    assertThat(answer.status()).isEqualTo(405);
    assertThat(gateway.arrivals()).isZero();
    if (gateway.inJetty()) {
      assertThat(answer.text()).contains("\"code\":\"method_refused\"");
      assertThat(answer.values("Allow")).isNotEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a=1&a=2&b=%20&c=%E2%82%AC&d=%7Bx%7D%7Cy",
        "a=b+c&d=%2B&e=%2f&f=%2F",
        "redirect=https://example.org/a/../b;c?d",
        "&&==&a",
        "q=%25%32%30",
        "x=%zz",
        "plain",
      })
  void theQueryArrivesAsSent(String query) {
    RecordedRequest seen = forwarded(gateway.request("GET", "/api/users/1?" + query));

    assertThat(seen.target()).isEqualTo("/1?" + query);
  }

  @ParameterizedTest
  @ValueSource(strings = {"d={x}|y", "q={x}", "q=a|b", "q=^"})
  void aQueryThatIsNoUriArrivesAsSentWhereTheServerLetsItThrough(String query) {
    RawResponse answer = gateway.get("/api/users/1?" + query);

    if (gateway.inJetty()) {
      assertThat(answer.status()).as("%s", answer).isEqualTo(200);
      assertThat(gateway.upstream("users").only().target()).isEqualTo("/1?" + query);
    } else {
      assertThat(answer.status()).isEqualTo(400);
      assertThat(gateway.arrivals()).isZero();
    }
  }

  @Test
  void repeatedHeadersKeepTheirCountAndOrder() {
    RecordedRequest seen =
        forwarded(
            gateway
                .request("GET", "/api/users/1")
                .line("X-Rep: b")
                .line("Accept: text/html;q=0.5, application/json")
                .line("X-Rep: a, c")
                .line("Cookie: a=1; b=\"2 3\"")
                .line("Accept: */*")
                .line("Cookie: c=3")
                .line("x-rep: b"));

    assertThat(seen.values("X-Rep")).containsExactly("b", "a, c", "b");
    assertThat(seen.values("Accept")).containsExactly("text/html;q=0.5, application/json", "*/*");
    assertThat(seen.values("Cookie")).containsExactly("a=1; b=\"2 3\"", "c=3");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "If-None-Match: W/\"x, y\",  \"z\"",
        "Range: bytes=0-1,4-",
        "User-Agent: probe/1.0 (a; b) \"c\"",
        "Accept-Encoding: gzip, br;q=0.5",
        "Accept-Language: de-CH,de;q=0.9,  en;q=0.1",
        "X-Json: {\"a\": 1, \"b\": [1, 2]}",
        "X-Odd: \"unbalanced",
        "X-Empty:",
        "X-Latin-1: caf\u00e9",
        "X-Utf-8: caf\u00c3\u00a9 \u00e2\u0082\u00ac",
        "If-Modified-Since: Wed, 21 Oct 2026 07:28:00 GMT",
        "Origin: https://app.example",
        "X_Under_Score: kept",
      })
  void aHeaderArrivesByteForByte(String line) {
    RecordedRequest seen = forwarded(gateway.request("GET", "/api/users/1").line(line));

    int colon = line.indexOf(':');
    assertThat(seen.values(line.substring(0, colon)))
        .containsExactly(line.substring(colon + 1).strip());
  }

  @Test
  void nothingIsInvented() {
    RecordedRequest seen = forwarded(gateway.request("GET", "/api/users/1"));

    Set<String> names =
        seen.headerLines().stream()
            .map(line -> line.substring(0, line.indexOf(':')).toLowerCase(Locale.ROOT))
            .collect(Collectors.toSet());
    assertThat(names)
        .isSubsetOf(
            "host",
            "authorization",
            "x-gateway",
            "x-request-id",
            "traceparent",
            "via",
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-forwarded-host",
            "x-forwarded-port",
            "x-forwarded-prefix",
            "forwarded",
            "x-user-id",
            "x-user-scopes");
  }

  @Test
  void theServiceIsAskedByItsOwnHostName() {
    RecordedRequest seen = forwarded(gateway.request("GET", "/api/users/1"));

    assertThat(seen.values("Host"))
        .containsExactly(gateway.upstream("users").url().substring("http://".length()));
  }

  @Test
  void hopByHopHeadersStayBehind() {
    RecordedRequest seen =
        forwarded(
            gateway
                .request("GET", "/api/users/1")
                .line("Connection: keep-alive, X-Hop")
                .line("X-Hop: 1")
                .line("x-hop: 2")
                .line("Keep-Alive: timeout=5")
                .line("Proxy-Connection: keep-alive")
                .line("TE: trailers")
                .line("X-Stays: 1"));

    assertThat(seen.values("X-Hop")).isEmpty();
    assertThat(seen.values("Keep-Alive")).isEmpty();
    assertThat(seen.values("Proxy-Connection")).isEmpty();
    assertThat(seen.values("TE")).isEmpty();
    assertThat(seen.values("Connection")).doesNotContain("X-Hop");
    assertThat(seen.values("X-Stays")).containsExactly("1");
  }

  @Test
  void theNextUserOfAConnectionGetsNoCookiesOfThePreviousOne() {
    gateway
        .upstream("users")
        .will(UpstreamThat.answers("Set-Cookie: sid=secret; Path=/", new byte[0]));

    assertThat(gateway.get("/api/users/1").status()).isEqualTo(200);
    assertThat(gateway.get("/api/users/2").status()).isEqualTo(200);

    assertThat(gateway.upstream("users").requests())
        .hasSize(2)
        .allSatisfy(seen -> assertThat(seen.values("Cookie")).isEmpty());
  }

  @ParameterizedTest
  @CsvSource({
    "/api/users/a%20b, /a%20b",
    "/api/users/%E2%82%AC, /%E2%82%AC",
    "/api/users/%70ath, /%70ath",
    "/api/users/a;v=1/b;w=2, /a;v=1/b;w=2",
    "/api/users/a:b@c!$&'()*+=~-._, /a:b@c!$&'()*+=~-._",
    "/api/users/..a/b../.c/..., /..a/b../.c/...",
    "/api/users/https:, /https:",
    "/api/users/%7Bid%7D, /%7Bid%7D",
  })
  void thePathArrivesRaw(String path, String target) {
    RecordedRequest seen = forwarded(gateway.request("GET", path));

    assertThat(seen.target()).isEqualTo(target);
  }

  private RecordedRequest forwarded(RawRequest request) {
    RawResponse answer = gateway.send(request);

    assertThat(answer.status()).as("%s", new String(answer.body(), ISO_8859_1)).isEqualTo(200);
    return gateway.upstream("users").only();
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }
}
