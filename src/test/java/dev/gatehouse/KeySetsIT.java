package dev.gatehouse;

import static dev.gatehouse.Problems.assertProblem;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.Container;
import dev.gatehouse.testing.GatewayServer;
import dev.gatehouse.testing.Provider;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Tokens.Trust;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.UpstreamThat;
import dev.gatehouse.testing.Webapp;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The life of providers, from what a gateway and its clients see of it. */
@ParameterizedClass(name = "{0}")
@MethodSource("dev.gatehouse.testing.Container#chosen")
@SuppressWarnings("NullAway.Init") // start() sets the fields
class KeySetsIT {
  private static final Duration SOON = Duration.ofSeconds(20);

  /** Longer than the interval of the lively provider's gateway, and shorter than ten of them. */
  private static final Duration ALLOWED = Duration.ofMillis(1_100);

  private static final Duration SHORT = Duration.ofMillis(5);
  private static final Duration NOT_DUE = Duration.ofSeconds(8);

  private static Upstream users;
  private static Provider lively;
  private static Provider ill;
  private static Provider quiet;
  private static Provider fading;
  private static Provider late;
  private static Provider discovered;
  private static Provider first;
  private static Provider second;
  private static GatewayServer server;

  private final Container container;

  KeySetsIT(Container container) {
    this.container = container;
  }

  @BeforeParameterizedClassInvocation
  static void start(Container container) {
    users = Upstream.start();
    lively = Provider.publishing("a");
    ill = Provider.publishing("a");
    quiet = Provider.publishing("a");
    fading = Provider.publishing("a");
    late = Provider.publishing("a");
    late.will(UpstreamThat.resets());
    discovered = Provider.publishing("a");
    first = Provider.publishing("same");
    second = Provider.publishing("same");
    server =
        container
            .newServer()
            .deploy(
                webapp("/lively")
                    .setting("jwt.jwksUrl", lively.jwksUrl())
                    .setting("jwt.refreshInterval", "1s"))
            .deploy(
                webapp("/ill")
                    .setting("jwt.jwksUrl", ill.jwksUrl())
                    .setting("jwt.refreshInterval", "200ms"))
            .deploy(webapp("/quiet").setting("jwt.jwksUrl", quiet.jwksUrl()))
            .deploy(
                webapp("/fading")
                    .setting("jwt.jwksUrl", fading.jwksUrl())
                    .setting("jwt.refreshInterval", "100ms")
                    .setting("jwt.maxStale", "3s"))
            .deploy(
                webapp("/late")
                    .setting("jwt.jwksUrl", late.jwksUrl())
                    .setting("jwt.refreshInterval", "1s"))
            .deploy(webapp("/discovered").setting("jwt.issuer", discovered.issuer()))
            .deploy(
                Tokens.trusting(Trust.HS256, webapp("/many"))
                    .setting("jwt.issuers", "first, second")
                    .setting("jwt.first.issuer", first.issuer())
                    .setting("jwt.first.jwksUrl", first.jwksUrl())
                    .setting("jwt.second.issuer", second.issuer())
                    .setting("jwt.second.audience", "second"))
            .start();
  }

  private static Webapp webapp(String context) {
    return Webapp.at(context).setting("users.url", users.url());
  }

  @AfterParameterizedClassInvocation
  static void stop() {
    server.close();
    Stream.of(lively, ill, quiet, fading, late, discovered, first, second).forEach(Provider::close);
    users.close();
  }

  @BeforeEach
  void fresh() {
    users.fresh();
    lively.publish("a");
    fading.publish("a");
  }

  @Test
  void aNewKeyWorksWithItsFirstTokenAndTheOldOneEndsWithTheSet() {
    String old = lively.token("a");
    awaitAllowed();
    assertStatus(200, "/lively", old);

    lively.publish("a", "b");
    awaitAllowed();
    assertStatus(200, "/lively", lively.token("b"));
    assertStatus(200, "/lively", old);

    lively.publish("b", "c");
    awaitAllowed();
    assertStatus(200, "/lively", lively.token("c"));
    assertProblem(get("/lively", old), 401, "token_invalid");
    assertStatus(200, "/lively", lively.token("b"));
  }

  @Test
  void aKeyThatIsGoneEndsWithoutAnyQuestion() {
    ill.publish("a");
    String old = ill.token("a");
    await().atMost(SOON).until(() -> get("/ill", old).status() == 200);

    ill.publish("b");
    await().atMost(SOON).until(() -> get("/ill", old).status() == 401);
    assertStatus(200, "/ill", ill.token("b"));
  }

