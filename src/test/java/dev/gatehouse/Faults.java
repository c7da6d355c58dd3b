package dev.gatehouse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.Fault.Client;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawHttp2Client;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RecordedRequest;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.Upstream.Conversation;
import dev.gatehouse.testing.Upstream.Talk;
import dev.gatehouse.testing.Upstream.Then;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Everything that breaks between a client and a service, many times over: what the client must see,
 * as what it must count, and that nothing of it stays behind.
 */
abstract class Faults {
  private static final String OK = "HTTP/1.1 200 OK";
  private static final String CHUNKS = "Transfer-Encoding: chunked";
  private static final String[] HELLO = {OK, "Content-Length: 5", "", "hello"};
  private static final String KILOBYTE = "k".repeat(1_024);
  private static final int LONG = 1_000_000;
  private static final int GOOD = 100;

  /** Within which the gateway must have left a service whose client has gone. */
  private static final Duration FREED = Duration.ofSeconds(2);

  /** Of server and client. They grow under load and shrink in minutes. */
  private static final Pattern POOLED = Pattern.compile("\"(qtp|gatehouse-client-|http-nio-).*");

  /** The JVM has some of its own that come and go; a leak would be one for each exchange. */
  private static final int JVMS_OWN = 10;

  private static int threadsBefore;

  private final RunningGateway gateway;
  private final String token;
  private final int times;
  private final int clients;

  /**
   * Each fault so many times.
   *
   * @param clients how many of them at once; twice as many if they only wait
   */
  Faults(RunningGateway gateway, int times, int clients) {
    this.gateway = gateway;
    this.token = Tokens.good(gateway.trust());
    this.times = times;
    this.clients = clients;
  }

  @BeforeParameterizedClassInvocation
  static void countThreads(RunningGateway gateway) {
    threadsBefore = threadsBesidesPools(gateway).size();
  }

  @AfterParameterizedClassInvocation
  static void noThreadIsHeld(RunningGateway gateway) {
    await("no thread is held by an exchange")
        .until(() -> gateway.server().threads().stream().noneMatch(Faults::isHeld));
    assertThat(threadsBesidesPools(gateway))
        .as("threads besides the pools'; there were %s", threadsBefore)
        .hasSizeLessThanOrEqualTo(threadsBefore + JVMS_OWN);
  }

  private static List<String> threadsBesidesPools(RunningGateway gateway) {
    return gateway.server().threads().stream()
        .filter(stack -> !POOLED.matcher(stack).lookingAt())
        .toList();
  }

  private static boolean isHeld(String stack) {
    return stack.contains("at dev.gatehouse.proxy.") || stack.contains("at dev.gatehouse.edge.");
  }

  @ParameterizedTest
  @MethodSource("faults")
  void aFaultIsSeenAndCountedAndLeavesNothingBehind(Fault fault) throws Exception {
    Upstream upstream = gateway.upstream(fault.service());
    awaitQuiet();
    String before = gateway.metrics();
    upstream.forget();
    upstream.willTalk(fault.conversation());

    // Who waits for a time-out is no load.
    atOnce(times, fault.waits() ? 2 * clients : clients, i -> fault.pay(gateway, token, i));

    soon("the service is left").atMost(FREED).until(upstream::busy, busy -> busy == 0);
    awaitQuiet();
    assertCounted(fault, before, gateway.metrics());
    if (fault.isUploadCutShort()) {
      assertThat(upstream.requests()).noneMatch(RecordedRequest::complete);
    }
    assertThat(timesOfPosts(upstream)).allSatisfy((post, often) -> assertThat(often).isOne());
    good();
    // The pool may open a connection for a request that then finds another one free.
    soon("no connections but pooled ones").until(upstream::open, open -> open <= 2 * clients);
  }

