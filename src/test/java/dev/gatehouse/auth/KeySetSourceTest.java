package dev.gatehouse.auth;

import static dev.gatehouse.testing.Upstream.Then.CLOSE;
import static dev.gatehouse.testing.UpstreamThat.Framing.CHUNKED;
import static dev.gatehouse.testing.UpstreamThat.Framing.LENGTH;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.RecordedRequest;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.UpstreamThat;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.URI;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class KeySetSourceTest {

  private static final String KEYS = "{\"keys\":[\"J\u00fcrgen\"]}\n";
  private static final int LARGEST = 1 << 20;

  /** So that what should end by itself does not end by it. */
  private static final Duration LONG = Duration.ofMinutes(10);

  private final Upstream provider = Upstream.start();
  private final KeySetClient client = new KeySetClient(LONG);

  @AfterEach
  void close() {
    client.close();
    provider.close();
  }

  private KeySetSource keys() {
    return KeySetSource.of(provider.url() + "/keys?a=secret");
  }

  private KeySetSource discovery() {
    return KeySetSource.discoveredFor(provider.url());
  }

  private String fetch(KeySetSource source) {
    return source.fetch(client).orTimeout(60, TimeUnit.SECONDS).join();
  }

  private static KeySetException failure(CompletableFuture<String> fetch) {
    // The exception that everybody sees who is told of the end, as those are who wait for keys.
    Throwable seen =
        fetch
            .handle((document, failure) -> Objects.requireNonNull(failure, document))
            .orTimeout(60, TimeUnit.SECONDS)
            .join();
    return (KeySetException)
        Objects.requireNonNull(seen instanceof CompletionException ? seen.getCause() : seen);
  }

  private void assertFails(KeySetSource source, String outcome) {
    KeySetException failure = failure(source.fetch(client));
    assertThat(failure.outcome()).as(failure.getMessage()).isEqualTo(outcome);
    // It is logged, and a query may hold a secret.
    assertThat(failure.getMessage()).contains(source.url().getPath()).doesNotContain("secret");
  }

  @Test
  void theDocumentComesAsItIs() {
    provider.will(UpstreamThat.answers("Content-Type: text/plain", KEYS.getBytes(UTF_8)));

    assertThat(fetch(keys())).isEqualTo(KEYS);

    RecordedRequest request = provider.only();
    assertThat(request.requestLine()).isEqualTo("GET /keys?a=secret HTTP/1.1");
    assertThat(request.values("Accept"))
        .containsExactly("application/json, application/jwk-set+json");
    assertThat(request.values("User-Agent")).containsExactly("gatehouse");
    assertThat(request.values("Connection")).containsExactly("close");
    assertThat(request.headerLines())
        .noneMatch(
            line ->
                line.matches(
                    "(?i)(authorization|cookie|accept-encoding|content-.*|transfer-.*):.*"));
  }

  @ParameterizedTest
  @ValueSource(ints = {401, 407})
  void aRefusalWithoutAChallengeIsAnAnswer(int status) {
    provider.will(
        UpstreamThat.answersWith("HTTP/1.1 " + status + " No\r\nContent-Length: 0\r\n\r\n"));

    assertFails(keys(), "status");
  }

  @Test
  void theProxyThatTheJvmWasToldOfIsAsked() {
    ProxySelector before = ProxySelector.getDefault();
    provider.will(UpstreamThat.answers("", KEYS.getBytes(UTF_8)));
    try {
      ProxySelector.setDefault(
          ProxySelector.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), port())));

      assertThat(fetch(KeySetSource.of("http://Idp.example/keys"))).isEqualTo(KEYS);
      assertThat(provider.only().requestLine())
          .isEqualToIgnoringCase("GET http://idp.example/keys HTTP/1.1");
    } finally {
      ProxySelector.setDefault(before);
    }
  }

  private int port() {
    return URI.create(provider.url()).getPort();
  }

  @ParameterizedTest
  @ValueSource(
      ints = {201, 204, 206, 301, 302, 303, 307, 308, 304, 400, 401, 404, 407, 429, 500, 503})
  void anythingButA200IsNone(int status) {
    try (Upstream other = Upstream.start()) {
      String body = status == 204 || status == 304 ? "" : KEYS;
      provider.will(
          UpstreamThat.answersWith(
              "HTTP/1.1 "
                  + status
                  + " Odd\r\nLocation: "
                  + other.url()
                  + "/keys\r\nWWW-Authenticate: Basic realm=\"a\"\r\nProxy-Authenticate: Basic\r\n"
                  + "Set-Cookie: a=b\r\nContent-Length: "
                  + body.getBytes(ISO_8859_1).length
                  + "\r\n\r\n"
                  + body));

      assertFails(keys(), "status");
      assertFails(discovery(), "status");

      assertThat(provider.requests()).hasSize(2);
      assertThat(provider.requests().get(1).values("Cookie")).isEmpty();
      assertThat(other.requests()).isEmpty();
    }
  }

  private static Stream<Upstream.Behaviour> broken() {
    return Stream.of(
        UpstreamThat.closesBeforeAnswer(),
        UpstreamThat.resets(),
        UpstreamThat.speaksGarbage(),
        UpstreamThat.closesMidBody(CHUNKED),
        UpstreamThat.closesMidBody(LENGTH),
        UpstreamThat.resetsMidBody(CHUNKED),
        UpstreamThat.resetsMidBody(LENGTH),
        UpstreamThat.answersWith("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
        (request, out) -> {
          out.write("HTTP/1.1 200".getBytes(ISO_8859_1));
          return CLOSE;
        });
  }

  @ParameterizedTest
  @MethodSource("broken")
  void aBrokenAnswerIsNoKeySet(Upstream.Behaviour behaviour) {
    provider.will(behaviour);

    assertFails(keys(), "unreachable");
    assertFails(discovery(), "unreachable");
    assertThat(provider.requests()).hasSize(2);

    provider.will(UpstreamThat.answers("", KEYS.getBytes(UTF_8)));
    assertThat(fetch(keys())).isEqualTo(KEYS);
  }

  @Test
  void aProviderThatIsNotThereIsNotReached() {
    try (Upstream none = Upstream.refusing()) {
      assertFails(KeySetSource.of(none.url() + "/keys"), "unreachable");
    }
    // Some networks do not even say that there is no such name.
    assertThat(failure(KeySetSource.of("http://nothing.invalid/keys").fetch(client)).outcome())
        .isIn("unreachable", "timeout");
  }

  @Test
  void aDocumentMayBeOneMebibyteLarge() {
    String document = "x".repeat(LARGEST);
    provider.will(UpstreamThat.answers("", document.getBytes(UTF_8)));
    assertThat(fetch(keys())).isEqualTo(document);

    provider.will(UpstreamThat.answers("", (document + "x").getBytes(UTF_8)));
    assertFails(keys(), "too_large");
  }

  @ParameterizedTest
  @ValueSource(strings = {"Content-Length: 9999999999999", "Transfer-Encoding: chunked", "X: y"})
  void aDocumentWithoutEndIsNotReadToItsEnd(String framing) {
    byte[] piece = "x".repeat(8_000).getBytes(ISO_8859_1);
    AtomicLong sent = new AtomicLong();
    CompletableFuture<Void> refused = new CompletableFuture<>();
    provider.will(
        (request, out) -> {
          out.write(("HTTP/1.1 200 OK\r\n" + framing + "\r\n\r\n").getBytes(ISO_8859_1));
          try {
            while (true) {
              write(out, piece, framing.contains("chunked"));
              sent.addAndGet(piece.length);
            }
          } catch (IOException e) {
            refused.complete(null);
            throw e;
          }
        });

    assertFails(keys(), "too_large");

    await().until(refused::isDone);
    // What the system's buffers take besides.
    assertThat(sent.get()).isLessThan(32L * LARGEST);
  }

  private static void write(OutputStream out, byte[] piece, boolean chunked) throws IOException {
    if (chunked) {
      out.write((Integer.toHexString(piece.length) + "\r\n").getBytes(ISO_8859_1));
    }
    out.write(piece);
    if (chunked) {
      out.write("\r\n".getBytes(ISO_8859_1));
    }
  }

  private static Stream<String> beginnings() {
    return Stream.of(
        "",
        "HTTP/1.1 200 OK\r\nX: ",
        "HTTP/1.1 200 OK\r\n\r\n{",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n{",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n{",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\nX: ");
  }

  @ParameterizedTest
  @MethodSource("beginnings")
  void silenceIsNotAwaited(String said) {
    provider.willTalk(
        talk -> {
          talk.say(said);
          return Upstream.Then.SILENCE;
        });

    assertGivenUp();
  }

  @ParameterizedTest
  @MethodSource("beginnings")
  void anAnswerThatComesByteByByteIsNotAwaited(String said) {
    String more = said.isEmpty() ? "\r\n" : said.endsWith("\r\n") ? "1\r\n{\r\n" : "0";
    provider.willTalk(
        talk -> {
          talk.say(said);
          while (true) {
            talk.pause(Duration.ofMillis(5));
            talk.say(more);
          }
        });

    assertGivenUp();
  }

  @Test
  void interimAnswersAreNoAnswer() {
    provider.willTalk(
        talk -> {
          while (true) {
            talk.say("HTTP/1.1 103 Early Hints", "", "");
            talk.pause(Duration.ofMillis(5));
          }
        });

    assertGivenUp();
  }

  private void assertGivenUp() {
    try (KeySetClient hasty = new KeySetClient(Duration.ofMillis(300))) {
      assertThat(failure(keys().fetch(hasty)).outcome()).isEqualTo("timeout");
      await().until(() -> provider.open() == 0);
    }
  }

  @ParameterizedTest
  @MethodSource("beginnings")
  void whenTheApplicationStopsAFetchEnds(String said) {
    provider.willTalk(
        talk -> {
          talk.say(said);
          return Upstream.Then.SILENCE;
        });
    CompletableFuture<String> fetch = keys().fetch(client);
    await().until(() -> provider.busy() == 1);

    client.close();

    assertThat(failure(fetch).outcome()).isEqualTo("unreachable");
    await().until(() -> provider.open() == 0);
  }

  // Discovery.

  /** Discovers with a document, in which names stand for the issuer and the provider's URL. */
  private void publish(String issuer, String document) {
    provider.will(
        (request, out) ->
            UpstreamThat.answers(
                    "",
                    (request.target().equals("/keys")
                            ? KEYS
                            : document.replace("ISSUER", issuer).replace("URL", provider.url()))
                        .getBytes(UTF_8))
                .answer(request, out));
  }

  @ParameterizedTest
  @CsvSource({
    "'', /.well-known/openid-configuration",
    "/, /.well-known/openid-configuration",
    "/realms/a, /realms/a/.well-known/openid-configuration",
    "/realms/a/, /realms/a/.well-known/openid-configuration",
    "//, //.well-known/openid-configuration",
  })
  void aProvidersDocumentSaysWhereItsKeysAre(String path, String target) {
    String issuer = provider.url() + path;
    publish(issuer, "{\"issuer\":\"ISSUER\",\"x\":[{}],\"jwks_uri\":\"URL/keys\"}");

    assertThat(fetch(KeySetSource.discoveredFor(issuer))).isEqualTo(KEYS);

    assertThat(provider.requests())
        .extracting(RecordedRequest::requestLine)
        .containsExactly("GET " + target + " HTTP/1.1", "GET /keys HTTP/1.1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'issuer':'https://evil.example','jwks_uri':'URL/keys'}",
        "{'issuer':'ISSUER/','jwks_uri':'URL/keys'}",
        "{'issuer':['ISSUER'],'jwks_uri':'URL/keys'}",
        "{'issuer':null,'jwks_uri':'URL/keys'}",
        "{'Issuer':'ISSUER','jwks_uri':'URL/keys'}",
        "{'jwks_uri':'URL/keys'}",
        "{'issuer':'ISSUER'}",
        "{'issuer':'ISSUER','jwks_uri':null}",
        "{'issuer':'ISSUER','jwks_uri':''}",
        "{'issuer':'ISSUER','jwks_uri':7}",
        "{'issuer':'ISSUER','jwks_uri':['URL/keys']}",
        "{'issuer':'ISSUER','jwks_uri':'/keys'}",
        "{'issuer':'ISSUER','jwks_uri':'ftp://127.0.0.1/keys'}",
        "{'issuer':'ISSUER','jwks_uri':'file:///etc/passwd'}",
        "{'issuer':'ISSUER','jwks_uri':'jar:URL/keys.jar!/keys'}",
        "{'issuer':'ISSUER','jwks_uri':'URL/keys#a'}",
        "{'issuer':'ISSUER','jwks_uri':'http://u:p@127.0.0.1/keys'}",
        "{'issuer':'ISSUER','jwks_uri':'URL/a b'}",
        "{'issuer':'ISSUER','issuer':'ISSUER','jwks_uri':'URL/keys'}",
        "{'issuer':'ISSUER','jwks_uri':'URL/keys'}x",
        "[{'issuer':'ISSUER','jwks_uri':'URL/keys'}]",
        "<html></html>",
        "null",
        "",
      })
  void aDocumentThatIsAnotherIssuersOrNamesNoKeysIsRefused(String document) {
    publish(provider.url(), document.replace('\'', '"'));

    assertFails(discovery(), "garbled");
    assertThat(provider.requests()).hasSize(1);
  }

  @Test
  void whenItsKeysAreNotThereThatIsToldOfTheirUrl() {
    try (Upstream none = Upstream.refusing()) {
      publish(provider.url(), "{\"issuer\":\"ISSUER\",\"jwks_uri\":\"" + none.url() + "/k\"}");

      KeySetException failure = failure(discovery().fetch(client));
      assertThat(failure.outcome()).isEqualTo("unreachable");
      assertThat(failure.getMessage()).contains(none.url() + "/k");
    }
  }

  // What may be asked at all.

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://idp.example",
        "https://idp.example/",
        "https://idp.example:8443/a/b?c=d&e=%20f",
        "https://127.0.0.1/keys",
        "https://[::1]:8443/keys",
      })
  void aUrlIsOne(String text) {
    assertThat(KeySetSource.of(text).url()).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "idp.example/keys",
        "/keys",
        "//idp.example/keys",
        "http:",
        "http:keys",
        "http:///keys",
        "https://",
        "https:/keys",
        "file:///etc/passwd",
        "ftp://idp.example/keys",
        "jar:https://idp.example/keys.jar!/keys",
        "ldap://idp.example/",
        "https://user@idp.example/keys",
        "https://user:password@idp.example/keys",
        "https://@idp.example/keys",
        "https://idp.example/keys#a",
        "https://idp.example/keys#",
        "https://idp.example/a b",
        "https://idp.example/keys\r\nX: y",
        " https://idp.example/keys",
        "https://idp.example/%zz",
        "https://idp.example\\keys",
        "https://[::1/keys",
        "https://idp.example:65536/keys",
      })
  void aUrlIsNone(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> KeySetSource.of(text))
        .withMessageStartingWith("an http or https URL ");
  }

  @ParameterizedTest
  @CsvSource({
    "https://idp.example, https://idp.example/.well-known/openid-configuration",
    "https://idp.example/, https://idp.example/.well-known/openid-configuration",
    "https://idp.example/a, https://idp.example/a/.well-known/openid-configuration",
    "https://idp.example/a/, https://idp.example/a/.well-known/openid-configuration",
  })
  void whereNoUrlIsGivenTheIssuersDocumentIsAskedFirst(String issuer, String first) {
    assertThat(KeySetSource.discoveredFor(issuer).url()).hasToString(first);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "gatehouse",
        "",
        "urn:a",
        "ftp://a",
        "https://a#b",
        "https://a?b=c",
        "https://u:p@a"
      })
  void anIssuerThatIsNoUrlIsAskedNothing(String issuer) {
    assertThatIllegalArgumentException().isThrownBy(() -> KeySetSource.discoveredFor(issuer));
  }

  @ParameterizedTest
  @CsvSource({
    "https://idp.example/keys, true",
    "https://127.0.0.1/keys, true",
    "http://127.0.0.1:8080/keys, true",
    "http://127.1.2.3/keys, true",
    "http://localhost/keys, true",
    "http://[::1]/keys, true",
    "http://idp.example/keys, false",
    "http://localhost.example/keys, false",
    "http://10.0.0.1/keys, false",
    "http://127.example/keys, false",
    "http://127.0.0.1.example/keys, false",
    "http://128.0.0.1/keys, false",
    "http://[::2]/keys, false",
  })
  void keysAreAuthenticByTlsOrWithoutANetwork(String url, boolean authentic) {
    assertThat(KeySetSource.of(url).isAuthentic()).isEqualTo(authentic);
    assertThat(KeySetSource.discoveredFor(url).isAuthentic()).isEqualTo(authentic);
  }
}
