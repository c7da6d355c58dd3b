package dev.gatehouse;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.NumberedRequest.Body;
import dev.gatehouse.NumberedRequest.Kind;
import dev.gatehouse.NumberedRequest.User;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawHttp2Client;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RecordedRequest;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.Upstream.Talk;
import dev.gatehouse.testing.Upstream.Then;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.hc.client5.http.async.methods.SimpleHttpRequest;
import org.apache.hc.client5.http.async.methods.SimpleHttpResponse;
import org.apache.hc.client5.http.async.methods.SimpleResponseConsumer;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.H2AsyncClientBuilder;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.message.BasicHttpRequest;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.http.nio.entity.BasicAsyncEntityProducer;
import org.apache.hc.core5.http.nio.support.BasicRequestProducer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Two users and nobody in particular ask in turn by the same connections, while clients leave and
 * services fail: at the service every request has the identity, the cookies and the body of its own
 * client, and every client gets its own answer and cookie.
 */
abstract class TwoUsers {
  private static final List<String> SERVICES =
      List.of("users", "products", "orders", "notifications", "inventory", "slow", "hasty");
  private static final int CONNECTIONS = 16;
  private static final int HTTP_2_CONNECTIONS = 3;

  /** After so many, one of them that is used in turn gives way to a new one. */
  private static final int TURNS = 1_000;

  /** How many requests are made at once by one HTTP/2 connection. */
  private static final int STREAMS = 16;

  /** After so many the run ends early: more would tell nothing more. */
  private static final int ENOUGH = 20;

  private static final Pattern STATUS = Pattern.compile("^\\{.*\"status\":(\\d+)");

  private static final int PATIENCE_SECONDS = 60;

  private final RunningGateway gateway;
  private final int requests;
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicInteger nextAtOnce = new AtomicInteger(NumberedRequest.AT_ONCE);
  private final AtomicInteger nextInTurn = new AtomicInteger(NumberedRequest.IN_TURN);
  private final Map<User, List<String>> tokens = new EnumMap<>(User.class);
  private final Map<User, String> expired = new EnumMap<>(User.class);
  private final Queue<String> wrong = new ConcurrentLinkedQueue<>();
  private final Map<String, Integer> outcomes = new ConcurrentSkipListMap<>();
  private final Map<Integer, CountDownLatch> arrivals = new ConcurrentHashMap<>();
  private final Set<String> usedConnections = ConcurrentHashMap.newKeySet();
  private final Set<Integer> askedBefore = ConcurrentHashMap.newKeySet();

  TwoUsers(RunningGateway gateway, int requests) {
    this.gateway = gateway;
    this.requests = requests;
    for (User user : List.of(User.ALICE, User.BOB)) {
      List<String> ofUser = new ArrayList<>();
      for (int i = 0; i < NumberedRequest.TOKENS; i++) {
        ofUser.add(token(user, user.scopes(i), Tokens.inSeconds(3_600)));
      }
      tokens.put(user, ofUser);
      expired.put(user, token(user, user.scopes(0), Tokens.inSeconds(-3_600)));
    }
  }

  private String token(User user, String scopes, long exp) {
    Map<String, Object> claims = Tokens.claims("sub", user.subject());
    claims.put("scope", scopes);
    claims.put("exp", exp);
    return Tokens.signed(gateway.trust(), claims);
  }

  @Test
  void nobodyEverGetsOrSendsWhatIsAnothers() throws Exception {
    for (String service : SERVICES) {
      gateway.upstream(service).willTalk(talk -> serve(service, talk));
    }
    List<Callable<@Nullable Void>> clients = new ArrayList<>();
    for (int i = 0; i < CONNECTIONS; i++) {
      clients.add(this::askByOneConnection);
    }
    for (int i = 0; i < HTTP_2_CONNECTIONS; i++) {
      clients.add(this::askAtOnceByHttp2);
      clients.add(this::askInTurnByHttp2);
    }

    ExecutorService pool = Executors.newFixedThreadPool(clients.size());
    try {
      for (Future<@Nullable Void> client : pool.invokeAll(clients, 10, TimeUnit.MINUTES)) {
        client.get();
      }
    } finally {
      pool.shutdownNow();
      assertThat(wrong).as("what went wrong").isEmpty();
    }

    await("no exchange is open")
        .atMost(Duration.ofSeconds(PATIENCE_SECONDS))
        .until(() -> gateway.metric("gatehouse_exchanges_open"), open -> open == 0);
    await("no service is held")
        .atMost(Duration.ofSeconds(PATIENCE_SECONDS))
        .until(() -> SERVICES.stream().allMatch(name -> gateway.upstream(name).busy() == 0));
    assertThat(wrong).as("what went wrong").isEmpty();
    assertEverythingHappened();
  }

