package dev.gatehouse;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.Upstream.Then;
import dev.gatehouse.testing.UpstreamThat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What the rows of docs/containers.md are about, by their first cells: each does it, and says in
 * the words of the other cells what came of it.
 */
final class ContainerProbes {
  private static final String REACHES = "reaches the service";
  private static final String LIVES = "lives on";
  private static final String CLOSED = "closed without an answer";
  private static final String EVENT = "data: 1\n\n";

  /** For the table of requests. */
  static final Map<String, Function<RunningGateway, String>> REQUESTS = requests();

  /** For the table of time-outs; the server's must be short. */
  static final Map<String, Function<RunningGateway, String>> TIMEOUTS = timeouts();

  private ContainerProbes() {}

  private static Map<String, Function<RunningGateway, String>> requests() {
    Map<String, Function<RunningGateway, String>> probes = new LinkedHashMap<>();
    probes.put(
        "query with raw `[ ] { } | ^`",
        targets("/1?a=[", "/1?a=]", "/1?{", "/1?a=}", "/1?a|b", "/1?^"));
    probes.put("query with raw UTF-8", targets("/1?\u00c3\u00a9", "/1?a=\u00e2\u0082\u00ac"));
    probes.put("query with other bytes above 127", targets("/1?\u00e9", "/1?a=\u00ff"));
    probes.put("path with raw `{ } |`", targets("/{a", "/a}", "/a|b"));
    probes.put("path with raw `\" < > ^` or a backquote", targets("/\"", "/a<", "/>", "/^", "/`"));
    probes.put("path with bytes above 127", targets("/\u00c3\u00a9", "/\u00e9"));
    probes.put("path with a fragment", targets("/a#b"));
    probes.put("path with `%2F`", targets("/a%2Fb", "/a%2fb", "/..%2Fb"));
    probes.put("path with `%5C`", targets("/a%5Cb", "/..%5cb"));
    probes.put("path with `%00`, `%zz`", targets("/a%00b", "/%zz", "/a%"));
    probes.put("path with UTF-8 that is wrong: `%c0%ae`, `%ff`", targets("/%c0%ae", "/%ff"));
    probes.put("path with `//`, `%2e%2e`, `..;`", targets("//a", "/%2e%2e/a", "/..;/a", "/.;/a"));
    probes.put("path with `/x/../`", targets("/x/../a", "/./a"));
    probes.put("path with `%25`", targets("/a%25b", "/%252e%252e/a"));
    probes.put("path with `;v=1`, `%70`", targets("/a;v=1", "/a;v=1/b", "/%70"));
    probes.put("URI of 7 kB", targets("/1?" + "a".repeat(6_500)));
    probes.put("URI of 20 kB", targets("/1?" + "a".repeat(20_000)));
    probes.put("header of 20 kB", headers("X-Long: " + "a".repeat(20_000)));
    probes.put("300 headers", headers(lines(300)));
    probes.put("folded header line", headers("X-Folded: a\r\n b"));
    probes.put(
        "header without name, with space before its colon, with NUL",
        gateway ->
            distinct(
                Stream.of(": a", "X-A : a", "X-A: a\0b")
                    .map(line -> headers(line).apply(gateway))));
    probes.put("two `Host`", headers("Host: b"));
    probes.put(
        "two `Content-Length`",
        gateway -> outcome(gateway, "POST /1", "Content-Length: 2\r\nContent-Length: 3", "abc"));
    probes.put(
        "`Content-Length` and `Transfer-Encoding`",
        gateway ->
            outcome(
                gateway,
                "POST /1",
                "Content-Length: 5\r\nTransfer-Encoding: chunked",
                "1\r\na\r\n0\r\n\r\n"));
    probes.put(
        "`Transfer-Encoding: gzip, chunked`",
        gateway ->
            outcome(gateway, "POST /1", "Transfer-Encoding: gzip, chunked", "1\r\na\r\n0\r\n\r\n"));
    probes.put("`TRACE`", gateway -> outcome(gateway, "TRACE /1", "", ""));
    probes.put("`CONNECT`", gateway -> sent(gateway, "CONNECT a.example:443", "", ""));
    probes.put("`OPTIONS *`", gateway -> sent(gateway, "OPTIONS *", "", ""));
    probes.put(
        "`/WEB-INF/…`, `/META-INF/…`",
        gateway ->
            distinct(
                Stream.of("/WEB-INF/web.xml", "/META-INF/MANIFEST.MF")
                    .map(path -> sent(gateway, "GET " + path, "", ""))));
    probes.put("`Expect: 100-continue`", ContainerProbes::continues);
    probes.put("trailers of a request", ContainerProbes::requestTrailers);
    probes.put("head of an answer of 9 kB", gateway -> answerHead(gateway, 9_000));
    probes.put("`Content-Length` in a 304", ContainerProbes::lengthInNotModified);
    return probes;
  }