  @Test
  void whateverAProviderSaysWhileItIsIllTheKnownKeysServe() {
    ill.publish("a");
    String known = ill.token("a");
    await().atMost(SOON).until(() -> get("/ill", known).status() == 200);
    for (Upstream.Behaviour illness :
        List.of(
            UpstreamThat.resets(),
            UpstreamThat.closesBeforeAnswer(),
            UpstreamThat.speaksGarbage(),
            UpstreamThat.closesMidBody(UpstreamThat.Framing.LENGTH),
            UpstreamThat.answersWith("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"),
            UpstreamThat.answersWith(
                "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"),
            UpstreamThat.answers("Content-Type: text/html", "<html>down</html>".getBytes(UTF_8)),
            UpstreamThat.answers("", new byte[0]),
            UpstreamThat.answers("", "{\"keys\":[]}".getBytes(UTF_8)),
            UpstreamThat.answers("", new byte[3_000_000]))) {
      ill.will(illness);
      int before = ill.asked();

      assertProblem(get("/ill", ill.token("unknown")), 401, "token_invalid");
      // The second question comes when the first answer was taken for what it is.
      await().atMost(SOON).until(() -> ill.asked() > before + 1);
      assertStatus(200, "/ill", known);
    }
    ill.publish("b");
    await().atMost(SOON).until(() -> get("/ill", ill.token("b")).status() == 200);
  }

  @Test
  void aSlowProviderIsWaitedForAndAHangingOneNotForLong() {
    await().atMost(SOON).until(() -> get("/lively", lively.token("a")).status() == 200);
    awaitAllowed();
    CountDownLatch gate = new CountDownLatch(1);
    lively.will(UpstreamThat.answersAfter(gate, lively.publication("a", "d")));
    int before = lively.asked();
    String fresh = lively.token("d");
    CompletableFuture<RawResponse> waiting =
        CompletableFuture.supplyAsync(() -> get("/lively", fresh));
    await().atMost(SOON).until(() -> lively.asked() > before);
    assertThat(waiting).isNotDone();
    assertStatus(200, "/lively", lively.token("a"));
    gate.countDown();
    assertThat(waiting.join().status()).isEqualTo(200);

    CountDownLatch end = new CountDownLatch(1);
    lively.will(UpstreamThat.answersAfter(end, UpstreamThat.resets()));
    awaitAllowed();
    String hopeless = lively.token("e");
    long start = System.nanoTime();
    assertProblem(get("/lively", hopeless), 401, "token_invalid");
    assertThat(Duration.ofNanos(System.nanoTime() - start))
        .isBetween(Duration.ofMillis(1_900), Duration.ofSeconds(10));
    assertStatus(200, "/lively", lively.token("a"));
    end.countDown();
  }

  @Test
  void keysServeForAWhileWithoutTheirProviderAndNoLonger() {
    await().atMost(SOON).until(() -> get("/fading", fading.token("a")).status() == 200);
    String token = fading.token("a");

    fading.will(UpstreamThat.resets());
    int before = fading.asked();
    await().atMost(SOON).until(() -> fading.asked() > before);
    assertStatus(200, "/fading", token);
    await().atMost(SOON).until(() -> get("/fading", token).status() == 503);
    RawResponse answer = get("/fading", token);
    assertProblem(answer, 503, "keys_unavailable");
    assertThat(answer.values("Retry-After")).hasSize(1);

    fading.publish("a");
    await().atMost(SOON).until(() -> get("/fading", token).status() == 200);
  }

  @Test
  void beforeItsFirstKeysAGatewayIsOpenForNobodyAndShutForNothing() {
    RawResponse answer = get("/late", late.token("a"));
    assertProblem(answer, 503, "keys_unavailable");
    assertThat(answer.values("Retry-After")).hasSize(1);
    assertThat(users.requests()).isEmpty();
    assertThat(send(RawRequest.of("GET", "/late/gateway/health/ready")).status()).isEqualTo(200);
    assertProblem(get("/late", "not-a-token"), 401, "token_invalid");
    String over = late.token("a", Tokens.claims("exp", Tokens.inSeconds(-3_600)));
    assertProblem(get("/late", over), 401, "token_invalid");

    late.publish("a");
    await().atMost(SOON).until(() -> get("/late", late.token("a")).status() == 200);
  }

  @Test
  void anIssuersKeysAreDiscovered() {
    assertStatus(200, "/discovered", discovered.token("a"));
    String other = discovered.token("a", Tokens.claims("iss", "https://other.example"));
    assertProblem(get("/discovered", other), 401, "token_invalid");
  }

  @Test
  void noIssuersKeyVouchesForAnother() {
    Map<String, Object> ofSecond = Tokens.claims("iss", second.issuer());
    ofSecond.put("aud", "second");
    assertStatus(200, "/many", first.token("same"));
    assertStatus(200, "/many", second.token("same", ofSecond));
    assertStatus(200, "/many", Tokens.good(Trust.HS256));

    Map<String, Object> nobodys = Tokens.claims();
    nobodys.remove("iss");
    for (String forged :
        List.of(
            first.token("same", ofSecond),
            second.token("same", Tokens.claims("iss", first.issuer())),
            second.token("same"),
            first.token("same", Tokens.claims()),
            first.token("same", nobodys),
            first.token("same", Tokens.claims("iss", List.of(first.issuer(), second.issuer()))),
            first.token("same", Tokens.claims("iss", first.issuer() + "/")),
            Tokens.signed(Trust.HS256, Tokens.claims("iss", first.issuer())),
            Tokens.signed(Trust.HS256, ofSecond))) {
      assertProblem(get("/many", forged), 401, "token_invalid");
    }
  }