  /** A run in which nobody leaves and nothing fails would prove little. */
  private void assertEverythingHappened() {
    assertThat(outcomes.values().stream().mapToInt(Integer::intValue).sum())
        .as("%s", outcomes)
        .isEqualTo(requests);
    for (String version : List.of("HTTP/1.1", "HTTP/2 in turn", "HTTP/2 at once")) {
      assertThat(outcomes)
          .containsKeys(
              Stream.of(
                      "GOOD 200",
                      "OPEN 200",
                      "OPEN_WITH_TOKEN 200",
                      "FORGED_TOKEN 401",
                      "EXPIRED_TOKEN 401",
                      "NO_TOKEN 401",
                      "ASKED_AGAIN 200",
                      "RESET 502",
                      "TIMED_OUT 504")
                  .map(outcome -> outcome + " by " + version)
                  .toArray(String[]::new));
    }
    for (String version : List.of("HTTP/1.1", "HTTP/2 in turn")) {
      assertThat(outcomes)
          .containsKeys(
              Stream.of(
                      "BROKEN_OFF broken off",
                      "LEFT_BEFORE_THE_ANSWER",
                      "LEFT_WITHIN_THE_ANSWER",
                      "LEFT_WITHIN_THE_UPLOAD")
                  .map(outcome -> outcome + " by " + version)
                  .toArray(String[]::new));
    }
    assertThat(askedBefore).as("requests that were asked again").isNotEmpty();
  }

  private void ended(NumberedRequest request, String how) {
    String outcome = request.kind() + (how.isEmpty() ? "" : " " + how) + " by " + request.version();
    outcomes.merge(outcome, 1, Integer::sum);
  }

  private void wrong(NumberedRequest request, Throwable what) {
    wrong.add(request + ": " + what);
  }

  // The client: one connection, one request after the other, now of this user and now of that.

  private @Nullable Void askByOneConnection() {
    RawClient connection = gateway.connect();
    NumberedRequest request = next();
    while (request != null) {
      NumberedRequest following = next();
      boolean usable = false;
      try {
        if (following != null && isSentAtOnce(request, following)) {
          connection.send(raw(request));
          connection.send(raw(following));
          usable = goesWell(request, connection);
          if (usable) {
            usable = goesWell(following, connection);
            following = next();
          }
        } else {
          usable = ask(request, connection);
        }
      } catch (AssertionError | IOException | RuntimeException e) {
        wrong(request, e);
      }
      if (!usable) {
        connection.close();
        connection = gateway.connect();
      }
      request = following;
    }
    connection.close();
    return null;
  }

  /** The second before the answer to the first. */
  private static boolean isSentAtOnce(NumberedRequest request, NumberedRequest following) {
    return request.number() % 2 == 0
        && request.kind().isAnswered()
        && request.body() == Body.NONE
        && following.kind().isAnswered();
  }

  private @Nullable NumberedRequest next() {
    int number = next.getAndIncrement();
    if (NumberedRequest.isByHttp2(number)) {
      return next();
    }
    return number < requests && wrong.size() < ENOUGH ? new NumberedRequest(number) : null;
  }

