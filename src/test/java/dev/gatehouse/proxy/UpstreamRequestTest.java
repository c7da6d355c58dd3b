package dev.gatehouse.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import org.eclipse.jetty.client.HttpClient;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UpstreamRequestTest {

  private final HttpClient client = new HttpClient();
  private final Upstream upstream = Upstream.list("http://localhost:8001/base").get(0);

  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      nullValues = "none",
      value = {
        "GET /profile none",
        "GET /profile x=1",
        "GET /profile ''",
        "GET / ?",
        "get /a none",
        "pAtCh /a none",
        "M-SEARCH /a none",
        "GET /a;x=y/b;z x=1&x=2&&",
        "GET /%70rofile %70=%71",
        "GET /a%20b a+b%20c",
        "GET /%25%2e%2e none",
        "GET /{a}|[b]^` q={a}|[b]^`",
        "GET /a q=%zz%",
        "GET /a q=a|b",
        "GET /a http://elsewhere.example/?x",
        "GET /a:b@c none",
        "GET /a/ none",
      })
  void methodPathAndQueryAreKeptByteForByte(String method, String path, @Nullable String query) {
    UpstreamRequest request = new UpstreamRequest(client, upstream, method, path, query);

    assertThat(request.getMethod()).isEqualTo(method);
    assertThat(request.getPath()).isEqualTo(path);
    assertThat(request.getQuery()).isEqualTo(query);
    assertThat(request.upstream()).isSameAs(upstream);
    assertThat(request.getURI()).isEqualTo(URI.create("http://localhost:8001"));
    assertThat(request.getScheme()).isEqualTo("http");
    assertThat(request.getHost()).isEqualTo("localhost");
    assertThat(request.getPort()).isEqualTo(8001);
  }

  @Test
  void whatIsNoAsciiGoesOutAsUtf8() {
    UpstreamRequest request =
        new UpstreamRequest(client, upstream, "GET", "/\u00e9", "q=\u20ac\ud83d\ude00");

    // Jetty writes one byte for each character.
    assertThat(request.getPath().getBytes(ISO_8859_1)).isEqualTo("/\u00e9".getBytes(UTF_8));
    assertThat(String.valueOf(request.getQuery()).getBytes(ISO_8859_1))
        .isEqualTo("q=\u20ac\ud83d\ude00".getBytes(UTF_8));
  }

  @Test
  void aRequestThatIsSentAgainIsTheSame() {
    UpstreamRequest request = new UpstreamRequest(client, upstream, "GET", "/\u00e9", "q=\u00e9");
    request.headers(headers -> headers.add("X-A", "1").add("X-A", "2"));

    UpstreamRequest again = request.again();

    assertThat(again.getMethod()).isEqualTo("GET");
    assertThat(again.getPath()).isEqualTo(request.getPath());
    assertThat(again.getQuery()).isEqualTo(request.getQuery());
    assertThat(again.upstream()).isSameAs(upstream);
    assertThat(again.getHeaders()).containsExactlyElementsOf(request.getHeaders());
    assertThat(again.getConversation()).isNotSameAs(request.getConversation());
  }

  @ParameterizedTest
  @CsvSource({"GET, Content-Type, text/plain", "DELETE, Content-Length, 0"})
  void whatIsSaidOfNoBodyIsNoBusinessOfJettys(String method, String name, String value) {
    UpstreamRequest request = new UpstreamRequest(client, upstream, method, "/", null);
    request.headers(headers -> headers.add(name, value));

    request.withoutBody();

    assertThat(request.getHeaders().get(name)).isEqualTo(value);
    assertThat(request.getHeaders().getField(name).getHeader()).isNull();
  }
}
