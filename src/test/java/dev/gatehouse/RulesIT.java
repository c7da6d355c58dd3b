package dev.gatehouse;

import static dev.gatehouse.Problems.assertProblem;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.Container;
import dev.gatehouse.testing.GatewayServer;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Tokens.Trust;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.Webapp;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What an admin writes into web.xml about who may do what, and what services are told of it. */
@ParameterizedClass(name = "{0}")
@MethodSource("dev.gatehouse.testing.Container#chosen")
@SuppressWarnings("NullAway.Init") // start() sets the fields
class RulesIT {
  private static Upstream service;
  private static GatewayServer server;

  RulesIT(Container container) {
    assertThat(container).isNotNull();
  }

  @BeforeParameterizedClassInvocation
  static void start(Container container) {
    service = Upstream.start();
    Webapp webapp =
        Tokens.trusting(Trust.HS256, Webapp.at(""))
            .setting("jwt.public", "GET /api/products/*")
            .setting("jwt.rolesClaim", "realm_access.roles")
            .setting("jwt.claimHeaders", "email=X-User-Email, org.id=X-User-Org, n=X-User-N")
            .setting("jwt.revoked", "jti:stolen, sub:mallory");
    for (String name : List.of("users", "products", "orders")) {
      webapp.setting(name + ".url", service.url());
    }
    server =
        container
            .newServer()
            .deploy(
                webapp
                    .webXml(rule("read-orders", "scope", "orders:read", "", "/api/orders/*"))
                    .webXml(
                        rule(
                            "change-orders",
                            "scope",
                            "orders:read orders:write",
                            "POST, PUT, DELETE",
                            "/api/orders/*"))
                    .webXml(rule("staff", "role", "admin, ops", "GET", "/api/users/staff/*"))
                    .webXml(rule("shut", "scope", "products:all", "", "/api/products/shut/*")))
            .start();
  }

  private static String rule(String name, String what, String value, String methods, String path) {
    String about =
        methods.isEmpty()
            ? ""
            : "<init-param><param-name>methods</param-name><param-value>%s</param-value></init-param>"
                .formatted(methods);
    return """
    <filter>
      <filter-name>%1$s</filter-name>
      <filter-class>dev.gatehouse.auth.AuthorizationFilter</filter-class>
      <async-supported>true</async-supported>
      <init-param><param-name>%2$s</param-name><param-value>%3$s</param-value></init-param>
      %4$s
    </filter>
    <filter-mapping>
      <filter-name>%1$s</filter-name>
      <url-pattern>%5$s</url-pattern>
    </filter-mapping>
    """
        .formatted(name, what, value, about, path);
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

  @ParameterizedTest
  @CsvSource({
    "GET, orders:read, 200",
    "GET, orders:read orders:write, 200",
    "GET, orders:write, 403",
    "GET, '', 403",
    "GET, orders:reader, 403",
    "GET, ORDERS:READ, 403",
    "HEAD, orders:write, 403",
    "PATCH, orders:read, 200",
    "POST, orders:read, 403",
    "POST, orders:read orders:write, 200",
    "POST, orders:write, 403",
    "DELETE, orders:read, 403",
    "delete, orders:read, 403",
    "Delete, orders:read orders:write, 200",
  })
  void scopesAreNeededByMethod(String method, String scopes, int status) {
    RawResponse answer =
        send(
            RawRequest.of(method, "/api/orders/1")
                .bearer(Tokens.signed(Trust.HS256, Tokens.claims("scope", scopes))));

    assertThat(answer.status()).as("%s", answer).isEqualTo(status);
    assertThat(service.requests()).hasSize(status == 200 ? 1 : 0);
  }

  @Test
  void theChallengeNamesWhatIsMissing() {
    RawResponse answer = get("/api/orders/1", Tokens.claims("scope", "x"));

    assertProblem(answer, 403, "scope_missing");
    assertThat(answer.values("WWW-Authenticate"))
        .containsExactly(
            "Bearer realm=\"gatehouse\", error=\"insufficient_scope\", scope=\"orders:read\"");

    answer = get("/api/users/staff/1", Tokens.claims("scope", "x"));
    assertProblem(answer, 403, "scope_missing");
    assertThat(answer.values("WWW-Authenticate"))
        .containsExactly("Bearer realm=\"gatehouse\", error=\"insufficient_scope\"");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"roles\":[\"admin\"]}|200",
        "{\"roles\":[\"guest\",\"ops\"]}|200",
        "{\"roles\":\"ops\"}|200",
        "{\"roles\":[\"Admin\"]}|403",
        "{\"roles\":[\"admin, ops\"]}|403",
        "{\"roles\":[[\"admin\"],{\"x\":\"admin\"},7,null]}|403",
        "{\"roles\":{\"admin\":true}}|403",
        "{}|403",
        "\"admin\"|403",
        "null|403",
      })
  void oneOfTheRolesIsNeeded(String claim, int status) {
    Map<String, Object> claims = Tokens.claims();
    claims.put("realm_access", dev.gatehouse.testing.Json.read(claim));
    claims.put("roles", List.of("admin"));

    assertThat(get("/api/users/staff/1", claims).status()).isEqualTo(status);
  }