  private static ConditionFactory soon(String what) {
    return await(what).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(20));
  }

  private void awaitQuiet() {
    soon("no exchange is open")
        .until(() -> gateway.metric("gatehouse_exchanges_open"), open -> open == 0);
  }

  private static Map<String, Long> timesOfPosts(Upstream upstream) {
    return upstream.requests().stream()
        .filter(seen -> seen.method().equals("POST"))
        .collect(Collectors.groupingBy(RecordedRequest::target, Collectors.counting()));
  }

  private void good() throws Exception {
    gateway
        .upstream("faulty")
        .willTalk(
            talk -> {
              if (!talk.hear()) {
                return Then.CLOSE;
              }
              String target = talk.request().target();
              talk.say(OK, "Content-Length: " + target.length(), "", target);
              return Then.KEEP;
            });
    atOnce(
        GOOD,
        clients,
        i -> {
          String path = "/api/faulty/good-" + i;
          RawRequest request =
              i % 2 == 0
                  ? gateway.anonymous("GET", path)
                  : gateway.anonymous("POST", path).body(new byte[2_000]);
          RawResponse answer = gateway.send(request.bearer(token));
          assertThat(answer.status()).as("%s", answer).isEqualTo(200);
          assertThat(answer.text()).isEqualTo("/good-" + i);
        });
  }

  private static void atOnce(int count, int together, Work work) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(together);
    try {
      List<Callable<Void>> calls = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        int number = i;
        calls.add(
            () -> {
              work.doIt(number);
              return null;
            });
      }
      for (Future<Void> call : pool.invokeAll(calls, 10, TimeUnit.MINUTES)) {
        call.get();
      }
    } finally {
      pool.shutdownNow();
    }
  }

  private interface Work {
    void doIt(int number) throws IOException;
  }

  private void assertCounted(Fault fault, String before, String after) {
    Map<String, Integer> statuses =
        grown("gatehouse_requests_total", "status", fault, before, after);
    Map<String, Integer> failures = grown("gatehouse_failures_total", "code", fault, before, after);
    if (fault.status() == 0) {
      assertThat(statuses.values().stream().mapToInt(Integer::intValue).sum()).isEqualTo(times);
      return;
    }
    assertThat(statuses).as("by status").isEqualTo(Map.of(String.valueOf(fault.status()), times));
    assertThat(failures)
        .as("by failure")
        .isEqualTo(fault.code().isEmpty() ? Map.of() : Map.of(fault.code(), times));
  }

  /** By how much the counts of a service have grown, by the value of a label. */
  private static Map<String, Integer> grown(
      String metric, String label, Fault fault, String before, String after) {
    Pattern line =
        Pattern.compile(
            "(?m)^"
                + metric
                + "\\{(?=.*service=\""
                + fault.service()
                + "\").*"
                + label
                + "=\"(\\w+)\".* (\\S+)$");
    Map<String, Integer> grown = new TreeMap<>();
    line.matcher(after)
        .results()
        .forEach(found -> grown.merge(found.group(1), number(found), Integer::sum));
    line.matcher(before)
        .results()
        .forEach(found -> grown.merge(found.group(1), -number(found), Integer::sum));
    grown.values().removeIf(growth -> growth == 0);
    return grown;
  }

  private static int number(MatchResult found) {
    return (int) Double.parseDouble(found.group(2));
  }

  // The tables.

  static Stream<Fault> faults() {
    return Stream.of(services(), staleConnections(), clients(), resetDownloads())
        .flatMap(rows -> rows);
  }

  private static Stream<Fault> services() {
    return Stream.concat(
        Stream.of(
            Fault.of("refuses", "nobody").refused(502, "upstream_unreachable"),
            Fault.of("accepts and never answers")
                .service(talk -> Then.SILENCE)
                .refused(504, "upstream_timeout"),
            Fault.of("resets instead of answering")
                .service(heard(talk -> Then.RESET))
                .refused(502, "upstream_reset"),
            Fault.of("closes instead of answering")
                .service(heard(talk -> Then.CLOSE))
                .refused(502, "upstream_reset"),
            Fault.of("resets without reading")
                .service(talk -> Then.RESET)
                .refused(502, "upstream_reset"),
            Fault.of("resets within its head")
                .service(says(Then.RESET, OK, "Content-Length: 5", "X-Ha"))
                .refused(502, "upstream_reset"),
            Fault.of("closes within its head")
                .service(says(Then.CLOSE, OK, "Content-Length: 5", "X-Ha"))
                .refused(502, "upstream_reset"),
            Fault.of("speaks garbage")
                .service(says(Then.CLOSE, "220 mail.example ESMTP ready", "", ""))
                .refused(502, "upstream_garbled"),
            Fault.of("speaks garbage and stays")
                .service(says(Then.SILENCE, "\u0015\u0003\u0001\u0000\u0002\u0002P"))
                .refused(502, "upstream_garbled"),
            Fault.of("sends huge headers")
                .service(says(Then.CLOSE, OK, "X-Huge: " + "h".repeat(200_000), "", ""))
                .refused(502, "upstream_garbled"),
            Fault.of("sends headers without an end")
                .service(
                    heard(
                        talk -> {
                          talk.say(OK, "");
                          for (int i = 0; i < 1_000; i++) {
                            talk.say("X-" + i + ": " + KILOBYTE, "");
                          }
                          return Then.SILENCE;
                        }))
                .refused(502, "upstream_garbled"),
            Fault.of("drips headers")
                .service(
                    heard(
                        talk -> {
                          talk.say(OK, "");
                          drip(talk, 50, "X-A: b\r\n");
                          return Then.CLOSE;
                        }))
                .refused(504, "upstream_timeout"),
            Fault.of("stalls within its head")
                .service(says(Then.SILENCE, OK, "X-Ha"))
                .refused(504, "upstream_timeout"),
            Fault.of("drips its body, each byte in time")
                .service(
                    heard(
                        talk -> {
                          talk.say(OK, "Content-Length: 24", "", "");
                          drip(talk, 24, "a");
                          return Then.KEEP;
                        }))
                .client(client -> assertWhole(client.ask(), 200, "a".repeat(24)))
                .counts(200),
            Fault.of("drips its body in chunks, each in time")
                .service(
                    heard(
                        talk -> {
                          talk.say(OK, CHUNKS, "", "");
                          drip(talk, 24, "1\r\na\r\n");
                          talk.say("0", "", "");
                          return Then.KEEP;
                        }))
                .client(client -> assertWhole(client.ask(), 200, "a".repeat(24)))
                .counts(200),
            Fault.of("answers while the client still uploads")
                .service(
                    talk -> {
                      talk.say("HTTP/1.1 413 Too Much", "Content-Length: 4", "", "much");
                      return Then.SILENCE;
                    })
                .client(
                    client -> {
                      try (RawClient connection = client.connect()) {
                        connection.send(
                            client.request("POST").line("Content-Length: " + 10 * LONG));
                        connection.send("only a part".getBytes(UTF_8));
                        assertWhole(connection.receive(), 413, "much");
                        assertThat(connection.receiveRest())
                            .as("bytes behind the answer")
                            .isEmpty();
                      }
                    })
                .counts(413)
                .uploadCutShort(),
            Fault.of("answers an upload that goes on, and hears the rest")
                .service(
                    talk -> {
                      talk.say("HTTP/1.1 413 Too Much", "Content-Length: 4", "", "much");
                      talk.hear();
                      return Then.CLOSE;
                    })
                .client(
                    client -> {
                      try (RawClient connection = client.connect()) {
                        connection.send(
                            client.request("POST").line("Content-Length: " + 10 * LONG));
                        goOn(connection);
                        assertWhole(connection.receive(), 413, "much");
                      }
                    })
                .counts(413)
                .uploadCutShort(),
            Fault.of("answers and closes while the client still uploads")
                .service(
                    talk -> {
                      talk.say("HTTP/1.1 413 Too Much", "Content-Length: 4", "", "much");
                      return Then.CLOSE;
                    })
                .client(
                    client -> {
                      try (RawClient connection = client.connect()) {
                        connection.send(client.request("POST").line(CHUNKS));
                        connection.send("3\r\nabc\r\n".getBytes(UTF_8));
                        assertWhole(connection.receive(), 413, "much");
                      }
                    })
                .uploadCutShort()),
        Stream.of(Then.RESET, Then.CLOSE, Then.SILENCE).flatMap(Faults::breaksOff));
  }

  private static void goOn(RawClient connection) {
    try {
      for (int i = 0; i < 100 && !connection.hasReceived(); i++) {
        connection.send(KILOBYTE.getBytes(UTF_8));
      }
    } catch (UncheckedIOException closed) {
      // The server may close the connection behind its answer.
      assertThat(connection.hasReceived()).as("answered").isTrue();
    }
  }

  private static Stream<Fault> breaksOff(Then then) {
    String how =
        switch (then) {
          case RESET -> "resets within ";
          case CLOSE -> "closes within ";
          default -> "stalls within ";
        };
    int status = then == Then.SILENCE ? 504 : 502;
    String code = then == Then.SILENCE ? "upstream_timeout" : "upstream_reset";
    return Stream.of(
        Fault.of(how + "a short body with a length")
            .service(says(then, OK, "Content-Length: 20", "", "half of it"))
            .brokenOff(status, code),
        Fault.of(how + "a long body with a length")
            .service(says(then, OK, "Content-Length: " + 2 * LONG, "", "l".repeat(LONG)))
            .brokenOff(status, code),
        Fault.of(how + "a short body in chunks")
            .service(says(then, OK, CHUNKS, "", "a", "half of it", ""))
            .brokenOff(status, code),
        Fault.of(how + "a long body in chunks")
            .service(says(then, OK, CHUNKS, "", "f4240", "l".repeat(LONG), ""))
            .brokenOff(status, code));
  }

  private static Stream<Fault> staleConnections() {
    Set<Integer> used = ConcurrentHashMap.newKeySet();
    Conversation closesUsed =
        talk -> {
          if (!used.add(talk.request().connection())) {
            return Then.CLOSE;
          }
          talk.hear();
          talk.say(HELLO);
          return Then.KEEP;
        };
    Fault.Visit eitherWay =
        client -> {
          RawResponse answer = client.post();
          if (answer.status() == 200) {
            assertWhole(answer, 200, "hello");
          } else {
            Problems.assertProblem(answer, 502, "upstream_reset");
          }
        };
    return Stream.of(
        Fault.of("closes behind its answer, without having said so; GET")
            .service(says(Then.CLOSE, HELLO))
            .client(client -> assertWhole(client.get(), 200, "hello"))
            .counts(200),
        Fault.of("closes behind its answer, without having said so; POST")
            .service(says(Then.CLOSE, HELLO))
            .client(eitherWay),
        Fault.of("resets behind its answer, without having said so; GET")
            .service(says(Then.RESET, HELLO))
            .client(client -> assertWhole(client.get(), 200, "hello"))
            .counts(200),
        Fault.of("closes a used connection when the next request comes; GET")
            .service(closesUsed)
            .client(client -> assertWhole(client.get(), 200, "hello"))
            .counts(200),
        Fault.of("closes a used connection when the next request comes; POST")
            .service(closesUsed)
            .client(eitherWay));
  }

  private static Stream<Fault> clients() {
    return Stream.of(
        Fault.of("client aborts within an upload with a length")
            .service(talk -> talk.hear() ? Then.KEEP : Then.CLOSE)
            .client(client -> upload(client, "Content-Length: " + LONG, KILOBYTE, RawClient::abort))
            .counts(499, "client_gone")
            .uploadCutShort(),
        Fault.of("client aborts within an upload in chunks")
            .service(talk -> talk.hear() ? Then.KEEP : Then.CLOSE)
            .client(
                client -> upload(client, CHUNKS, "400\r\n" + KILOBYTE + "\r\n", RawClient::abort))
            .counts(499, "client_gone")
            .uploadCutShort(),
        Fault.of("client aborts within a chunk")
            .service(talk -> talk.hear() ? Then.KEEP : Then.CLOSE)
            .client(client -> upload(client, CHUNKS, "800\r\n" + KILOBYTE, RawClient::abort))
            .counts(499, "client_gone")
            .uploadCutShort(),
        Fault.of("client closes within an upload with a length")
            .service(talk -> talk.hear() ? Then.KEEP : Then.CLOSE)
            .client(client -> upload(client, "Content-Length: " + LONG, KILOBYTE, RawClient::close))
            .counts(499, "client_gone")
            .uploadCutShort(),
        Fault.of("client closes within an upload in chunks")
            .service(talk -> talk.hear() ? Then.KEEP : Then.CLOSE)
            .client(
                client -> upload(client, CHUNKS, "400\r\n" + KILOBYTE + "\r\n", RawClient::close))
            .counts(499, "client_gone")
            .uploadCutShort(),
        Fault.of("client stalls within an upload with a length")
            .service(talk -> talk.hear() ? Then.KEEP : Then.CLOSE)
            .client(client -> stall(client, "Content-Length: " + LONG, KILOBYTE))
            .counts(408, "client_timeout")
            .uploadCutShort(),
        Fault.of("client stalls within an upload in chunks")
            .service(talk -> talk.hear() ? Then.KEEP : Then.CLOSE)
            .client(client -> stall(client, CHUNKS, "400\r\n" + KILOBYTE + "\r\n"))
            .counts(408, "client_timeout")
            .uploadCutShort(),
        Fault.of("client aborts within a download with a length")
            .service(endless("Content-Length: " + Long.MAX_VALUE, KILOBYTE))
            .client(client -> download(client, RawClient::abort))
            .counts(499, "client_gone"),
        Fault.of("client aborts within a download in chunks")
            .service(endless(CHUNKS, "400\r\n" + KILOBYTE + "\r\n"))
            .client(client -> download(client, RawClient::abort))
            .counts(499, "client_gone"),
        Fault.of("client closes within a download in chunks")
            .service(endless(CHUNKS, "400\r\n" + KILOBYTE + "\r\n"))
            .client(client -> download(client, RawClient::close))
            .counts(499, "client_gone"),
        Fault.of("client aborts before the answer")
            .serviceOnceClientLeft(
                talk -> {
                  talk.say(OK, CHUNKS, "", "");
                  while (true) {
                    talk.say("400\r\n" + KILOBYTE, "");
                  }
                })
            .client(Faults::leaveBeforeTheAnswer)
            .counts(499, "client_gone"),
        Fault.of("client aborts, and the service never answers")
            .service(talk -> Then.SILENCE)
            .client(Faults::leaveBeforeTheAnswer)
            .counts(499, "client_gone"),
        Fault.of("client says no more behind its request, and still gets its answer")
            .service(
                heard(
                    talk -> {
                      talk.pause(Duration.ofMillis(100));
                      talk.say(HELLO);
                      return Then.KEEP;
                    }))
            .client(
                client -> {
                  try (RawClient connection = client.connect()) {
                    connection.send(client.request("GET"));
                    connection.endOutput();
                    assertWhole(connection.receive(), 200, "hello");
                  }
                })
            .counts(200),
        Fault.of("client does not read its answer")
            .service(endless(CHUNKS, "400\r\n" + KILOBYTE + "\r\n"))
            .client(
                client -> {
                  try (RawClient connection = client.connect()) {
                    connection.send(client.request("GET"));
                    client.awaitEnd();
                  }
                })
            .counts(499, "client_gone"),
        Fault.of("client resets its HTTP/2 connection within a stream of events")
            .service(heard(talk -> sayOwnPathForEver(talk, "Content-Type: text/event-stream")))
            .client(Faults::resetDownload)
            .counts(499, "client_gone"));
  }

  static Stream<Fault> resetDownloads() {
    return Stream.of(
        Fault.of("client resets its HTTP/2 connection within a download")
            .service(heard(talk -> sayOwnPathForEver(talk, "Content-Type: text/plain")))
            .client(Faults::resetDownload)
            .counts(499, "client_gone"),
        Fault.of("client resets a download, and goes on with its HTTP/2 connection")
            .service(heard(talk -> sayOwnPathForEver(talk, "Content-Type: text/plain")))
            .client(
                client -> {
                  try (RawHttp2Client connection = new RawHttp2Client(client.connect())) {
                    beginDownload(connection, client);
                    connection.cancel();
                    connection.next();
                    connection.get(client.pathOf("/gateway/health/live"), client.token());
                    assertThat(connection.receiveStatus()).isEqualTo(200);
                  }
                })
            .counts(499, "client_gone"));
  }

  /** Tells whose answer it is: servers use an exchange's objects again for the next. */
  private static Then sayOwnPathForEver(Talk talk, String type) throws IOException {
    String part = (talk.request().target() + "/").repeat(4_000);
    String chunk = String.join("\r\n", Integer.toHexString(part.length()), part, "");
    talk.say(OK, type, CHUNKS, "", "");
    while (true) {
      talk.say(chunk);
    }
  }

  private static void resetDownload(Client client) throws IOException {
    try (RawHttp2Client connection = new RawHttp2Client(client.connect())) {
      beginDownload(connection, client);
      connection.abort();
    }
  }

  private static void beginDownload(RawHttp2Client connection, Client client) throws IOException {
    connection.get(client.path(), client.token());
    String own = client.path().substring(client.path().lastIndexOf('/')) + "/";
    String begin = own.repeat(10);
    assertThat(connection.receiveBody(begin.length())).asString().startsWith(begin);
  }

  // What services and clients do.

  private static Conversation heard(Conversation then) {
    return talk -> talk.hear() ? then.hold(talk) : Then.CLOSE;
  }

  private static Conversation says(Then then, String... lines) {
    return heard(
        talk -> {
          talk.say(lines);
          return then;
        });
  }

  private static Conversation endless(String framing, String part) {
    return heard(
        talk -> {
          talk.say(OK, framing, "", "");
          while (true) {
            talk.say(part);
          }
        });
  }

  private static void drip(Talk talk, int times, String drop) throws IOException {
    for (int i = 0; i < times; i++) {
      talk.pause(Duration.ofMillis(50));
      talk.say(drop);
    }
  }

  private interface Leaving {
    void leave(RawClient connection);
  }

  private static void upload(Client client, String framing, String part, Leaving leaving) {
    try (RawClient connection = client.connect()) {
      connection.send(client.request("POST").line(framing));
      connection.send(part.getBytes(UTF_8));
      client.awaitArrival();
      leaving.leave(connection);
    }
  }

  private static void stall(Client client, String framing, String part) {
    try (RawClient connection = client.connect()) {
      connection.send(client.request("POST").line(framing));
      connection.send(part.getBytes(UTF_8));
      Problems.assertProblem(connection.receive(), 408, "client_timeout");
    }
  }

  private static void download(Client client, Leaving leaving) throws IOException {
    try (RawClient connection = client.connect()) {
      connection.send(client.request("GET"));
      assertThat(connection.receiveHead().get(0)).contains(" 200");
      connection.receive(10_000);
      leaving.leave(connection);
    }
  }

  private static void leaveBeforeTheAnswer(Client client) {
    try (RawClient connection = client.connect()) {
      connection.send(client.request("GET"));
      client.awaitArrival();
      connection.abort();
    } finally {
      client.left();
    }
  }

  private static void assertWhole(RawResponse answer, int status, String body) {
    assertThat(answer.status()).as("%s", answer).isEqualTo(status);
    assertThat(answer.text()).isEqualTo(body);
    assertThat(answer.complete()).as("complete").isTrue();
  }
}