  /** By what is wrong with each, tokens that a key set is no help to. */
  private static Map<String, String> forged(String elsewhere) {
    Map<String, Object> claims = Tokens.claims("iss", quiet.issuer());
    Map<String, String> forged = new LinkedHashMap<>(Tokens.bad(Trust.RS256));
    byte[] encoded = quiet.key("a").getPublic().getEncoded();
    forged.put("HS256 with the published key", Tokens.hs256(encoded, claims));
    forged.put("a stranger's, by a known name", quiet.token("x", Map.of("kid", "a"), claims));
    forged.put("a stranger's, without a name", quiet.token("x", Map.of(), claims));
    Map<String, Object> own = quiet.jwk("x");
    forged.put("its own key", quiet.token("x", Map.of("kid", "a", "jwk", own), claims));
    for (String pointer : List.of("jku", "x5u")) {
      forged.put(
          "a pointer to its own key, " + pointer,
          quiet.token("x", Map.of("kid", "a", pointer, elsewhere), claims));
    }
    for (String kid : List.of("a\r\nSet-Cookie: x=1", "k".repeat(257), "\0")) {
      forged.put("kid " + kid, quiet.token("a", Map.of("kid", kid), claims));
    }
    forged.put("a kid that is no text", quiet.token("a", Map.of("kid", List.of("a")), claims));
    forged.put("very long", quiet.token("a", Map.of("x", "x".repeat(5_000)), claims) + "x");
    return forged;
  }

  @Test
  void aForgedTokenIsRefusedAtOnceAndNobodyIsAsked() {
    assertStatus(200, "/quiet", quiet.token("a"));
    int asked = quiet.arrivals();
    try (Upstream elsewhere = Upstream.start()) {
      for (Map.Entry<String, String> bad : forged(elsewhere.url()).entrySet()) {
        long best = Long.MAX_VALUE;
        for (int i = 0; i < 20 && best > SHORT.toNanos(); i++) {
          long start = System.nanoTime();
          RawResponse answer = get("/quiet", bad.getValue());
          best = Math.min(best, System.nanoTime() - start);
          assertThat(answer.status()).as("%s: %s", bad.getKey(), answer).isEqualTo(401);
        }
        assertThat(Duration.ofNanos(best)).as(bad.getKey()).isLessThan(SHORT);
      }
      assertThat(elsewhere.requests()).isEmpty();
    }

    assertThat(quiet.arrivals()).isEqualTo(asked);
    assertThat(users.requests()).hasSize(1);
  }

  @Test
  void aRestartWhileTheProviderIsDownChangesNothing(@TempDir Path parent) throws Exception {
    Path folder = parent.resolve("new/state");
    try (Provider provider = Provider.publishing("a")) {
      for (int i = 0; i < 2; i++) {
        try (GatewayServer restarted =
            container
                .newServer()
                .deploy(
                    webapp("")
                        .setting("jwt.issuer", provider.issuer())
                        .setting("state.dir", folder.toString()))
                .start()) {
          try (RawClient client = restarted.connect()) {
            client.send(request("", provider.token("a")));
            assertThat(client.receive().status()).as(restarted.log()).isEqualTo(200);
          }
          // It is written when who waited has gone on.
          await().until(() -> isKept(folder));
        }
        provider.will(UpstreamThat.resets());
      }
    }
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)))
        .isEqualTo("rwx------");
  }

  /** Whether there is a whole file of keys, and nothing else. */
  private static boolean isKept(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      List<String> names = files.map(file -> file.getFileName().toString()).toList();
      return names.size() == 1 && names.get(0).matches("keys-[0-9a-f]{16}\\.json");
    }
  }

  /** Until the lively provider may be asked again, and will not be of itself. */
  private static void awaitAllowed() {
    await()
        .atMost(SOON)
        .pollInterval(Duration.ofMillis(20))
        .until(lively::rested, time -> time.compareTo(ALLOWED) > 0 && time.compareTo(NOT_DUE) < 0);
  }

  private static void assertStatus(int status, String context, String token) {
    RawResponse answer = get(context, token);
    assertThat(answer.status()).as("%s", answer).isEqualTo(status);
  }

  private static RawResponse get(String context, String token) {
    return send(request(context, token));
  }

  private static RawRequest request(String context, String token) {
    return RawRequest.of("GET", context + "/api/users/1").bearer(token);
  }

  private static RawResponse send(RawRequest request) {
    try (RawClient client = server.connect()) {
      client.send(request);
      return client.receive();
    }
  }
}