  /** Makes a request; whether the connection can be used again. */
  private boolean ask(NumberedRequest request, RawClient connection) throws IOException {
    switch (request.kind()) {
      case LEFT_BEFORE_THE_ANSWER -> {
        connection.send(raw(request));
        awaitArrival(request);
      }
      case LEFT_WITHIN_THE_ANSWER -> {
        connection.send(raw(request));
        List<String> head = connection.receiveHead();
        assertThat(head.get(0)).contains(" 200");
        assertThat(head).as("%s", request).anyMatch(line -> line.endsWith(request.cookie()));
      }
      case LEFT_WITHIN_THE_UPLOAD -> {
        boolean chunked = request.body() == Body.CHUNKED;
        int more = request.sent().length() + 1;
        connection.send(
            headed(request)
                .line(chunked ? "Transfer-Encoding: chunked" : "Content-Length: " + more));
        String begin = chunked ? Integer.toHexString(more) + "\r\n" : "";
        connection.send((begin + request.sent()).getBytes(US_ASCII));
        awaitArrival(request);
      }
      default -> {
        connection.send(raw(request));
        return goesWell(request, connection);
      }
    }
    connection.abort();
    ended(request, "");
    return false;
  }

  /** Takes the answer; whether the connection can be used again. */
  private boolean goesWell(NumberedRequest request, RawClient connection) {
    RawResponse answer = connection.receive();
    assertOwn(request, answer.status(), answer.values("Set-Cookie"), answer.values("X-Request-Id"));
    assertOwn(request, answer.status(), answer.complete(), answer.text());
    return answer.complete()
        && answer.values("Connection").stream().noneMatch("close"::equalsIgnoreCase);
  }

  private RawRequest raw(NumberedRequest request) {
    byte[] sent = request.sent().getBytes(US_ASCII);
    return switch (request.body()) {
      case NONE -> headed(request);
      case WITH_LENGTH -> headed(request).body(sent);
      case CHUNKED -> headed(request).chunked(sent);
    };
  }

  private RawRequest headed(NumberedRequest request) {
    RawRequest headed = gateway.anonymous(request.method(), request.path());
    fields(request).forEach((name, value) -> headed.line(name + ": " + value));
    return headed;
  }

  private Map<String, String> fields(NumberedRequest request) {
    Map<String, String> fields = new TreeMap<>();
    fields.put("Cookie", request.cookie());
    fields.put("X-Request-Id", request.own());
    String token = token(request);
    if (token != null) {
      fields.put("Authorization", "Bearer " + token);
    }
    if (request.isSpoofing()) {
      User other = request.user().other();
      fields.put("X-User-Id", other.subject());
      fields.put("x_user_scopes", other.scopes(request.token()));
    }
    return fields;
  }

  private @Nullable String token(NumberedRequest request) {
    if (request.user() == User.NOBODY) {
      return null;
    }
    String token = token(request.user(), request.token());
    return switch (request.kind()) {
      case FORGED_TOKEN -> {
        String others = token(request.user().other(), request.token());
        yield token.substring(0, token.lastIndexOf('.'))
            + others.substring(others.lastIndexOf('.'));
      }
      case EXPIRED_TOKEN -> expired.get(request.user());
      default -> token;
    };
  }

  private String token(User user, int number) {
    return requireNonNull(tokens.get(user)).get(number);
  }

  // The client by HTTP/2 that leaves a stream, and goes on with the next.

  private @Nullable Void askInTurnByHttp2() throws IOException {
    NumberedRequest request = nextInTurn();
    while (request != null) {
      try (RawHttp2Client connection = new RawHttp2Client(gateway.connect())) {
        open(connection);
        for (int i = 0; i < TURNS && request != null; i++) {
          connection.next();
          askInTurn(request, connection);
          request = nextInTurn();
        }
      } catch (AssertionError | IOException | RuntimeException e) {
        wrong(requireNonNull(request), e);
        request = nextInTurn();
      }
    }
    return null;
  }

  /** Tomcat now and then drops a connection on which a body follows the preface at once. */
  private void open(RawHttp2Client connection) throws IOException {
    connection.begin("GET", gateway.context() + "/gateway/health/live", List.of(), true);
    assertThat(connection.receiveBody(Integer.MAX_VALUE)).asString().contains("UP");
  }

  private @Nullable NumberedRequest nextInTurn() {
    int number = nextInTurn.getAndAdd(NumberedRequest.EACH);
    return number < requests && wrong.size() < ENOUGH ? new NumberedRequest(number) : null;
  }

