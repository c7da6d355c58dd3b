package dev.gatehouse;

import static dev.gatehouse.Problems.assertProblem;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.Container;
import dev.gatehouse.testing.GatewayServer;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RedisServer;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Tokens.Trust;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.Webapp;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Two gateways over one Redis. Their limits are by the day, so that none of the permits comes back
 * while a test runs, and each test has callers of its own.
 */
@ParameterizedClass(name = "{0}")
@MethodSource("dev.gatehouse.testing.Container#chosen")
@SuppressWarnings("NullAway.Init") // start() sets the fields
class SharedLimitsIT {
  private static final int LIMIT = 200;

  /** 5 % of the limit. */
  private static final int TOLERANCE = 10;

  private static final Duration BACK = Duration.ofSeconds(10);
  private static final int NOT_DELAYED_MILLIS = 50;

  private static Upstream service;
  private static RedisServer redis;
  private static RedisServer secured;
  private static GatewayServer one;
  private static GatewayServer two;

  private final String caller = "caller-" + UUID.randomUUID();

  SharedLimitsIT(Container container) {
    assertThat(container).isNotNull();
  }

  @BeforeParameterizedClassInvocation
  static void start(Container container) {
    service = Upstream.start();
    redis = RedisServer.start();
    secured = RedisServer.withTls();
    CompletableFuture<GatewayServer> other =
        CompletableFuture.supplyAsync(() -> gateway(container, "local"));
    one = gateway(container, "local", "allow", "refuse");
    two = other.join();
  }

  private static GatewayServer gateway(Container container, String... losses) {
    GatewayServer server = container.newServer().trusting(secured.certificate());
    for (String loss : losses) {
      server.deploy(webapp("/" + loss, redis.url()).setting("rateLimit.onStoreLoss", loss));
    }
    return server
        .deploy(webapp("/tls", secured.url()))
        .deploy(webapp("/wrong", redis.url().replace("redis://", "redis://:guess@")))
        .start();
  }

  private static Webapp webapp(String context, String store) {
    return Tokens.trusting(Trust.HS256, Webapp.at(context))
        .setting("users.url", service.url())
        .setting("rateLimit", LIMIT + "/1d")
        .setting("rateLimit.store", store);
  }

  @AfterParameterizedClassInvocation
  static void stop() {
    one.close();
    two.close();
    redis.close();
    secured.close();
    service.close();
  }

  @AfterEach
  void storeIsBack() {
    if (!redis.isRunning()) {
      redis.restart();
    }
    redis.resume();
    redis.command("REPLICAOF", "NO", "ONE");
    await().atMost(BACK).until(() -> state(one, "/local").equals("UP"));
    await().atMost(BACK).until(() -> state(two, "/local").equals("UP"));
  }

  /** One client that goes on by the same connection for as long as the server does. */
  private static final class Client implements AutoCloseable {
    private final GatewayServer server;
    private RawClient connection;

    private Client(GatewayServer server) {
      this.server = server;
      this.connection = server.connect();
    }

    private RawResponse get(String path, String subject) {
      connection.send(
          RawRequest.of("GET", path)
              .bearer(Tokens.signed(Trust.HS256, Tokens.claims("sub", subject))));
      RawResponse answer = connection.receive();
      if (answer.values("Connection").contains("close")) {
        connection.close();
        connection = server.connect();
      }
      return answer;
    }

    @Override
    public void close() {
      connection.close();
    }
  }

  private static RawResponse get(GatewayServer server, String path, String subject) {
    try (Client client = new Client(server)) {
      return client.get(path, subject);
    }
  }

  private static String state(GatewayServer server, String context) {
    try (RawClient client = server.connect()) {
      client.send(RawRequest.of("GET", context + "/gateway/health/ready"));
      RawResponse answer = client.receive();
      assertThat(answer.status()).isEqualTo(200);
      assertThat(answer.json().path("status").asText()).isEqualTo("UP");
      return answer.json().path("details").path("rateLimit.store").asText();
    }
  }

  private static String metrics(GatewayServer server, String context) {
    Map<String, Object> claims = Tokens.claims("scope", "gateway:admin");
    claims.put("sub", "admin-" + UUID.randomUUID());
    try (RawClient client = server.connect()) {
      client.send(
          RawRequest.of("GET", context + "/gateway/metrics")
              .bearer(Tokens.signed(Trust.HS256, claims)));
      return client.receive().text();
    }
  }

