package dev.gatehouse;

import static dev.gatehouse.Problems.assertProblem;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatehouse.testing.Container;
import dev.gatehouse.testing.GatewayServer;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Tokens.Trust;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.Upstream.Then;
import dev.gatehouse.testing.UpstreamThat;
import dev.gatehouse.testing.Webapp;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Limits of one gateway. They are by the day, so that none of their permits comes back while a test
 * runs, and each test has callers of its own.
 */
@ParameterizedClass(name = "{0}")
@MethodSource("dev.gatehouse.testing.Container#chosen")
@SuppressWarnings("NullAway.Init") // start() sets the fields
class RateLimitsIT {
  private static final String QUOTA_EXCEEDED =
      "https://iana.org/assignments/http-problem-types#quota-exceeded";

  private static final String SECRET = "0123456789abcdef".repeat(2);

  private static Upstream service;
  private static GatewayServer server;
  private static RunningGateway gateway;

  private final String caller = "caller-" + UUID.randomUUID();

  RateLimitsIT(Container container) {
    assertThat(container).isNotNull();
  }

  @BeforeParameterizedClassInvocation
  static void start(Container container) {
    service = Upstream.start();
    server =
        container
            .newServer()
            .deploy(
                services(Tokens.trusting(Trust.HS256, Webapp.at("")))
                    .setting("jwt.public", "GET /api/products/*")
                    .setting("rateLimit", "6/1d")
                    .webXml(
                        limit("by-key", "/api/orders/keyed/*", "limit=2/1d", "key=header:X-Key"))
                    .webXml(
                        limit(
                            "by-service",
                            "/api/orders/each/*",
                            "limit=2/1d",
                            "key=caller+service+header:X-Key"))
                    .webXml(limit("burst", "/api/orders/burst/*", "limit=1000/1d", "burst=3"))
                    .webXml(limit("dry", "/api/orders/dry/*", "limit=1/1d", "dryRun=true"))
                    .webXml(limit("two names", "/api/orders/twice/*", "limit=2/1d"))
                    .webXml(
                        """
                        <filter-mapping>
                          <filter-name>two names</filter-name>
                          <url-pattern>/api/orders/twice/1</url-pattern>
                        </filter-mapping>
                        """)
                    .webXml(limit("at-once", "/api/notifications/*", "concurrent=2"))
                    .webXml(limit("both", "/api/inventory/*", "limit=2/1d", "concurrent=1")))
            .deploy(
                services(Tokens.trusting(Trust.HS256, Webapp.at("/addresses")))
                    .setting("trustedProxies", "127.0.0.1")
                    .setting("rateLimit.byAddress", "3/1d"))
            .deploy(
                services(Tokens.trusting(Trust.HS256, Webapp.at("/peers")))
                    .setting("rateLimit.byAddress", "5/1d"))
            .deploy(
                services(Webapp.at("/issuers"))
                    .setting("jwt.issuers", "a, b")
                    .setting("jwt.a.issuer", "urn:a")
                    .setting("jwt.a.secret", SECRET)
                    .setting("jwt.b.issuer", "urn:b")
                    .setting("jwt.b.secret", SECRET)
                    .setting("rateLimit", "2/1d"))
            .start();
    gateway = RunningGateway.atRootOf(server);
  }

  private static Webapp services(Webapp webapp) {
    for (String name : List.of("users", "products", "orders", "notifications", "inventory")) {
      webapp.setting(name + ".url", service.url());
    }
    return webapp;
  }

  private static String limit(String name, String path, String... parameters) {
    StringBuilder params = new StringBuilder();
    for (String parameter : parameters) {
      String[] pair = parameter.split("=", 2);
      params.append(
          "<init-param><param-name>%s</param-name><param-value>%s</param-value></init-param>"
              .formatted(pair[0], pair[1]));
    }
    return """
    <filter>
      <filter-name>%1$s</filter-name>
      <filter-class>dev.gatehouse.limit.RateLimitFilter</filter-class>
      <async-supported>true</async-supported>
      %3$s
    </filter>
    <filter-mapping>
      <filter-name>%1$s</filter-name>
      <url-pattern>%2$s</url-pattern>
    </filter-mapping>
    """
        .formatted(name, path, params);
  }

  @AfterParameterizedClassInvocation
  static void stop() {
    server.close();
    service.close();
  }

  @BeforeEach
  void fresh() {
    service.fresh();
  }

  private RawResponse get(String path) {
    return send(request(path));
  }