  private void askInTurn(NumberedRequest request, RawHttp2Client connection) throws IOException {
    boolean cut = request.kind() == Kind.LEFT_WITHIN_THE_UPLOAD;
    boolean whole = request.body() == Body.NONE;
    Map<String, String> fields = fields(request);
    if (request.body() == Body.WITH_LENGTH) {
      fields.put("Content-Length", String.valueOf(request.sent().length() + (cut ? 1 : 0)));
    }
    List<String> lines =
        fields.entrySet().stream().map(field -> field.getKey() + ": " + field.getValue()).toList();
    connection.begin(request.method(), gateway.context() + request.path(), lines, whole);
    if (cut) {
      connection.send(request.sent().getBytes(US_ASCII));
    } else if (!whole) {
      connection.sendLast(request.sent().getBytes(US_ASCII));
    }
    // Of the connection's window, what was left unread must come back, too.
    connection.take(2 * request.answer().length());
    if (request.kind().isLeft()) {
      awaitArrival(request);
      connection.cancel();
      ended(request, "");
      return;
    }
    String body;
    try {
      body = new String(connection.receiveBody(Integer.MAX_VALUE), US_ASCII);
    } catch (IOException e) {
      if (!request.kind().isCut()) {
        throw e;
      }
      ended(request, "broken off");
      return;
    }
    Matcher problem = STATUS.matcher(body);
    assertOwn(request, problem.find() ? Integer.parseInt(problem.group(1)) : 200, true, body);
  }

  // The client by HTTP/2: many requests at once.

  private @Nullable Void askAtOnceByHttp2() throws Exception {
    try (CloseableHttpAsyncClient client =
        H2AsyncClientBuilder.create()
            .disableAutomaticRetries()
            .disableCookieManagement()
            .disableRedirectHandling()
            .build()) {
      client.start();
      // Tomcat now and then drops a connection on which a body follows the preface at once.
      String live = gateway.server().url(gateway.context()) + "/gateway/health/live";
      client
          .execute(SimpleHttpRequest.create("GET", live), null)
          .get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      List<NumberedRequest> some = someAtOnce();
      while (!some.isEmpty()) {
        askAtOnce(some, client);
        some = someAtOnce();
      }
    }
    return null;
  }

  private List<NumberedRequest> someAtOnce() {
    List<NumberedRequest> some = new ArrayList<>();
    while (some.size() < STREAMS) {
      int number = nextAtOnce.getAndAdd(NumberedRequest.EACH);
      if (number >= requests || wrong.size() >= ENOUGH) {
        return some;
      }
      some.add(new NumberedRequest(number));
    }
    return some;
  }

  private void askAtOnce(List<NumberedRequest> some, CloseableHttpAsyncClient client) {
    List<Future<SimpleHttpResponse>> answers = new ArrayList<>();
    for (NumberedRequest request : some) {
      answers.add(
          client.execute(
              new BasicRequestProducer(http2(request), producer(request)),
              SimpleResponseConsumer.create(),
              null));
    }
    for (int i = 0; i < some.size(); i++) {
      receive(some.get(i), answers.get(i));
    }
  }

  private void receive(NumberedRequest request, Future<SimpleHttpResponse> future) {
    try {
      SimpleHttpResponse answer = future.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      byte[] body = answer.getBodyBytes();
      assertOwn(
          request, answer.getCode(), values(answer, "Set-Cookie"), values(answer, "X-Request-Id"));
      assertOwn(request, answer.getCode(), true, body == null ? "" : new String(body, ISO_8859_1));
    } catch (AssertionError | Exception e) {
      wrong(request, e);
    }
  }

  private static List<String> values(SimpleHttpResponse answer, String name) {
    return Arrays.stream(answer.getHeaders(name)).map(Header::getValue).toList();
  }

  private HttpRequest http2(NumberedRequest request) {
    HttpRequest http2 =
        new BasicHttpRequest(
            request.method(), URI.create(gateway.server().url(gateway.context()) + request.path()));
    fields(request).forEach(http2::setHeader);
    return http2;
  }

