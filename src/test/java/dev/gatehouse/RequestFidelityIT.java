package dev.gatehouse;

import static dev.gatehouse.Bodies.assertSameBytes;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RecordedRequest;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Upstream.Then;
import dev.gatehouse.testing.UpstreamThat;
import java.util.Random;
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

  @ParameterizedTest
  @CsvSource({
    "Transfer-Encoding: chunked, zz\\r\\nhello",
    "Transfer-Encoding: chunked, 5\\r\\nhelloworld\\r\\n0\\r\\n\\r\\n",
    "Transfer-Encoding: chunked, 5\\r\\nhello\\r\\nzz\\r\\n",
    "Transfer-Encoding: chunked, 5\\r\\nhello\\r\\n",
    "Transfer-Encoding: chunked, 5\\r\\nhel",
    "Content-Length: 10, hello",
  })
  void aBodyThatIsNotFramedAsToldIsRefused(String framing, String sent) {
    // Whose thread reads what is wrong is up to chance.
    for (int i = 0; i < 20; i++) {
      try (RawClient client = gateway.connect()) {
        client.send(gateway.request("POST", "/api/users/1").line(framing));
        client.send(sent.translateEscapes().getBytes(ISO_8859_1));
        client.endOutput();

        RawResponse answer = client.receive();
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.text()).doesNotContain("Exception", "dev.gatehouse");
      }
    }
    await().until(() -> gateway.upstream("users").busy() == 0);
    assertThat(gateway.upstream("users").requests()).noneMatch(RecordedRequest::complete);
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