  private RawRequest request(String path) {
    return RawRequest.of("GET", path).bearer(token(caller));
  }

  private static String token(String subject) {
    return Tokens.signed(Trust.HS256, Tokens.claims("sub", subject));
  }

  private static RawResponse send(RawRequest request) {
    try (RawClient client = server.connect()) {
      client.send(request);
      return client.receive();
    }
  }

  /** How many of so many requests pass. */
  private int passed(int requests, String path) {
    int passed = 0;
    for (int i = 0; i < requests; i++) {
      passed += get(path).status() == 200 ? 1 : 0;
    }
    return passed;
  }

  private static void assertRefused(RawResponse answer, String policy, long atLeast, long atMost) {
    assertThat(answer.status()).as("%s", answer).isEqualTo(429);
    assertThat(answer.values("Content-Type"))
        .singleElement()
        .asString()
        .startsWith("application/problem+json");
    JsonNode problem = answer.json();
    assertThat(problem.path("type").asText()).isEqualTo(QUOTA_EXCEEDED);
    assertThat(problem.path("title").asText()).isEqualTo("Too Many Requests");
    assertThat(problem.path("status").asInt()).isEqualTo(429);
    assertThat(problem.path("code").asText()).isEqualTo("rate_limited");
    assertThat(problem.path("detail").asText()).isNotBlank();
    assertThat(problem.path("violated-policies")).hasToString("[\"" + policy + "\"]");
    assertThat(answer.values("X-Request-Id")).containsExactly(problem.path("requestId").asText());
    assertThat(answer.values("Retry-After")).hasSize(1);
    assertThat(Long.parseLong(answer.values("Retry-After").get(0))).isBetween(atLeast, atMost);
  }

  @Test
  void aCallerPassesAsOftenAsTheLimitSaysOverAllServices() {
    List<RawResponse> answers = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      answers.add(get("/api/users/1"));
      answers.add(get("/orders/1"));
    }