  private static @Nullable AsyncEntityProducer producer(NumberedRequest request) {
    if (request.body() == Body.NONE) {
      return null;
    }
    boolean told = request.body() == Body.WITH_LENGTH;
    return new BasicAsyncEntityProducer(request.sent().getBytes(US_ASCII), null) {
      @Override
      public long getContentLength() {
        return told ? super.getContentLength() : -1;
      }
    };
  }

  // What the client must see.

  private static void assertOwn(
      NumberedRequest request, int status, List<String> cookies, List<String> ids) {
    assertThat(ids)
        .as("X-Request-Id of %s, which got %s", request, status)
        .containsExactly(request.own());
    if (status == 200) {
      assertThat(cookies)
          .as("Set-Cookie of %s", request)
          .singleElement()
          .asString()
          .matches(request.cookie() + "(; ?Path=.*)?");
    } else {
      assertThat(cookies).as("Set-Cookie of a refusal, %s", request).isEmpty();
    }
  }

  private void assertOwn(NumberedRequest request, int status, boolean complete, String body) {
    assertThat(status).as("status of %s", request).isIn(statuses(request.kind()));
    if (status != 200) {
      assertThat(complete).as("the problem is whole: %s", request).isTrue();
      assertThat(body)
          .as("the problem of %s", request)
          .contains("\"requestId\":\"" + request.own() + "\"");
      ended(request, String.valueOf(status));
    } else if (request.kind().isCut()) {
      assertThat(complete).as("looks whole: %s", request).isFalse();
      assertSame("answer", request, body, request.answer().substring(0, body.length()));
      ended(request, "broken off");
    } else {
      assertThat(complete).as("answer is whole: %s", request).isTrue();
      assertSame("answer", request, body, request.answer());
      ended(request, "200");
    }
  }

  private static Set<Integer> statuses(Kind kind) {
    return switch (kind) {
      case FORGED_TOKEN, EXPIRED_TOKEN, NO_TOKEN -> Set.of(401);
      case RESET -> Set.of(502);
      case TIMED_OUT -> Set.of(504);
      case BROKEN_OFF -> Set.of(200, 502);
      case STALLED, NEARLY_TIMED_OUT -> Set.of(200, 504);
      default -> Set.of(200);
    };
  }

  /** Compares texts that are too long to be shown. */
  private static void assertSame(
      String what, NumberedRequest request, String actual, String expected) {
    if (actual.equals(expected)) {
      return;
    }
    int at = Arrays.mismatch(actual.getBytes(ISO_8859_1), expected.getBytes(ISO_8859_1));
    throw new AssertionError(
        "%s of %s: %d instead of %d characters; from %d on: %s"
            .formatted(
                what,
                request,
                actual.length(),
                expected.length(),
                at,
                actual.substring(at, Math.min(at + 60, actual.length()))));
  }

  // The service.

  private Then serve(String service, Talk talk) throws IOException {
    NumberedRequest request = NumberedRequest.of(talk.request());
    try {
      assertOwn(request, service, talk.request());
      return answer(request, service, talk);
    } catch (AssertionError e) {
      wrong(request, e);
      return Then.CLOSE;
    } finally {
      if (request.number() % 200 == 0) {
        // The records of all would fill the memory.
        SERVICES.stream().map(gateway::upstream).forEach(Upstream::forget);
      }
    }
  }

  private void assertOwn(NumberedRequest request, String service, RecordedRequest seen) {
    User user = request.user();
    boolean known = user != User.NOBODY && !request.kind().isOpen();
    assertThat(request.kind().isRefused()).as("must not arrive: %s", request).isFalse();
    assertThat(service).as("service of %s", request).isEqualTo(request.service());
    assertThat(seen.method()).as("method of %s", request).isEqualTo(request.method());
    assertThat(seen.target()).as("target of %s", request).isEqualTo(request.target());
    List<String> identity = new ArrayList<>(List.of("x-gateway: True"));
    if (known) {
      identity.add("x-user-id: " + user.subject());
      identity.add("x-user-scopes: " + user.scopes(request.token()));
    }
    assertThat(identity(seen))
        .as("identity of %s", request)
        .containsExactlyInAnyOrderElementsOf(identity);
    assertThat(seen.values("Cookie")).as("%s", request).containsExactly(request.cookie());
    assertThat(seen.values("X-Request-Id")).as("%s", request).containsExactly(request.own());
    String token = token(request);
    assertThat(seen.values("Authorization"))
        .as("Authorization of %s", request)
        .isEqualTo(token == null ? List.of() : List.of("Bearer " + token));
  }

