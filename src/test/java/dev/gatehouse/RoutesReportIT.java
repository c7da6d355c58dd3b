package dev.gatehouse;

import static dev.gatehouse.Problems.assertProblem;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.RunningGateways;
import dev.gatehouse.testing.Tokens;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@OnEveryGateway
class RoutesReportIT {
  private static final String PATH = "/gateway/routes";

  private final RunningGateway gateway;

  RoutesReportIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  private RawResponse asAdmin(String method, String path) {
    String token = Tokens.admin(gateway.trust());
    return gateway.send(gateway.anonymous(method, path).bearer(token));
  }

  private JsonNode report() {
    RawResponse answer = asAdmin("GET", PATH);
    assertThat(answer.status()).as("%s", answer).isEqualTo(200);
    return answer.json();
  }

  private static JsonNode named(JsonNode list, String name) {
    for (JsonNode one : list) {
      if (one.path("name").asText().equals(name)) {
        return one;
      }
    }
    throw new AssertionError(name + " is not in " + list);
  }

  private static List<String> texts(JsonNode list) {
    List<String> texts = new ArrayList<>();
    list.forEach(text -> texts.add(text.asText()));
    return texts;
  }

  @Test
  void itIsJsonThatNobodyKeeps() {
    RawResponse answer = asAdmin("GET", PATH);

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.values("Content-Type"))
        .singleElement()
        .asString()
        .startsWith("application/json");
    assertThat(answer.values("Cache-Control")).containsExactly("no-store");
  }

  @Test
  void itNeedsAToken() {
    assertProblem(gateway.send(gateway.anonymous("GET", PATH)), 401, "token_missing");
  }

  @Test
  void itNeedsTheScope() {
    assertProblem(gateway.get(PATH), 403, "scope_missing");
  }

  @Test
  void itAnswersHeadWithoutABody() {
    RawResponse answer = asAdmin("HEAD", PATH);

    assertThat(answer.status()).isEqualTo(200);
    int length = asAdmin("GET", PATH).body().length;
    assertThat(answer.values("Content-Length")).containsExactly(String.valueOf(length));
    assertThat(answer.body()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"POST", "PUT", "DELETE", "PATCH"})
  void itTakesNothing(String method) {
    RawResponse answer = asAdmin(method, PATH);

    assertProblem(answer, 405, "method_refused");
    assertThat(answer.values("Allow")).containsExactly("GET, HEAD");
  }

  @Test
  void thereIsNothingBelowIt() {
    assertProblem(asAdmin("GET", PATH + "/users"), 404, "no_route");
  }

  @Test
  void itTellsWhereItIsAndWhichFileWasRead() {
    JsonNode report = report();

    assertThat(report.path("contextPath").asText()).isEqualTo(gateway.context());
    assertThat(report.path("server").asText()).containsIgnoringCase(serverName());
    assertThat(report.path("settingsFile").asText()).endsWith(".properties");
  }

  private String serverName() {
    return gateway.inJetty() ? "jetty" : "tomcat";
  }

  @ParameterizedTest
  @CsvSource({
    "users, UserService, /api/user/* /api/users/* /users/*",
    "products, ProductService, /api/products/* /products/*",
    "orders, OrderService, /api/orders/* /orders/*",
    "notifications, NotificationService, /api/notifications/* /notifications/*",
    "inventory, InventoryService, /api/inventory/* /inventory/*",
  })
  void itTellsOfEachServiceWhereItIsMappedAndWhereItIs(String name, String type, String patterns) {
    JsonNode service = named(report().path("services"), name);
    String url = gateway.upstream(name).url();

    assertThat(service.path("class").asText()).isEqualTo("dev.gatehouse.services." + type);
    assertThat(texts(service.path("patterns"))).containsExactly(patterns.split(" ", -1));
    assertThat(texts(service.path("urls"))).containsExactly(url);
    JsonNode parameter = service.path("parameters").path("url");
    assertThat(parameter.path("value").asText()).isEqualTo(url);
    assertThat(parameter.path("source").asText())
        .startsWith("file ")
        .endsWith(".properties: " + name + ".url");
  }

  @Test
  void theServicesAreInTheOrderOfTheirNames() {
    List<String> names = new ArrayList<>();
    report().path("services").forEach(service -> names.add(service.path("name").asText()));

    assertThat(names)
        .isSorted()
        .contains("users", "products", "orders", "notifications", "inventory")
        .doesNotContain("health", "metrics", "routes", "no-route");
    if (gateway.context().equals(RunningGateways.EXTENDED)) {
      assertThat(names).contains("reviews", "nobody", "slow");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "timeout.connect, 5s",
    "timeout.response, 30s",
    "timeout.idle, 60s",
    "timeout.total, none",
    "hostHeader, service",
  })
  void itTellsWhatIsLeftAtItsDefault(String name, String value) {
    JsonNode parameter = named(report().path("services"), "users").path("parameters").path(name);

    assertThat(parameter.path("value").asText()).isEqualTo(value);
    assertThat(parameter.path("source").asText()).isEqualTo("default");
  }

  @Test
  void itTellsOfServicesThatAnAdministratorHasAdded() {
    if (!gateway.context().equals(RunningGateways.EXTENDED)) {
      assertThat(report().path("services")).hasSize(5);
      return;
    }
    JsonNode services = report().path("services");

    JsonNode reviews = named(services, "reviews");
    assertThat(reviews.path("class").asText()).isEqualTo("dev.gatehouse.proxy.ServiceProxy");
    assertThat(texts(reviews.path("patterns"))).containsExactly("/api/reviews/*");
    assertThat(texts(reviews.path("urls")))
        .containsExactly(gateway.upstream("reviews-1").url(), gateway.upstream("reviews-2").url());
    assertThat(reviews.path("parameters").path("url").path("source").asText()).isEqualTo("default");

    JsonNode nobody = named(services, "nobody").path("parameters").path("url");
    assertThat(nobody.path("source").asText()).isEqualTo("web.xml");

    JsonNode slow = named(services, "slow").path("parameters").path("timeout.response");
    assertThat(slow.path("value").asText()).isEqualTo("300ms");
    assertThat(slow.path("source").asText()).endsWith(".properties: slow.timeout.response");
  }

  @Test
  void itTellsWhereEachFilterIsMappedAndWhatItReads() {
    JsonNode filters = report().path("filters");

    JsonNode admin = named(filters, "authorize-admin");
    assertThat(admin.path("class").asText()).isEqualTo("dev.gatehouse.auth.AuthorizationFilter");
    assertThat(texts(admin.path("patterns"))).containsExactly("/gateway/metrics", PATH);
    assertThat(texts(admin.path("servlets"))).isEmpty();
    assertThat(admin.path("parameters").path("scope").path("value").asText())
        .isEqualTo("gateway:admin");
    assertThat(texts(named(filters, "authenticate").path("patterns"))).containsExactly("/*");
    JsonNode proxies =
        named(filters, "find-client-address").path("parameters").path("trustedProxies");
    assertThat(proxies.path("value").isNull()).isTrue();
  }

  @Test
  void itNeverShowsASecret() {
    String secret =
        named(report().path("filters"), "authenticate")
            .path("parameters")
            .path("secret")
            .path("value")
            .asText();

    if (gateway.trust() == Tokens.Trust.HS256) {
      assertThat(secret).isEqualTo("***");
    }
    assertThat(asAdmin("GET", PATH).text()).doesNotContain(Tokens.secret());
  }
}