  @Test
  void aPublicPathIsShutWhereARuleAsksForAScope() {
    assertThat(send(RawRequest.of("GET", "/api/products/1")).status()).isEqualTo(200);
    assertProblem(send(RawRequest.of("GET", "/api/products/shut/1")), 401, "token_missing");
    assertProblem(
        get("/api/products/shut/1", Tokens.claims("scope", "products:all")), 401, "token_missing");
    assertProblem(send(RawRequest.of("POST", "/api/products/1")), 401, "token_missing");
  }

  @Test
  void servicesAreToldWhatTheTokenSays() {
    Map<String, Object> claims = Tokens.claims("email", "zoë@example.org");
    claims.put("org", Map.of("id", List.of("a,b", "c", 7)));
    claims.put("n", 42);

    RawResponse answer =
        send(
            RawRequest.of("GET", "/api/users/1")
                .line("X-User-Email: evil@example.org")
                .line("x_user_org: evil")
                .bearer(Tokens.signed(Trust.HS256, claims)));

    assertThat(answer.status()).isEqualTo(200);
    assertThat(service.only().values("X-User-Email")).containsExactly("zo%C3%AB@example.org");
    assertThat(service.only().values("X-User-Org")).containsExactly("a%2Cb,c,7");
    assertThat(service.only().values("X-User-N")).containsExactly("42");
    assertThat(service.only().headerLines().toString()).doesNotContain("evil");
  }

  @Test
  void whatTheTokenDoesNotSayNobodySays() {
    RawResponse answer =
        send(
            RawRequest.of("GET", "/api/users/1")
                .line("X-User-Email: evil@example.org")
                .line("X-User-Org: evil")
                .bearer(Tokens.good(Trust.HS256)));

    assertThat(answer.status()).isEqualTo(200);
    assertThat(service.only().values("X-User-Email")).isEmpty();
    assertThat(service.only().values("X-User-Org")).isEmpty();
    assertThat(service.only().values("X-User-Id")).containsExactly("demo");
  }

  @ParameterizedTest
  @ValueSource(strings = {"email", "n"})
  void aClaimThatIsNoFieldsValueIsRefused(String claim) {
    for (String bad : List.of("a\r\nX-Evil: 1", "a\0", "\u0085")) {
      assertProblem(get("/api/users/1", Tokens.claims(claim, bad)), 401, "token_invalid");
    }
    assertThat(service.requests()).isEmpty();
  }

  @Test
  void revokedTokensAndSubjectsEnd() {
    Map<String, Object> stolen = Tokens.claims("jti", "stolen");
    assertProblem(get("/api/users/1", stolen), 401, "token_invalid");
    assertProblem(get("/api/users/1", Tokens.claims("sub", "mallory")), 401, "token_invalid");
    assertThat(get("/api/users/1", Tokens.claims("jti", "mallory")).status()).isEqualTo(200);
    assertThat(get("/api/users/1", Tokens.claims("sub", "stolen")).status()).isEqualTo(200);
  }

  @Test
  void aTokenIsVerifiedOnceAndAChangedByteIsAnotherToken() {
    RunningGateway gateway = RunningGateway.atRootOf(server);
    Map<String, Object> claims = new LinkedHashMap<>(Tokens.claims("jti", "once"));
    String token = Tokens.signed(Trust.HS256, claims);
    assertThat(get("/api/users/1", token).status()).isEqualTo(200);
    int middle = token.length() - 20;
    char other = token.charAt(middle) == 'A' ? 'B' : 'A';
    String tampered = token.substring(0, middle) + other + token.substring(middle + 1);
    assertProblem(get("/api/users/1", tampered), 401, "token_invalid");
    String probe = Tokens.admin(Trust.HS256);
    gateway.send(RawRequest.of("GET", "/gateway/routes").bearer(probe));
    double recognised = gateway.metric("gatehouse_tokens_checked_total", "how=\"recognised\"");

    for (int i = 0; i < 10; i++) {
      assertThat(get("/api/users/1", token).status()).isEqualTo(200);
      assertProblem(get("/api/users/1", tampered), 401, "token_invalid");
    }

    double now = gateway.metric("gatehouse_tokens_checked_total", "how=\"recognised\"");
    assertThat(now - recognised).isBetween(10.0, 11.0);
  }

  private static RawResponse get(String path, Map<String, Object> claims) {
    return get(path, Tokens.signed(Trust.HS256, claims));
  }

  private static RawResponse get(String path, String token) {
    return send(RawRequest.of("GET", path).bearer(token));
  }

  private static RawResponse send(RawRequest request) {
    try (RawClient client = server.connect()) {
      client.send(request);
      return client.receive();
    }
  }
}