  /** How many of so many requests pass, in turn by each of the servers. */
  private static int passed(int requests, String path, String subject, GatewayServer... servers) {
    int passed = 0;
    List<Client> clients = Arrays.stream(servers).map(Client::new).toList();
    try {
      for (int i = 0; i < requests; i++) {
        int status = clients.get(i % clients.size()).get(path, subject).status();
        assertThat(status).isIn(200, 429);
        passed += status == 200 ? 1 : 0;
      }
    } finally {
      clients.forEach(Client::close);
    }
    return passed;
  }

  /** How many pass by both gateways until nothing more does. */
  private static int passedInAll(int atLeast, String context, String subject) {
    AtomicInteger passed = new AtomicInteger();
    String path = context + "/api/users/1";
    await()
        .atMost(BACK)
        .until(
            () -> {
              int more = passed(LIMIT / 2, path, subject, one, two);
              passed.addAndGet(more);
              return more == 0 && passed.get() >= atLeast;
            });
    return passed.get();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/local", "/tls"})
  void twoGatewaysLetThroughWhatOneWould(String context) {
    assertThat(passedInAll(LIMIT, context, caller)).isBetween(LIMIT, LIMIT + TOLERANCE);
    assertThat(get(one, context + "/api/users/1", caller).status()).isEqualTo(429);
    assertThat(get(two, context + "/api/users/1", caller).status()).isEqualTo(429);
    assertThat(get(two, context + "/api/users/1", caller + "x").status()).isEqualTo(200);
  }

  @Test
  void manyClientsAtOnceGetNoMore() throws Exception {
    AtomicInteger passed = new AtomicInteger();
    List<Runnable> work = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      GatewayServer server = i % 2 == 0 ? one : two;
      work.add(() -> passed.addAndGet(passed(LIMIT / 2, "/local/api/users/1", caller, server)));
    }

    atOnce(work);

    assertThat(passed.get()).isBetween(LIMIT, LIMIT + TOLERANCE);
  }

