package dev.gatehouse;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RecordedRequest;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.RunningGateways;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.UpstreamThat;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * An answer that is quick, short and whole is waited for on the container's own thread; any other
 * is left to the client's. A client sees no difference.
 */
@OnEveryGateway(contexts = RunningGateways.STOCK)
class QuickAnswersIT {
  private static final String PATH = "/api/users/1";

  /** So long no thread of the container waits. */
  private static final Duration LONG = Duration.ofMillis(60);

  private static final String OK = "HTTP/1.1 200 OK\r\nX-Test: \"a b\", c\r\n";

  private final RunningGateway gateway;
  private final Upstream users;

  QuickAnswersIT(RunningGateway gateway) {
    this.gateway = gateway;
    this.users = gateway.upstream("users");
  }

  /** The next answer on the connection is waited for, because the last one was quick. */
  private void beQuick() {
    users.will(UpstreamThat.answers("", "quick".getBytes(US_ASCII)));
    for (int i = 0; i < 3; i++) {
      assertThat(gateway.get(PATH).text()).isEqualTo("quick");
    }
    users.forget();
  }

  private static Stream<Arguments> halves() {
    String length = OK + "Content-Length: 10\r\n\r\n";
    String chunked = OK + "Transfer-Encoding: chunked\r\n\r\n";
    String interim = "HTTP/1.1 102 Processing\r\n\r\n";
    String hint = "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n";
    return Stream.of(
        Arguments.of("", length + "0123456789"),
        Arguments.of("HTTP/1.1 200 O", length.substring(14) + "0123456789"),
        Arguments.of(length, "0123456789"),
        Arguments.of(length + "01234", "56789"),
        Arguments.of(length + "0123456789", ""),
        Arguments.of(chunked + "5\r\n01234\r\n", "5\r\n56789\r\n0\r\n\r\n"),
        Arguments.of(chunked + "a\r\n0123456789\r\n", "0\r\n\r\n"),
        Arguments.of(chunked + "a\r\n0123456789\r\n0\r\n\r\n", ""),
        Arguments.of(interim, length + "0123456789"),
        Arguments.of(interim + length + "01234", "56789"),
        Arguments.of(interim + length + "0123456789", ""),
        Arguments.of(hint, length + "0123456789"),
        Arguments.of(hint + length + "0123456789", ""));
  }

  @ParameterizedTest
  @MethodSource("halves")
  void anAnswerIsWholeHoweverItComes(String first, String second) {
    beQuick();
    users.willTalk(
        talk -> {
          talk.say(first);
          if (!second.isEmpty()) {
            talk.pause(LONG);
            talk.say(second);
          }
          return Upstream.Then.KEEP;
        });

    RawResponse answer = gateway.get(PATH);

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.values("X-Test")).containsExactly("\"a b\", c");
    assertThat(answer.complete()).isTrue();
    assertThat(answer.text()).isEqualTo("0123456789");
    assertThat(users.only().target()).isEqualTo("/1");
  }

  @ParameterizedTest
  @CsvSource({
    "GET, HTTP/1.1 204 No Content|Content-Length: 5||hello",
    "GET, HTTP/1.1 204 No Content|Transfer-Encoding: chunked||5|hello|0||",
    "GET, HTTP/1.1 200 OK|Transfer-Encoding: gzip|Content-Length: 5||hello",
    "HEAD, HTTP/1.1 200 OK|Transfer-Encoding: gzip||",
    "GET, HTTP/1.1 101 Switching Protocols|Upgrade: x|Connection: upgrade||HTTP/1.1 200 OK||",
    "GET, HTTP/2.0 200 OK|Content-Length: 5||hello",
    "GET, nonsense||"
  })
  void whatIsNoAnswerIsRefused(String method, String said) {
    beQuick();
    users.willTalk(
        talk -> {
          talk.say(said.split("\\|", -1));
          return Upstream.Then.KEEP;
        });

    assertThat(gateway.send(gateway.request(method, PATH)).status()).isEqualTo(502);

    beQuick();
  }

  private static Stream<Arguments> ends() {
    Upstream.Conversation unasked =
        talk -> {
          talk.say(OK + "Content-Length: 5\r\n\r\nfirst");
          talk.pause(LONG);
          talk.say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
          return Upstream.Then.KEEP;
        };
    return Stream.of(
            Arguments.of("closed", end(Upstream.Then.CLOSE), true),
            Arguments.of("reset", end(Upstream.Then.RESET), true),
            Arguments.of("an answer that nobody asked for", unasked, false))
        .flatMap(
            end ->
                Stream.of("GET", "POST")
                    .map(m -> Arguments.of(end.get()[0], end.get()[1], end.get()[2], m)));
  }

  private static Upstream.Conversation end(Upstream.Then then) {
    return talk -> {
      talk.say(OK + "Content-Length: 5\r\n\r\nfirst");
      return then;
    };
  }

  /** Nobody looks at a connection between two requests, so it is looked at before each. */
  @ParameterizedTest(name = "{0}, {3}")
  @MethodSource("ends")
  void nothingIsLeftOfAConnection(
      String what, Upstream.Conversation first, boolean closes, String method) {
    beQuick();
    users.willTalk(first);
    assertThat(gateway.get(PATH).text()).isEqualTo("first");
    RecordedRequest asked = users.only();
    await().until(() -> users.busy() == 0 && !(closes && users.holds(asked)));
    users.will(UpstreamThat.answers("", "second".getBytes(US_ASCII)));

    // For the answer to a request with a body nobody waits.
    RawRequest request = gateway.request(method, PATH);
    if (method.equals("POST")) {
      request.body("x".getBytes(US_ASCII));
    }
    List<String> answers = Stream.generate(() -> gateway.send(request).text()).limit(3).toList();

    assertThat(answers).containsOnly("second");
  }
}
