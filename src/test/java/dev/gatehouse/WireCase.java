package dev.gatehouse;

import static dev.gatehouse.Bodies.assertSameBytes;
import static dev.gatehouse.Problems.assertProblem;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.Message;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RecordedRequest;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.Upstream.Conversation;
import dev.gatehouse.testing.Upstream.Then;
import dev.gatehouse.testing.UpstreamThat;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One row of the conformance table: the bytes that client and service send, and what each must
 * receive. Unless a row says otherwise, that is what the other has sent: the request line, every
 * field's values in count and order, the body, the trailer fields; besides, only the fields that
 * the gateway adds. And the client's connection must be good for a next request, whose answer holds
 * no byte of this one's.
 */
final class WireCase {
  /** What becomes of the client's connection. */
  enum Fate {
    /** A next request is answered on it. */
    KEPT,
    /** It is closed behind the answer. */
    CLOSED,
    /** Either is right. */
    ANY
  }

  /** How the body of an answer may end. */
  enum Framing {
    LENGTH,
    CHUNKED,
    CLOSE,
    NONE
  }

  private static final Set<String> ADDED_TO_REQUESTS =
      Set.of(
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

  private static final Set<String> ADDED_TO_ANSWERS =
      Set.of(
          "via",
          "x-request-id",
          "date",
          "server",
          "content-length",
          "transfer-encoding",
          "connection",
          "keep-alive",
          "trailer");

  /** Of one connection: each side says its own. */
  private static final Set<String> NOT_COMPARED = Set.of("connection", "keep-alive", "trailer");

  private static final String ANY_CODE = "any";

  private final String name;
  private String client = "";
  private boolean withoutHost;
  private boolean waitsFor100;
  private Conversation service = talk -> Then.CLOSE;
  private String said = "";
  private final List<Map.Entry<Predicate<RunningGateway>, Consumer<WireCase>>> differences =
      new ArrayList<>();

  private int arrivals = 1;
  private final Map<String, List<String>> arriving = new HashMap<>();
  private byte @Nullable [] arrivingBody;
  private @Nullable List<String> arrivingTrailers;

  private int status;
  private String code = "";
  private boolean broken;
  private boolean wordless;
  private boolean cutShort;
  private final Map<String, List<String>> received = new HashMap<>();
  private @Nullable String receivedBody;
  private @Nullable List<String> receivedTrailers;
  private List<String> interim = List.of();
  private Set<Framing> framing = Set.of(Framing.values());
  private Fate fate = Fate.KEPT;

  private WireCase(String name) {
    this.name = name;
  }

  /** Begins a row. */
  static WireCase the(String name) {
    return new WireCase(name);
  }

  // What they send.

  /**
   * The request: lines with a line end between each two, so an empty one ends the head. The path is
   * below the service's prefix; HTTP/1.1, Host and Authorization are added.
   */
  WireCase client(String... lines) {
    client = String.join("\r\n", lines);
    return this;
  }

  WireCase withoutHost() {
    withoutHost = true;
    return this;
  }

  /** The body is sent when a 100 Continue has come, and not after a final answer. */
  WireCase waitsFor100() {
    waitsFor100 = true;
    return this;
  }

  /** The answer, when the whole request was heard: lines as in {@link #client}. */
  WireCase service(String... lines) {
    return service(Then.KEEP, lines);
  }

  /** The answer, and what becomes of the connection then. */
  WireCase service(Then then, String... lines) {
    return talk(
        talk -> {
          if (!talk.hear()) {
            return Then.CLOSE;
          }
          talk.say(lines);
          return then;
        },
        lines);
  }

  /** An answer before anything of the body was heard; the service then listens on. */
  WireCase serviceAtOnce(String... lines) {
    return talk(
        talk -> {
          talk.say(lines);
          return Then.SILENCE;
        },
        lines);
  }

  /** The answer, after interim ones that are said when the head has come. */
  WireCase serviceAfter(String[] interimLines, String... lines) {
    return talk(
        talk -> {
          talk.say(interimLines);
          if (!talk.hear()) {
            return Then.CLOSE;
          }
          talk.say(lines);
          return Then.KEEP;
        },
        lines);
  }

  private WireCase talk(Conversation conversation, String... answer) {
    service = conversation;
    said = String.join("\r\n", answer);
    status =
        answer[0].matches("HTTP/1\\.[01] \\d{3}( .*)?")
            ? Integer.parseInt(answer[0].substring(9, 12))
            : 0;
    return this;
  }

  // What the service receives.

  /** The request is answered by the gateway, or by its server. */
  WireCase reachesNobody() {
    arrivals = 0;
    return this;
  }

  /** The values with which a field arrives, if not as sent. */
  WireCase arriving(String field, String... values) {
    arriving.put(field.toLowerCase(Locale.ROOT), List.of(values));
    return this;
  }

  /** Fields that do not arrive. */
  WireCase notArriving(String... fields) {
    Stream.of(fields).forEach(this::arriving);
    return this;
  }

  /** Without its body, or any byte of it. */
  WireCase arrivingWithoutBody() {
    arrivingBody = new byte[0];
    return this;
  }

  /** The trailer fields that arrive, if not as sent. */
  WireCase arrivingTrailers(String... lines) {
    arrivingTrailers = List.of(lines);
    return this;
  }

  // What the client receives.

  /** A status other than the service's. */
  WireCase status(int expected) {
    status = expected;
    return this;
  }

  /** A problem of the gateway's own, whatever its code. */
  WireCase refused(int expected) {
    return refused(expected, ANY_CODE);
  }

  /** A problem of the gateway's own. */
  WireCase refused(int expected, String expectedCode) {
    status = expected;
    code = expectedCode;
    return this;
  }

  /** The client receives a status and an empty body: there is no way to say more. */
  WireCase refusedWithoutAWord(int expected) {
    wordless = true;
    return status(expected);
  }

  /** The values with which a field is received, if not as sent. */
  WireCase receiving(String field, String... values) {
    received.put(field.toLowerCase(Locale.ROOT), List.of(values));
    return this;
  }

  /** Fields that are not received. */
  WireCase notReceiving(String... fields) {
    Stream.of(fields).forEach(this::receiving);
    return this;
  }

  /** The body that is received, if not the one that was sent. */
  WireCase body(String expected) {
    receivedBody = expected;
    return this;
  }

  /** The trailer fields that are received, if not as sent. */
  WireCase receivingTrailers(String... lines) {
    receivedTrailers = List.of(lines);
    return this;
  }

  /** The lines of the interim answers that are received, other than 100. */
  WireCase interim(String... lines) {
    interim = List.of(lines);
    return this;
  }

  /** The ways in which the answer's body may end. */
  WireCase framed(Framing... allowed) {
    framing = Set.of(allowed);
    return this;
  }

  /** An answer that does not look whole: broken off, or refused before any of it was sent. */
  WireCase brokenOff() {
    broken = true;
    return fate(Fate.ANY);
  }

  /** A start of what was sent, without a word that more should follow: HTTP/1.0 has none. */
  WireCase cutShort() {
    cutShort = true;
    return framed(Framing.CLOSE).fate(Fate.CLOSED);
  }

  WireCase fate(Fate expected) {
    fate = expected;
    return this;
  }

  /** What is different in some servers. */
  WireCase where(Predicate<RunningGateway> servers, Consumer<WireCase> difference) {
    differences.add(Map.entry(servers, difference));
    return this;
  }

  // The run.

  /** Plays the row through a gateway and compares. Once, for a row remembers its differences. */
  void play(RunningGateway gateway) {
    differences.stream()
        .filter(difference -> difference.getKey().test(gateway))
        .forEach(difference -> difference.getValue().accept(this));
    Upstream upstream = gateway.upstream("users");
    upstream.willTalk(service);
    String bytes = bytes(gateway);
    Message request = Message.of(bytes);
    try (RawClient connection = gateway.connect()) {
      RawResponse answer = send(connection, bytes);
      assertThat(answer).satisfies(this::assertReceived);
      assertThat(upstream.requests()).as("arrivals").hasSize(arrivals);
      if (arrivals == 1) {
        assertArrived(request, upstream.only());
        assertThat(upstream.only().values("Host"))
            .containsExactly(upstream.url().substring("http://".length()));
        assertThat(upstream.only().values("X-Request-Id")).isEqualTo(answer.values("X-Request-Id"));
      }
      assertFate(gateway, connection);
    }
  }

  private String bytes(RunningGateway gateway) {
    int lineEnd = client.indexOf("\r\n");
    String[] words = client.substring(0, lineEnd).split(" ", -1);
    String line = words[0] + " " + gateway.context() + "/api/users" + words[1];
    String version = words.length > 2 ? words[2] : "HTTP/1.1";
    var own = gateway.request("GET", "/");
    if (withoutHost) {
      own.without("Host");
    }
    return own.text(line + " " + version, client.substring(lineEnd + 2));
  }

  private RawResponse send(RawClient connection, String bytes) {
    String method = bytes.substring(0, bytes.indexOf(' '));
    if (!waitsFor100) {
      connection.send(method, bytes.getBytes(ISO_8859_1));
      return connection.receive();
    }
    int bodyStart = bytes.indexOf("\r\n\r\n") + 4;
    connection.send(method, bytes.substring(0, bodyStart).getBytes(ISO_8859_1));
    RawResponse first = connection.receiveAny();
    if (first.status() != 100) {
      return first;
    }
    connection.send(method, bytes.substring(bodyStart).getBytes(ISO_8859_1));
    return connection.receive();
  }

  private void assertArrived(Message sent, RecordedRequest arrived) {
    String line = client.substring(0, client.indexOf("\r\n"));
    String target = line.split(" ", -1)[1].replaceFirst("^$|^(?=\\?)", "/");
    assertThat(arrived.requestLine()).isEqualTo(line.split(" ", 2)[0] + " " + target + " HTTP/1.1");
    Set<String> names = namesOf(sent);
    names.removeAll(NOT_COMPARED);
    names.removeAll(Set.of("host", "expect"));
    names.addAll(arriving.keySet());
    for (String field : names) {
      assertThat(arrived.values(field))
          .as("%s of the request", field)
          .isEqualTo(arriving.getOrDefault(field, sent.values(field)));
    }
    Set<String> invented = names(arrived.headerLines());
    invented.removeAll(namesOf(sent));
    invented.removeAll(arriving.keySet());
    assertThat(invented).as("fields that were added").isSubsetOf(ADDED_TO_REQUESTS);
    if (arrivingBody == null) {
      assertSameBytes(arrived.body(), sent.body().getBytes(ISO_8859_1));
    } else {
      await().atMost(Duration.ofSeconds(20)).until(arrived::left);
      assertThat(arrived.surplus()).as("bytes of a body that nobody wants").isEmpty();
    }
    assertThat(lowerNames(arrived.trailers()))
        .as("trailer fields of the request")
        .isEqualTo(lowerNames(arrivingTrailers == null ? sent.trailers() : arrivingTrailers));
  }

  private void assertReceived(RawResponse answer) {
    if (broken) {
      assertThat(answer)
          .matches(
              a -> a.status() == status ? !a.complete() : a.code().equals("upstream_reset"),
              "broken off");
      return;
    }
    if (wordless) {
      assertThat(answer.status()).isEqualTo(status);
      assertThat(answer.complete()).as("complete").isTrue();
      assertThat(answer.values("Content-Length")).containsExactly("0");
      assertThat(names(answer.headerLines())).isSubsetOf(ADDED_TO_ANSWERS);
      return;
    }
    if (!code.isEmpty()) {
      assertProblem(answer, status, code.equals(ANY_CODE) ? answer.code() : code);
      Set<String> names = names(answer.headerLines());
      names.removeAll(ADDED_TO_ANSWERS);
      assertThat(names).as("fields of the refusal").containsExactly("content-type");
      return;
    }
    assertThat(answer.status()).isEqualTo(status);
    assertThat(answer.complete()).as("complete: %s", answer).isTrue();
    assertThat(answer.interim().stream().filter(one -> one.status() != 100))
        .flatExtracting(WireCase::linesOfInterim)
        .isEqualTo(interim);
    if (arrivals == 1) {
      assertSameFields(Message.of(said), answer);
    }
    assertThat(framing).contains(framing(answer));
  }

  private static Collection<String> linesOfInterim(RawResponse answer) {
    List<String> lines = new ArrayList<>(List.of(String.valueOf(answer.status())));
    // A server may repeat what it has already been told for the answer.
    answer.headerLines().stream()
        .filter(line -> !line.matches("(?i)(X-Request-Id|Server|Date): .*"))
        .forEach(lines::add);
    return lines;
  }

  private void assertSameFields(Message sent, RawResponse answer) {
    Set<String> names = namesOf(sent);
    names.removeAll(NOT_COMPARED);
    names.removeAll(Set.of("transfer-encoding", "via", "x-request-id"));
    names.addAll(received.keySet());
    for (String field : names) {
      List<String> expected = received.getOrDefault(field, sent.values(field));
      // The spacing inside Content-Type is the server's.
      List<String> actual =
          field.equals("content-type") ? unspaced(answer.values(field)) : answer.values(field);
      assertThat(actual)
          .as("%s of the answer", field)
          .isEqualTo(field.equals("content-type") ? unspaced(expected) : expected);
    }
    Set<String> invented = names(answer.headerLines());
    invented.removeAll(namesOf(sent));
    invented.removeAll(received.keySet());
    assertThat(invented).as("fields that were added").isSubsetOf(ADDED_TO_ANSWERS);
    assertThat(answer.values("X-Request-Id")).hasSize(1);
    List<String> via = new ArrayList<>(sent.values("Via"));
    via.add("1.1 gatehouse");
    assertThat(String.join(", ", answer.values("Via"))).isEqualTo(String.join(", ", via));
    boolean bodiless = client.startsWith("HEAD ") || Set.of(204, 205, 304).contains(status);
    String expected = sent.body();
    if (receivedBody != null) {
      expected = receivedBody;
    } else if (bodiless) {
      expected = "";
    }
    if (cutShort) {
      expected = expected.substring(0, answer.body().length);
    }
    assertSameBytes(answer.body(), expected.getBytes(ISO_8859_1));
    assertThat(lowerNames(answer.trailers()))
        .as("trailer fields of the answer")
        .isEqualTo(lowerNames(receivedTrailers == null ? sent.trailers() : receivedTrailers));
  }

  /** The letter case of names is the server's. */
  private static List<String> lowerNames(List<String> lines) {
    return lines.stream()
        .map(
            line -> {
              int colon = line.indexOf(':');
              return line.substring(0, colon).toLowerCase(Locale.ROOT) + line.substring(colon);
            })
        .toList();
  }

  private static List<String> unspaced(List<String> values) {
    return values.stream().map(value -> value.replace("; ", ";")).toList();
  }

  private Framing framing(RawResponse answer) {
    boolean chunked = answer.values("Transfer-Encoding").contains("chunked");
    boolean length = !answer.values("Content-Length").isEmpty();
    assertThat(chunked && length).as("a length and chunks: %s", answer).isFalse();
    if (client.startsWith("HEAD ") || answer.status() == 204 || answer.status() == 304) {
      return Framing.NONE;
    }
    if (chunked) {
      return Framing.CHUNKED;
    }
    return length ? Framing.LENGTH : Framing.CLOSE;
  }

  private void assertFate(RunningGateway gateway, RawClient connection) {
    if (fate == Fate.KEPT) {
      int before = gateway.upstream("users").requests().size();
      gateway
          .upstream("users")
          .will(UpstreamThat.answers("X-Next: 1", "next".getBytes(ISO_8859_1)));
      connection.send(gateway.request("GET", "/api/users/next"));
      RawResponse next = connection.receive();
      assertThat(next.status()).as("%s", next).isEqualTo(200);
      assertThat(next.text()).isEqualTo("next");
      assertThat(next.values("X-Next")).containsExactly("1");
      List<RecordedRequest> requests = gateway.upstream("users").requests();
      assertThat(requests).hasSize(before + 1);
      assertThat(requests.get(before).requestLine()).isEqualTo("GET /next HTTP/1.1");
    } else if (fate == Fate.CLOSED) {
      assertThat(connection.receiveRest()).as("bytes behind the answer").isEmpty();
    }
  }

  private static Set<String> namesOf(Message message) {
    return names(message.head().subList(1, message.head().size()));
  }

  private static Set<String> names(List<String> lines) {
    Set<String> names = new HashSet<>();
    for (String line : lines) {
      names.add(line.substring(0, Math.max(0, line.indexOf(':'))).toLowerCase(Locale.ROOT));
    }
    return names;
  }

  @Override
  public String toString() {
    return name;
  }
}