  private static Map<String, Function<RunningGateway, String>> timeouts() {
    Map<String, Function<RunningGateway, String>> probes = new LinkedHashMap<>();
    probes.put("a connection without a request", ContainerProbes::noRequest);
    probes.put("a connection between two requests", ContainerProbes::betweenRequests);
    probes.put("a head that does not come whole", ContainerProbes::halfHead);
    probes.put("an upload that pauses", ContainerProbes::pausingUpload);
    probes.put("an upload that pauses, and is answered meanwhile", ContainerProbes::answeredUpload);
    probes.put("a service that takes its time", ContainerProbes::slowService);
    probes.put("an answer that pauses", ContainerProbes::pausingAnswer);
    probes.put("an event stream without an event", ContainerProbes::quietStream);
    probes.put("a client that does not read on", ContainerProbes::slowReader);
    return probes;
  }

  private static Function<RunningGateway, String> targets(String... targets) {
    return gateway ->
        distinct(Arrays.stream(targets).map(target -> outcome(gateway, "GET " + target, "", "")));
  }

  private static Function<RunningGateway, String> headers(String lines) {
    return gateway -> outcome(gateway, "GET /1", lines, "");
  }

  /** One word where all say the same. */
  private static String distinct(Stream<String> outcomes) {
    return outcomes.distinct().collect(Collectors.joining(" / "));
  }

