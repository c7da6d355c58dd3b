package dev.gatehouse.testing;

import static dev.gatehouse.testing.UpstreamThat.Framing.CHUNKED;
import static dev.gatehouse.testing.UpstreamThat.Framing.LENGTH;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.auth0.jwt.JWT;
import com.auth0.jwt.algorithms.Algorithm;
import java.io.UncheckedIOException;
import java.net.URI;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The fixtures against each other: what they claim of a gateway between them must be theirs. */
class FixturesTest {
  private final Upstream upstream = Upstream.start();

  @AfterEach
  void close() {
    upstream.close();
  }

  @Test
  void anUpstreamRecordsWhatAClientSent() {
    RawResponse answer =
        send(RawRequest.of("POST", "/a?{b}").line("X-A:  b ").body("body".getBytes(UTF_8)));

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.json().path("target").asText()).isEqualTo("/a?{b}");
    assertThat(answer.complete()).isTrue();
    assertThat(upstream.only().headerLines()).contains("X-A:  b ", "Content-Length: 4");
    assertThat(upstream.only().values("x-a")).containsExactly("b");
    assertThat(upstream.only().body()).isEqualTo("body".getBytes(UTF_8));
  }

  @Test
  void anUpstreamJoinsChunks() {
    assertThat(send(RawRequest.of("PUT", "/").chunked(new byte[70_000])).status()).isEqualTo(200);

    assertThat(upstream.only().body()).hasSize(70_000);
  }

  @Test
  void anAnswerThatBreaksOffIsNotComplete() {
    upstream.will(UpstreamThat.closesMidBody(CHUNKED));
    assertThat(send(RawRequest.of("GET", "/")).complete()).isFalse();
    upstream.will(UpstreamThat.closesMidBody(LENGTH));
    assertThat(send(RawRequest.of("GET", "/")).complete()).isFalse();
    upstream.will(UpstreamThat.resetsMidBody(LENGTH));
    assertThat(send(RawRequest.of("GET", "/")).complete()).isFalse();
  }

  @Test
  void anUpstreamMayTalkBeforeItHasHeardARequest() {
    upstream.willTalk(
        talk -> {
          talk.say("HTTP/1.1 103 Early", "Link: a", "", "");
          assertThat(talk.request().complete()).isFalse();
          assertThat(talk.hear()).isTrue();
          talk.say("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "1", "a", "0", "X-B: c");
          talk.say("", "", "");
          return Upstream.Then.SILENCE;
        });

    RawResponse answer;
    try (RawClient client = RawClient.connect(URI.create(upstream.url()).getPort())) {
      client.send(RawRequest.of("POST", "/").chunked("body".getBytes(UTF_8)));
      answer = client.receive();
      client.send("more".getBytes(UTF_8));
      client.endOutput();
      assertThat(client.receiveRest()).isEmpty();
    }

    assertThat(answer.interim()).hasSize(1);
    assertThat(answer.interim().get(0).values("Link")).containsExactly("a");
    assertThat(answer.text()).isEqualTo("a");
    assertThat(answer.trailers()).containsExactly("X-B: c");
    assertThat(upstream.only().body()).isEqualTo("body".getBytes(UTF_8));
    await().until(upstream.only()::left);
    assertThat(upstream.only().surplus()).isEqualTo("more".getBytes(UTF_8));
  }

  @Test
  void anUpstreamThatResetsGivesNoAnswer() {
    upstream.will(UpstreamThat.resets());

    assertThatThrownBy(() -> send(RawRequest.of("GET", "/")))
        .isInstanceOf(UncheckedIOException.class);
  }

  @Test
  void nothingListensWhereAnUpstreamRefuses() {
    try (Upstream refusing = Upstream.refusing()) {
      int port = URI.create(refusing.url()).getPort();

      assertThatThrownBy(() -> RawClient.connect(port)).isInstanceOf(UncheckedIOException.class);
    }
  }

  @Test
  void serversAreChosenByTheirNames() {
    assertThat(Container.named("tomcat-10.1, jetty-ee11"))
        .containsExactly(Container.TOMCAT_10, Container.JETTY_EE11);
    assertThatThrownBy(() -> Container.named("tomcat-11,jetty"))
        .hasMessageContaining("gatehouse.test.servers: no server 'jetty'")
        .hasMessageContaining("[jetty-ee10, jetty-ee11, tomcat-10.1, tomcat-11]");
  }

  @ParameterizedTest
  @EnumSource
  void goodTokensDifferFromTheirBadKin(Tokens.Trust trust) {
    String good = Tokens.good(trust);

    assertThat(JWT.decode(good).getAlgorithm()).isEqualTo(trust.name());
    assertThat(Tokens.bad(trust)).doesNotContainValue(good).hasSizeGreaterThan(20);
  }

  @Test
  void aGoodTokenHasATrueSignature() {
    Algorithm algorithm = Algorithm.HMAC256(Tokens.secret());

    assertThat(JWT.require(algorithm).build().verify(Tokens.good(Tokens.Trust.HS256)).getSubject())
        .isEqualTo("demo");
  }

  private RawResponse send(RawRequest request) {
    try (RawClient client = RawClient.connect(URI.create(upstream.url()).getPort())) {
      client.send(request);
      return client.receive();
    }
  }
}