    assertThat(answers).extracting(RawResponse::status).containsOnly(200);
    assertThat(answers)
        .extracting(answer -> answer.values("RateLimit"))
        .containsExactlyElementsOf(
            List.of(5, 4, 3, 2, 1, 0).stream()
                .map(left -> List.of("\"limit-by-caller\";r=" + left + ";t=14400"))
                .toList());
    assertThat(answers)
        .extracting(answer -> answer.values("RateLimit-Policy"))
        .containsOnly(List.of("\"limit-by-caller\";q=6;w=86400"));
    RawResponse refused = get("/api/users/1");
    assertRefused(refused, "limit-by-caller", 14_300, 14_400);
    assertThat(refused.values("RateLimit"))
        .containsExactly("\"limit-by-caller\";r=0;t=" + refused.values("Retry-After").get(0));
    assertThat(refused.values("RateLimit-Policy"))
        .containsExactly("\"limit-by-caller\";q=6;w=86400");
    assertThat(service.requests()).hasSize(6);
  }

  @Test
  void otherCallersAreNotConcerned() {
    assertThat(passed(7, "/api/users/1")).isEqualTo(6);

    assertThat(send(RawRequest.of("GET", "/api/users/1").bearer(token(caller + "x"))).status())
        .isEqualTo(200);
  }

  @Test
  void twoIssuersMayEachHaveACallerOfThatName() {
    for (String issuer : List.of("urn:a", "urn:b")) {
      Map<String, Object> claims = Tokens.claims("sub", caller);
      claims.put("iss", issuer);
      String token = Tokens.hs256(SECRET.getBytes(UTF_8), claims);
      for (int i = 0; i < 3; i++) {
        assertThat(send(RawRequest.of("GET", "/issuers/api/users/1").bearer(token)).status())
            .as(issuer)
            .isEqualTo(i < 2 ? 200 : 429);
      }
    }
  }

  @Test
  void everyAnswerBehindTheLimitTellsOfIt() {
    service.will(UpstreamThat.answersWith("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
    assertThat(get("/api/users/1").values("RateLimit")).hasSize(1);
    service.will(UpstreamThat.resets());
    RawResponse broken = get("/api/users/1");
    assertThat(broken.status()).isEqualTo(502);
    assertThat(broken.values("RateLimit")).containsExactly("\"limit-by-caller\";r=4;t=14400");
    assertThat(broken.values("RateLimit-Policy")).hasSize(1);
    service.will(UpstreamThat.sendsHugeHeader(100_000));
    RawResponse unfit = get("/api/users/1");
    assertThat(unfit.status()).isEqualTo(502);
    assertThat(unfit.values("RateLimit")).hasSize(1);
    service.will(UpstreamThat.answersWith("HTTP/1.1 304 Not Modified\r\n\r\n"));
    assertThat(get("/api/users/1").values("RateLimit")).hasSize(1);
  }

  @Test
  void whatTheServiceSaysOfItsOwnLimitsStays() {
    service.will(
        UpstreamThat.answers(
            "RateLimit: \"own\";r=1\r\nRateLimit-Policy: \"own\";q=2\r\nRetry-After: 7",
            new byte[0]));

    RawResponse answer = get("/api/users/1");

    assertThat(answer.values("RateLimit"))
        .containsExactly("\"limit-by-caller\";r=5;t=14400", "\"own\";r=1");
    assertThat(answer.values("RateLimit-Policy"))
        .containsExactly("\"limit-by-caller\";q=6;w=86400", "\"own\";q=2");
    assertThat(answer.values("Retry-After")).containsExactly("7");
  }

  @Test
  void aRefusalOfHeadHasNoBody() {
    assertThat(passed(7, "/api/users/1")).isEqualTo(6);

    RawResponse answer = send(RawRequest.of("HEAD", "/api/users/1").bearer(token(caller)));

    assertThat(answer.status()).isEqualTo(429);
    assertThat(answer.values("Retry-After")).hasSize(1);
    assertThat(answer.text()).isEmpty();
  }

  @Test
  void aRefusalIsCountedAndLogged() {
    double before = gateway.metric("gatehouse_limit_decisions_total", "limit-by-caller", "refused");

    assertThat(passed(9, "/api/users/" + caller)).isEqualTo(6);

    assertThat(gateway.metric("gatehouse_limit_decisions_total", "limit-by-caller", "\"refused"))
        .isEqualTo(before + 3);
    assertThat(gateway.metric("gatehouse_limit_keys", "limit-by-caller")).isPositive();
    await()
        .until(
            () ->
                gateway.accessLog(caller).stream().filter(line -> line.contains(" 429 ")).count()
                    == 3);
  }

  @Test
  void whereNobodyIsKnownTheAddressCounts() {
    // A public path: whoever comes is nobody, with a token, too.
    int passed = 0;
    for (int i = 0; i < 8; i++) {
      passed += send(RawRequest.of("GET", "/api/products/1")).status() == 200 ? 1 : 0;
    }

    assertThat(passed).isEqualTo(6);
    assertThat(get("/api/users/1").status()).isEqualTo(200);
  }

  @Test
  void whoIsRefusedForItsTokenUsesNothingUp() {
    for (int i = 0; i < 8; i++) {
      RawResponse answer = send(RawRequest.of("GET", "/api/users/1").bearer(token(caller) + "x"));
      assertProblem(answer, 401, "token_invalid");
      assertThat(answer.values("RateLimit")).isEmpty();
    }

    assertThat(passed(7, "/api/users/1")).isEqualTo(6);
  }

  @Test
  void healthIsNeverLimited() {
    for (int i = 0; i < 10; i++) {
      RawResponse answer = send(RawRequest.of("GET", "/addresses/gateway/health/ready"));
      assertThat(answer.status()).isEqualTo(200);
      assertThat(answer.values("RateLimit")).isEmpty();
      assertThat(answer.text()).isEqualTo("{\"status\":\"UP\"}");
    }
  }

  @Test
  void aHeaderCanBeTheKey() {
    for (String key : List.of("a", "b")) {
      for (int i = 0; i < 3; i++) {
        RawResponse answer =
            send(
                RawRequest.of("GET", "/api/orders/keyed/1")
                    .bearer(token(UUID.randomUUID().toString()))
                    .line("X-Key: " + caller + key));
        assertThat(answer.status()).isEqualTo(i < 2 ? 200 : 429);
        assertThat(answer.values("RateLimit-Policy"))
            .containsExactly("\"limit-by-caller\";q=6;w=86400", "\"by-key\";q=2;w=86400");
      }
    }
  }

  @Test
  void aLongHeaderIsAKeyLikeAnother() {
    String tail = "x".repeat(2_000);
    for (String key : List.of("a", "b")) {
      for (int i = 0; i < 3; i++) {
        assertThat(
                send(RawRequest.of("GET", "/api/orders/keyed/1")
                        .bearer(token(UUID.randomUUID().toString()))
                        .line("X-Key: " + tail + caller + key))
                    .status())
            .isEqualTo(i < 2 ? 200 : 429);
      }
    }
  }

  @Test
  void whoeverSendsTheHeaderTwiceOrEmptyIsCountedByItsAddress() {
    int passed = 0;
    for (int i = 0; i < 3; i++) {
      for (String more : List.of("X-Key: " + caller + i, "x-key: other")) {
        RawRequest both = to("/api/orders/keyed/1").line("X-Key: " + caller).line(more);
        passed += send(both).status() == 200 ? 1 : 0;
      }
      passed += send(to("/api/orders/keyed/1").line("X-Key:")).status() == 200 ? 1 : 0;
      passed += send(to("/api/orders/keyed/1")).status() == 200 ? 1 : 0;
    }

    assertThat(passed).isEqualTo(2);
    assertThat(send(to("/api/orders/keyed/1").line("X-Key: " + caller)).status()).isEqualTo(200);
  }

  /** A request of somebody who never was here. */
  private static RawRequest to(String path) {
    return RawRequest.of("GET", path).bearer(token(UUID.randomUUID().toString()));
  }

  @Test
  void keysCanBeCombined() {
    for (String key : List.of("a", "b")) {
      for (int i = 0; i < 3; i++) {
        assertThat(send(request("/api/orders/each/1").line("X-Key: " + key)).status())
            .isEqualTo(i < 2 ? 200 : 429);
      }
    }
  }

  @Test
  void ofSeveralLimitsEachHasToAllowIt() {
    RawRequest keyed = request("/api/orders/keyed/1").line("X-Key: " + caller);
    assertThat(send(keyed).status()).isEqualTo(200);
    assertThat(send(keyed).status()).isEqualTo(200);

    RawResponse refused = send(keyed);

    assertRefused(refused, "by-key", 43_100, 43_200);
    assertThat(refused.values("RateLimit"))
        .hasSize(2)
        .first()
        .isEqualTo("\"limit-by-caller\";r=3;t=14400");
  }

  @Test
  void theBurstIsWhatPassesAtOnce() {
    assertThat(passed(5, "/api/orders/burst/1")).isEqualTo(3);
    assertRefused(get("/api/orders/burst/1"), "burst", 1, 87);
  }

  @Test
  void aDryRunOnlyCounts() {
    double before = gateway.metric("gatehouse_limit_decisions_total", "\"dry\"", "would_refuse");
    double allowed = gateway.metric("gatehouse_limit_decisions_total", "\"dry\"", "allowed");

    for (int i = 0; i < 3; i++) {
      RawResponse answer = get("/api/orders/dry/1");
      assertThat(answer.status()).isEqualTo(200);
      assertThat(answer.values("RateLimit")).hasSize(1);
    }

    assertThat(gateway.metric("gatehouse_limit_decisions_total", "\"dry\"", "would_refuse"))
        .isEqualTo(before + 2);
    assertThat(gateway.metric("gatehouse_limit_decisions_total", "\"dry\"", "allowed"))
        .isEqualTo(allowed + 1);
  }

  @Test
  void aFilterThatIsMappedTwiceToAPathCountsOnce() {
    RawResponse answer = get("/api/orders/twice/1");
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.values("RateLimit"))
        .containsExactly("\"limit-by-caller\";r=5;t=14400", "\"two_names\";r=1;t=43200");
    assertThat(get("/api/orders/twice/1").status()).isEqualTo(200);
    assertRefused(get("/api/orders/twice/1"), "two_names", 43_000, 43_200);
  }

  @Test
  void onlySoManyRequestsAreUnderWayAtTheSameTime() {
    CountDownLatch gate = new CountDownLatch(1);
    service.will(UpstreamThat.answersAfter(gate, UpstreamThat.echoes()));
    try (RawClient first = server.connect();
        RawClient second = server.connect()) {
      first.send(request("/api/notifications/1"));
      second.send(request("/api/notifications/2"));
      await().until(() -> service.requests().size() == 2);

      RawResponse third = get("/api/notifications/3");

      assertRefused(third, "at-once", 1, 1);
      assertThat(third.values("RateLimit"))
          .containsExactly("\"limit-by-caller\";r=3;t=14400", "\"at-once\";r=0");
      assertThat(third.values("RateLimit-Policy"))
          .containsExactly(
              "\"limit-by-caller\";q=6;w=86400", "\"at-once\";q=2;qu=\"concurrent-requests\"");
      assertThat(service.requests()).hasSize(2);
      // Others are not concerned.
      service.will(UpstreamThat.echoes());
      assertThat(
              send(RawRequest.of("GET", "/api/notifications/1").bearer(token(caller + "x")))
                  .status())
          .isEqualTo(200);
      gate.countDown();
      assertThat(first.receive().status()).isEqualTo(200);
      assertThat(second.receive().status()).isEqualTo(200);
    }
    await().until(() -> gateway.metric("gatehouse_exchanges_open") == 0);
    assertThat(get("/api/notifications/1").status()).isEqualTo(200);
  }

  @Test
  void anEventStreamIsUnderWayUntilItEnds() throws IOException {
    CountDownLatch gate = new CountDownLatch(1);
    service.will(
        (request, out) -> {
          out.write(
              "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"
                  .getBytes(UTF_8));
          out.flush();
          return UpstreamThat.answersAfter(gate, (same, end) -> Then.CLOSE).answer(request, out);
        });
    try (RawClient stream = server.connect()) {
      stream.send(request("/api/inventory/1"));
      assertThat(stream.receiveHead().get(0)).contains(" 200");

      RawResponse refused = get("/api/inventory/1");
      assertRefused(refused, "both-concurrent", 1, 1);
      assertThat(refused.values("RateLimit-Policy"))
          .endsWith("\"both-concurrent\";q=1;qu=\"concurrent-requests\"", "\"both\";q=2;w=86400");
      gate.countDown();
    }
    service.will(UpstreamThat.echoes());
    await().until(() -> gateway.metric("gatehouse_exchanges_open") == 0);
    // What was refused for another reason has used up nothing of the rate.
    assertThat(get("/api/inventory/1").status()).isEqualTo(200);
    await().until(() -> gateway.metric("gatehouse_exchanges_open") == 0);
    assertRefused(get("/api/inventory/1"), "both", 43_000, 43_200);
  }

  @ParameterizedTest
  @CsvSource({
    "192.0.2.1, 192.0.2.1, true",
    "192.0.2.3, 192.0.2.4, false",
    "2001:db8:0:1::1, 2001:db8:0:1:ffff::2, true",
    "2001:db8:0:2::1, 2001:DB8:0:2:0:0:0:1, true",
    "2001:db8:0:3::1, 2001:db8:0:4::1, false",
    "192.0.2.5, ::ffff:192.0.2.5, true",
    "192.0.2.6:1111, 192.0.2.6:2222, true",
    "192.0.2.7:1111, 192.0.2.8:1111, false",
    "[2001:db8:0:5::1]:443, 2001:db8:0:5::2, true",
  })
  void behindATrustedProxyItsClientsAreCounted(String one, String other, boolean together) {
    for (int i = 0; i < 3; i++) {
      assertThat(from(one).status()).isEqualTo(200);
    }
    assertThat(from(one).status()).isEqualTo(429);

    assertThat(from(other).status()).isEqualTo(together ? 429 : 200);
  }

  private static RawResponse from(String address) {
    return send(
        RawRequest.of("GET", "/addresses/api/users/1")
            .line("X-Forwarded-For: " + address)
            .bearer(token(UUID.randomUUID().toString())));
  }

  @Test
  void theLimitByAddressStandsBeforeAuthentication() {
    String address = "198.51.100.7";
    for (int i = 0; i < 3; i++) {
      RawResponse answer =
          send(
              RawRequest.of("GET", "/addresses/api/users/1")
                  .line("X-Forwarded-For: " + address)
                  .bearer("guess-" + i));
      assertProblem(answer, 401, "token_invalid");
      assertThat(answer.values("RateLimit"))
          .containsExactly("\"limit-by-address\";r=" + (2 - i) + ";t=28800");
    }

    assertRefused(from(address), "limit-by-address", 28_700, 28_800);
    // Before all of it come the path and the route.
    assertThat(
            send(RawRequest.of("GET", "/addresses/api/nothing").line("X-Forwarded-For: " + address))
                .status())
        .isEqualTo(404);
  }

  @Test
  void nobodyChoosesItsAddress() {
    int passed = 0;
    for (int i = 0; i < 20; i++) {
      RawResponse answer =
          send(
              RawRequest.of("GET", "/peers/api/users/1")
                  .line("X-Forwarded-For: 203.0.113." + i)
                  .line("Forwarded: for=203.0.113." + i)
                  .line("X-Real-IP: 203.0.113." + i)
                  .bearer(token(caller)));
      passed += answer.status() == 200 ? 1 : 0;
    }

    assertThat(passed).isEqualTo(5);
  }
}