  private static String lines(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> "X-" + i + ": a")
        .collect(Collectors.joining("\r\n"));
  }

  /** Sends a request to a service. */
  private static String outcome(
      RunningGateway gateway, String methodAndPath, String lines, String body) {
    return sent(gateway, methodAndPath.replaceFirst(" ", " /api/users"), lines, body);
  }

  private static String sent(
      RunningGateway gateway, String methodAndTarget, String lines, String body) {
    String mark = "probe-" + UUID.randomUUID();
    gateway.upstream("users").fresh();
    RawResponse answer;
    try (RawClient client = gateway.connect()) {
      client.send(request(gateway, mark, methodAndTarget, lines, body));
      answer = client.receive();
    }
    boolean byGateway = !answer.values("X-Request-Id").isEmpty();
    int arrivals = gateway.arrivals();
    assertLogged(gateway, mark, byGateway ? 1 : 0);
    if (arrivals > 0) {
      assertThat(answer.status()).as("%s: %s", methodAndTarget, answer).isEqualTo(200);
      assertThat(byGateway).isTrue();
      return REACHES;
    }
    // OPTIONS * is about the server, and not about anything in it.
    assertThat(answer.status() >= 400 || methodAndTarget.equals("OPTIONS *"))
        .as("%s: %s", methodAndTarget, answer)
        .isTrue();
    return byGateway ? byGateway(answer) : answer.status() + " by the server";
  }

  private static byte[] request(
      RunningGateway gateway, String mark, String methodAndTarget, String lines, String body) {
    return RawRequest.of("", "")
        .bearer(Tokens.good(gateway.trust()))
        .line("User-Agent: " + mark)
        .text(
            methodAndTarget + " HTTP/1.1", lines + (lines.isEmpty() ? "" : "\r\n") + "\r\n" + body)
        .getBytes(ISO_8859_1);
  }

  private static String byGateway(RawResponse answer) {
    return answer.code().isEmpty()
        ? answer.status() + " by the gateway"
        : answer.status() + " `" + answer.code() + "` by the gateway";
  }

  /** Lines are written in their order: what is not there when a later one is, never comes. */
  private static void assertLogged(RunningGateway gateway, String mark, int lines) {
    if (lines == 0) {
      String later = "later-" + UUID.randomUUID();
      gateway.send(gateway.anonymous("GET", "/" + later));
      await().until(() -> !gateway.accessLog(later).isEmpty());
    } else {
      await().until(() -> !gateway.accessLog(mark).isEmpty());
    }
    assertThat(gateway.accessLog(mark)).hasSize(lines);
  }

  /** A server that asks at once has done so before the service knows of the request. */
  private static String continues(RunningGateway gateway) {
    CountDownLatch gate = new CountDownLatch(1);
    Upstream users = gateway.upstream("users");
    users.fresh();
    users.willTalk(
        talk -> {
          awaitOpen(gate);
          talk.say("HTTP/1.1 417 Expectation Failed", "Content-Length: 0", "", "");
          return Then.CLOSE;
        });
    String lines = "Expect: 100-continue\r\nContent-Length: 5";
    try (RawClient client = gateway.connect()) {
      client.send(request(gateway, "expecting", "POST /api/users/1", lines, ""));
      await().until(() -> users.requests().size() == 1);
      boolean atOnce = client.hasReceived();
      gate.countDown();
      assertThat(client.receive().status()).isEqualTo(417);
      return atOnce ? "100 at once" : "100 when the service asks for the body";
    } finally {
      gate.countDown();
    }
  }

  private static void awaitOpen(CountDownLatch gate) throws IOException {
    try {
      gate.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  private static String requestTrailers(RunningGateway gateway) {
    gateway.upstream("users").fresh();
    String lines = "Transfer-Encoding: chunked\r\nTrailer: X-Checked";
    String body = "1\r\na\r\n0\r\nX-Checked: yes\r\n\r\n";
    try (RawClient client = gateway.connect()) {
      client.send(request(gateway, "trailing", "POST /api/users/1", lines, body));
      assertThat(client.receive().status()).isEqualTo(200);
    }
    boolean there =
        gateway.upstream("users").only().trailers().stream()
            .anyMatch(line -> line.equalsIgnoreCase("X-Checked: yes"));
    return REACHES + (there ? " with them" : " without them");
  }

  private static String answerHead(RunningGateway gateway, int size) {
    gateway.upstream("users").will(UpstreamThat.sendsHugeHeader(size));
    RawResponse answer = gateway.get("/api/users/1");
    if (answer.status() != 200) {
      return byGateway(answer);
    }
    assertThat(answer.values("X-Huge").get(0)).hasSize(size);
    return "reaches the client";
  }

  private static String lengthInNotModified(RunningGateway gateway) {
    gateway
        .upstream("users")
        .will(
            UpstreamThat.answersWith("HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\n\r\n"));
    RawResponse answer = gateway.get("/api/users/1");
    assertThat(answer.status()).isEqualTo(304);
    return answer.values("Content-Length").isEmpty() ? "dropped" : "kept";
  }

  /** Lets more than the server's time-out pass: it closes a connection after that. */
  private static void outlast(RunningGateway gateway) {
    for (int i = 0; i < 2; i++) {
      noRequest(gateway);
    }
  }

  private static String noRequest(RunningGateway gateway) {
    try (RawClient client = gateway.connect()) {
      assertThat(client.receiveRest()).isEmpty();
      return CLOSED;
    }
  }

  private static String betweenRequests(RunningGateway gateway) {
    gateway.upstream("users").fresh();
    try (RawClient client = gateway.connect()) {
      client.send(gateway.request("GET", "/api/users/1"));
      assertThat(client.receive().status()).isEqualTo(200);
      assertThat(client.receiveRest()).isEmpty();
      return CLOSED;
    }
  }

  private static String halfHead(RunningGateway gateway) {
    try (RawClient client = gateway.connect()) {
      client.send("GET /api/users/1 HTTP/1.1\r\nHost: a\r\n".getBytes(UTF_8));
      return answerOrEnd(client);
    }
  }

  private static String pausingUpload(RunningGateway gateway) {
    gateway.upstream("users").fresh();
    String outcome;
    try (RawClient client = gateway.connect()) {
      client.send(
          request(gateway, "pausing", "POST /api/users/1", "Content-Length: 100", "half of it"));
      outcome = answerOrEnd(client);
    }
    await().until(() -> gateway.upstream("users").busy() == 0);
    assertThat(gateway.upstream("users").only().complete()).isFalse();
    return outcome;
  }

  private static String answeredUpload(RunningGateway gateway) {
    gateway.upstream("users").fresh();
    gateway
        .upstream("users")
        .willTalk(
            talk -> {
              String head = "HTTP/1.1 200 OK";
              String type = "Content-Type: application/x-ndjson";
              talk.say(head, type, "Transfer-Encoding: chunked", "", "2", "{}", "");
              return Then.SILENCE;
            });
    try (RawClient client = gateway.connect()) {
      client.send(
          request(gateway, "answered", "POST /api/users/1", "Content-Length: 100", "half of it"));
      return client.receive().complete() ? "looks whole" : "broken off";
    }
  }

  private static String answerOrEnd(RawClient client) {
    try {
      return byGateway(client.receive());
    } catch (UncheckedIOException e) {
      assertThat(e.getCause()).isNotInstanceOf(SocketTimeoutException.class);
      return CLOSED;
    }
  }

  private static String slowService(RunningGateway gateway) {
    CountDownLatch gate = new CountDownLatch(1);
    Upstream users = gateway.upstream("users");
    users.fresh();
    users.will(UpstreamThat.answersAfter(gate, UpstreamThat.answers("", "late".getBytes(UTF_8))));
    try (RawClient client = gateway.connect()) {
      client.send(gateway.request("GET", "/api/users/1"));
      await().until(() -> users.requests().size() == 1);
      outlast(gateway);
      gate.countDown();
      assertThat(client.receive().text()).isEqualTo("late");
      return LIVES;
    } finally {
      gate.countDown();
    }
  }

  private static String pausingAnswer(RunningGateway gateway) {
    return answerInTwo(gateway, "Content-Length: 18", "");
  }

  private static String quietStream(RunningGateway gateway) {
    return answerInTwo(gateway, "Content-Type: text/event-stream", EVENT);
  }

  /** The service sends a half, and the other when the server's time-out has passed. */
  private static String answerInTwo(RunningGateway gateway, String line, String firstToCome) {
    CountDownLatch gate = new CountDownLatch(1);
    Upstream users = gateway.upstream("users");
    users.fresh();
    users.will(
        (request, out) -> {
          out.write(("HTTP/1.1 200 OK\r\n" + line + "\r\n\r\n" + EVENT).getBytes(UTF_8));
          out.flush();
          return UpstreamThat.answersAfter(
                  gate,
                  (late, rest) -> {
                    rest.write(EVENT.getBytes(UTF_8));
                    return Then.CLOSE;
                  })
              .answer(request, out);
        });
    try (RawClient client = gateway.connect()) {
      client.send(gateway.request("GET", "/api/users/1"));
      await().until(() -> users.requests().size() == 1);
      outlast(gateway);
      gate.countDown();
      RawResponse answer = client.receive();
      assertThat(answer.text()).isEqualTo(EVENT + EVENT).startsWith(firstToCome);
      assertThat(answer.complete()).isTrue();
      return LIVES;
    } finally {
      gate.countDown();
    }
  }

  private static String slowReader(RunningGateway gateway) {
    int size = 30_000_000;
    gateway.upstream("users").will(UpstreamThat.answers("", new byte[size]));
    try (RawClient client = gateway.connect()) {
      client.send(gateway.request("GET", "/api/users/1"));
      assertThat(client.receiveHead().get(0)).contains(" 200");
      outlast(gateway);
      // The head promised so many.
      return receive(client, size) ? LIVES : "broken off";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean receive(RawClient client, int length) {
    try {
      client.receive(length);
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