  private static List<String> identity(RecordedRequest seen) {
    return seen.headerLines().stream()
        .map(
            line -> {
              int colon = line.indexOf(':');
              String name = line.substring(0, colon).toLowerCase(Locale.ROOT).replace('_', '-');
              return name + line.substring(colon);
            })
        .filter(line -> line.startsWith("x-gateway") || line.startsWith("x-user"))
        .toList();
  }

  private Then answer(NumberedRequest request, String service, Talk talk) throws IOException {
    if (request.kind() == Kind.LEFT_WITHIN_THE_UPLOAD) {
      arrived(request);
      assertThat(talk.hear()).as("a cut upload looks whole: %s", request).isFalse();
      return Then.CLOSE;
    }
    String connection = service + talk.request().connection();
    if (request.kind() == Kind.ASKED_AGAIN
        && usedConnections.contains(connection)
        && askedBefore.add(request.number())) {
      return Then.CLOSE;
    }
    if (!talk.hear()) {
      assertThat(request.kind().isLeft()).as("cut, but not by the client: %s", request).isTrue();
      return Then.CLOSE;
    }
    String sent = new String(talk.request().body(), ISO_8859_1);
    assertSame("body", request, sent, request.sent());
    switch (request.kind()) {
      case RESET -> {
        return Then.RESET;
      }
      case TIMED_OUT -> {
        return Then.SILENCE;
      }
      case BROKEN_OFF, STALLED -> {
        sayHalf(request, talk);
        return request.kind() == Kind.STALLED ? Then.SILENCE : Then.RESET;
      }
      case LEFT_WITHIN_THE_ANSWER -> {
        arrived(request);
        sayHalf(request, talk);
        talk.pause(Duration.ofMillis(request.pauseMillis()));
        talk.say(secondHalf(request));
      }
      case LEFT_BEFORE_THE_ANSWER -> {
        arrived(request);
        talk.pause(Duration.ofMillis(request.pauseMillis()));
        sayWhole(request, talk);
      }
      case NEARLY_TIMED_OUT -> {
        talk.pause(Duration.ofMillis(request.pauseMillis()));
        sayWhole(request, talk);
      }
      default -> sayWhole(request, talk);
    }
    usedConnections.add(connection);
    return Then.KEEP;
  }

  private static void sayWhole(NumberedRequest request, Talk talk) throws IOException {
    sayHalf(request, talk);
    talk.say(secondHalf(request));
  }

  private static void sayHalf(NumberedRequest request, Talk talk) throws IOException {
    String body = request.answer();
    String half = body.substring(0, body.length() / 2);
    talk.say(
        "HTTP/1.1 200 OK",
        "Set-Cookie: " + request.cookie(),
        request.isAnsweredInChunks()
            ? "Transfer-Encoding: chunked"
            : "Content-Length: " + body.length(),
        "",
        request.isAnsweredInChunks() ? chunk(half) : half);
  }

  private static String secondHalf(NumberedRequest request) {
    String body = request.answer();
    String half = body.substring(body.length() / 2);
    return request.isAnsweredInChunks() ? chunk(half) + "0\r\n\r\n" : half;
  }

  private static String chunk(String text) {
    return text.isEmpty() ? "" : Integer.toHexString(text.length()) + "\r\n" + text + "\r\n";
  }

  private void arrived(NumberedRequest request) {
    arrivals.computeIfAbsent(request.number(), any -> new CountDownLatch(1)).countDown();
  }

  private void awaitArrival(NumberedRequest request) {
    CountDownLatch arrival =
        arrivals.computeIfAbsent(request.number(), any -> new CountDownLatch(1));
    try {
      assertThat(arrival.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).as("%s", request).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UncheckedIOException(new IOException(e));
    }
  }
}