  private static void atOnce(List<Runnable> work) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(work.size());
    try {
      List<Future<?>> running = new ArrayList<>();
      work.forEach(each -> running.add(threads.submit(each)));
      for (Future<?> each : running) {
        each.get(2, TimeUnit.MINUTES);
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void whatOneGatewayDoesNotUseTheOtherGets() {
    AtomicInteger passed = new AtomicInteger();
    passed.addAndGet(passed(LIMIT / 4, "/local/api/users/1", caller, one));

    await()
        .atMost(BACK)
        .until(
            () -> passed.addAndGet(passed(LIMIT / 10, "/local/api/users/1", caller, two)) >= LIMIT);

    assertThat(passed.get()).isBetween(LIMIT, LIMIT + TOLERANCE);
  }

  @Test
  void aCallerWellBelowTheLimitIsNotRefused() {
    for (int i = 0; i < 20; i++) {
      assertThat(passed(4, "/local/api/users/1", caller + i, one, two)).isEqualTo(4);
    }
  }

  @Test
  void theAnswersTellHowMuchIsLeftInAll() {
    try (Client first = new Client(one);
        Client second = new Client(two)) {
      for (int i = 0; i < 60; i++) {
        assertThat(first.get("/local/api/users/1", caller).status()).isIn(200, 429);
      }
      RawResponse answer = second.get("/local/api/users/1", caller);
      for (int i = 0; i < 10; i++) {
        answer = second.get("/local/api/users/1", caller);
      }

      assertThat(answer.values("RateLimit-Policy"))
          .containsExactly("\"limit-by-caller\";q=200;w=86400");
      assertThat(answer.values("RateLimit"))
          .singleElement()
          .asString()
          .matches("\"limit-by-caller\";r=(1[0-3]\\d|[3-9]\\d);t=432");
    }
  }

  @Test
  void namesInTheStoreGiveNobodyAway() {
    RawResponse answer = get(one, "/local/api/users/1", caller);
    assertThat(answer.status()).isEqualTo(200);
    String token = Tokens.signed(Trust.HS256, Tokens.claims("sub", caller));

    await().until(() -> !redis.list("KEYS", "gatehouse:limit-by-caller:*").isEmpty());

    Pattern bucket =
        Pattern.compile("gatehouse:(nodes|heard|low|low-until|limit-by-caller:[A-Za-z0-9_-]{22})");
    List<String> keys = redis.list("KEYS", "*");
    assertThat(keys).allMatch(key -> bucket.matcher(key).matches());
    for (String key : keys) {
      String value =
          redis.command("TYPE", key).equals("zset")
              ? String.valueOf(redis.list("ZRANGE", key, "0", "-1"))
              : redis.command("GET", key);
      assertThat(key + value).doesNotContain(caller, token, "127.0.0.1");
      // Whatever is forgotten here is forgotten there.
      assertThat(Long.parseLong(redis.command("PTTL", key)))
          .isBetween(-2L, 864_000_000L)
          .isNotEqualTo(-1);
    }
  }

  @Test
  void readyAndMetricsTellOfTheStore() {
    assertThat(state(one, "/local")).isEqualTo("UP");
    assertThat(state(one, "/tls")).isEqualTo("UP");
    assertThat(metrics(one, "/local"))
        .contains("gatehouse_limit_store_up{store=\"rateLimit.store\"} 1.0");
    // Three contexts of one server, and one of the other.
    await()
        .untilAsserted(
            () ->
                assertThat(metrics(one, "/local"))
                    .contains("gatehouse_limit_store_nodes{store=\"rateLimit.store\"} 4.0"));
    assertThat(metrics(two, "/tls"))
        .contains("gatehouse_limit_store_nodes{store=\"rateLimit.store\"} 2.0");
  }

  @Test
  void aWrongPasswordIsALossFromTheStart() {
    await().until(() -> state(one, "/wrong").equals("refused"));
    assertThat(metrics(one, "/wrong"))
        .contains("gatehouse_limit_store_up{store=\"rateLimit.store\"} 0.0");
    // Each counts for itself.
    assertThat(passed(LIMIT + 5, "/wrong/api/users/1", caller, one)).isEqualTo(LIMIT);
    assertThat(get(two, "/wrong/api/users/1", caller).status()).isEqualTo(200);
    assertThat(one.log()).doesNotContain("guess");
    assertThat(count(one.log(), "is lost (refused)")).isEqualTo(1);
  }

  private static long count(String log, String text) {
    return log.lines().filter(line -> line.contains(text)).count();
  }

  /** What may befall a store, and the word for it. */
  private enum Loss {
    KILLED("unreachable|closed|error") {
      @Override
      void happen() {
        redis.kill();
      }

      @Override
      void end() {
        redis.restart();
      }
    },
    PAUSED("timeout") {
      @Override
      void happen() {
        redis.pause();
      }

      @Override
      void end() {
        redis.resume();
      }
    },
    READ_ONLY("read_only") {
      @Override
      void happen() {
        redis.command("REPLICAOF", "127.0.0.1", "1");
      }

      @Override
      void end() {
        redis.command("REPLICAOF", "NO", "ONE");
      }
    },
    SLOW("timeout") {
      @Override
      void happen() {
        redis.command("CLIENT", "PAUSE", "2500");
      }

      @Override
      void end() {
        // Of itself.
      }
    };

    private final Pattern word;

    Loss(String word) {
      this.word = Pattern.compile(word);
    }

    abstract void happen();

    abstract void end();
  }

  @ParameterizedTest
  @EnumSource
  void aLossOfTheStoreIsNoFailureOfRequests(Loss loss) throws Exception {
    long lostBefore = count(one.log(), " is lost (");
    long backBefore = count(one.log(), " is back after ");
    AtomicBoolean enough = new AtomicBoolean();
    Queue<RawResponse> answers = new ConcurrentLinkedQueue<>();
    Queue<Long> millis = new ConcurrentLinkedQueue<>();
    ExecutorService clients = Executors.newFixedThreadPool(2);
    try {
      List<Future<?>> running = new ArrayList<>();
      for (GatewayServer server : List.of(one, two)) {
        running.add(clients.submit(() -> ask(server, enough, answers, millis)));
      }
      await().until(() -> answers.size() > 100);

      loss.happen();

      await()
          .atMost(BACK)
          .until(
              () ->
                  loss.word.matcher(state(one, "/local")).matches()
                      && loss.word.matcher(state(two, "/local")).matches());
      answers.clear();
      millis.clear();
      await().until(() -> answers.size() > 300);
      List<RawResponse> lost = List.copyOf(answers);
      List<Long> delays = millis.stream().sorted().toList();
      loss.end();
      await().atMost(BACK).until(() -> state(one, "/local").equals("UP"));
      await().atMost(BACK).until(() -> state(two, "/local").equals("UP"));
      enough.set(true);
      for (Future<?> client : running) {
        client.get(1, TimeUnit.MINUTES);
      }

      assertThat(lost).extracting(RawResponse::status).containsOnly(200);
      assertThat(delays.get(delays.size() * 9 / 10)).isLessThan(NOT_DELAYED_MILLIS);
      assertThat(answers).extracting(RawResponse::status).containsAnyOf(200).doesNotContain(503);
    } finally {
      enough.set(true);
      clients.shutdownNow();
    }
    // Three contexts share it, and each tells of each change once.
    await().until(() -> count(one.log(), " is back after ") == backBefore + 3);
    assertThat(count(one.log(), " is lost (")).isEqualTo(lostBefore + 3);
    assertThat(passedInAll(LIMIT, "/local", caller)).isBetween(LIMIT, LIMIT + TOLERANCE);
  }

  /** New callers all the time, each well below the limit. */
  private static void ask(
      GatewayServer server, AtomicBoolean enough, Queue<RawResponse> answers, Queue<Long> millis) {
    try (Client client = new Client(server)) {
      while (!enough.get()) {
        String subject = UUID.randomUUID().toString();
        for (int i = 0; i < 3; i++) {
          long start = System.nanoTime();
          RawResponse answer = client.get("/local/api/users/1", subject);
          millis.add(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start));
          answers.add(answer);
        }
      }
    }
  }

  @Test
  void onLossEachCountsForItselfAllowsOrRefuses() {
    redis.kill();
    for (String context : List.of("/local", "/allow", "/refuse")) {
      await().atMost(BACK).until(() -> !state(one, context).equals("UP"));
    }
    await().atMost(BACK).until(() -> !state(two, "/local").equals("UP"));

    assertThat(passed(LIMIT + 5, "/local/api/users/1", caller, one)).isEqualTo(LIMIT);
    assertThat(passed(5, "/local/api/users/1", caller, two)).isEqualTo(5);
    assertThat(passed(LIMIT + 5, "/allow/api/users/1", caller, one)).isEqualTo(LIMIT + 5);
    RawResponse refused = get(one, "/refuse/api/users/1", caller);
    assertProblem(refused, 503, "limit_unavailable");
    assertThat(refused.values("Retry-After")).containsExactly("1");
    assertThat(metrics(one, "/local"))
        .contains("gatehouse_limit_store_up{store=\"rateLimit.store\"} 0.0");

    redis.restart();

    for (String context : List.of("/local", "/allow", "/refuse")) {
      await().atMost(BACK).until(() -> state(one, context).equals("UP"));
    }
    assertThat(get(one, "/refuse/api/users/1", caller).status()).isEqualTo(200);
    // What was let through meanwhile is told: it counts for all.
    assertThat(passed(5, "/local/api/users/1", caller, one)).isZero();
    await().until(() -> get(two, "/local/api/users/1", caller).status() == 429);
  }

  @Test
  void aScriptThatTheStoreHasForgottenIsSentAgain() {
    assertThat(passed(20, "/local/api/users/1", caller, one, two)).isEqualTo(20);
    redis.command("SCRIPT", "FLUSH");

    assertThat(passedInAll(LIMIT - 20, "/local", caller) + 20).isBetween(LIMIT, LIMIT + TOLERANCE);
    assertThat(state(one, "/local")).isEqualTo("UP");
  }

  @Test
  void aConnectionThatIsCutIsMadeAnew() {
    assertThat(get(one, "/local/api/users/1", caller).status()).isEqualTo(200);
    redis.command("CLIENT", "KILL", "TYPE", "normal");

    assertThat(passed(20, "/local/api/users/1", caller, one, two)).isGreaterThan(10);
    await().atMost(BACK).until(() -> state(one, "/local").equals("UP"));
    await().atMost(BACK).until(() -> state(two, "/local").equals("UP"));
    assertThat(passedInAll(LIMIT, "/local", caller + "x")).isBetween(LIMIT, LIMIT + TOLERANCE);
  }
}
