package dev.gatehouse.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UpstreamTest {

  @ParameterizedTest
  @CsvSource({
    "http://localhost:8001, http, localhost, 8001, localhost:8001, ''",
    "http://localhost:8001/, http, localhost, 8001, localhost:8001, ''",
    "http://localhost, http, localhost, 80, localhost, ''",
    "http://localhost:80, http, localhost, 80, localhost, ''",
    "http://localhost:443, http, localhost, 443, localhost:443, ''",
    "https://a.example:443/v2, https, a.example, 443, a.example, /v2",
    "https://a.example:80, https, a.example, 80, a.example:80, ''",
    "HTTPS://A.Example/V2/, https, a.example, 443, a.example, /V2",
    "http://a-b.example:65535/x/y/, http, a-b.example, 65535, a-b.example:65535, /x/y",
    "http://user_service:8001, http, user_service, 8001, user_service:8001, ''",
    "http://192.0.2.1:8001, http, 192.0.2.1, 8001, 192.0.2.1:8001, ''",
    "http://[::1]:8001/v, http, [::1], 8001, [::1]:8001, /v",
    "http://[2001:DB8::1], http, [2001:db8::1], 80, [2001:db8::1], ''",
    "http://h/a%20b, http, h, 80, h, /a%20b",
    "' http://h ', http, h, 80, h, ''",
  })
  void aUrlIsAServerAndABasePath(
      String text, String scheme, String host, int port, String authority, String basePath) {
    assertThat(Upstream.list(text))
        .containsExactly(new Upstream(scheme, host, port, authority, basePath));
  }

  @Test
  void severalUrlsStandInTheirOrder() {
    assertThat(Upstream.list("http://a:1, http://b:2/x,http://a:1"))
        .extracting(Upstream::authority)
        .containsExactly("a:1", "b:2", "a:1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "localhost",
        "localhost:8001",
        "//localhost:8001",
        "/users",
        "ftp://localhost",
        "ws://localhost",
        "file:///etc/passwd",
        "jar:http://localhost!/x",
        "http:localhost",
        "http:/localhost",
        "http://",
        "http:///users",
        "http://:8001",
        "http://localhost:0",
        "http://localhost:65536",
        "http://localhost:-1",
        "http://localhost:80a",
        "http://localhost:99999999999",
        "http://user@localhost",
        "http://user:secret@localhost",
        "http://@localhost",
        "http://localhost?x=1",
        "http://localhost/?",
        "http://localhost#x",
        "http://localhost/#",
        "http://localhost/a/../b",
        "http://localhost/a/./b",
        "http://localhost/a/..",
        "http://localhost//a",
        "http://localhost/a//",
        "http://local host",
        "http://localhost/a b",
        "http://localhost/{a}",
        "http://localhost\\a",
        "http://[::1",
        "http://::1",
        "http://[localhost]",
        "http://localhost,",
        ",http://localhost",
        "http://a,,http://b",
        "http://a;http://b",
        "http://a http://b",
        "${users.url}",
        "http://${host}",
      })
  void whatIsNoUsableUrlIsRefusedWithWhatWasExpected(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Upstream.list(text))
        .withMessageContaining("http:// or https:// URLs")
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("secret"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://localhost/..",
        "http://localhost/../a",
        "http://localhost/%2e%2e/a",
        "http://localhost/a/%2E%2E",
        "http://localhost/a/..;x/b",
        "http://localhost/a/.%2e",
      })
  void aBasePathHasNoDotSegments(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> Upstream.list(text));
  }
}
