package dev.gatehouse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.Container;
import dev.gatehouse.testing.GatewayServer;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Tokens.Trust;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.Webapp;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One server with a good deployment and one for each way to get the settings wrong. */
@ParameterizedClass(name = "{0}")
@MethodSource("dev.gatehouse.testing.Container#chosen")
@SuppressWarnings("NullAway.Init") // start() sets the fields
class BadSettingsIT {
  private static final String SHORT_SECRET = "thirty-one-bytes-are-too-few-31";
  private static final String BAD_PARAM =
      """
      <servlet>
        <servlet-name>reviews</servlet-name>
        <servlet-class>dev.gatehouse.proxy.ServiceProxy</servlet-class>
        <init-param>
          <param-name>url</param-name><param-value>http://localhost:1</param-value>
        </init-param>
        <init-param>
          <param-name>hostHaeder</param-name><param-value>client</param-value>
        </init-param>
        <async-supported>true</async-supported>
      </servlet>
      <servlet-mapping>
        <servlet-name>reviews</servlet-name><url-pattern>/api/reviews/*</url-pattern>
      </servlet-mapping>
      """;

  private static Upstream orders;
  private static Upstream nobody;
  private static GatewayServer server;

  BadSettingsIT(Container container) {
    assertThat(container).isNotNull();
  }

  @BeforeParameterizedClassInvocation
  static void start(Container container) {
    orders = Upstream.start();
    nobody = Upstream.refusing();
    server =
        container
            .newServer()
            .environment("GATEHOUSE_ORDERS_URL", orders.url())
            .environment("GATEHOUSE_NONSENSE", "1")
            .deploy(good("/good").setting("orders.url", nobody.url()))
            .deploy(Webapp.at("/no-key"))
            .deploy(Webapp.at("/short-secret").setting("jwt.secret", SHORT_SECRET))
            .deploy(good("/no-unit").setting("timeout.connect", "4321"))
            .deploy(good("/common").setting("timeout.response", "8765"))
            .deploy(
                good("/apart")
                    .setting("users.timeout.response", "7654")
                    .setting("orders.timeout.response", "7654"))
            .deploy(good("/typo").setting("invntory.url", "http://localhost:1"))
            .deploy(good("/bad-url").setting("products.url", "localhost:nowhere"))
            .deploy(good("/bad-param").webXml(BAD_PARAM))
            .deploy(
                good("/limits")
                    .setting("rateLimit", "600/2d")
                    .setting("rateLimit.byAddress", "many")
                    .setting("rateLimit.store", "redis:/user:hidden-word@host")
                    .setting("rateLimit.onStoreLoss", "panic")
                    .webXml(
                        """
                        <filter>
                          <filter-name>limit-nothing</filter-name>
                          <filter-class>dev.gatehouse.limit.RateLimitFilter</filter-class>
                          <async-supported>true</async-supported>
                          <init-param>
                            <param-name>burst</param-name><param-value>5</param-value>
                          </init-param>
                          <init-param>
                            <param-name>key</param-name><param-value>colour</param-value>
                          </init-param>
                          <init-param>
                            <param-name>except</param-name>
                            <param-value>users, helth</param-value>
                          </init-param>
                        </filter>
                        <filter-mapping>
                          <filter-name>limit-nothing</filter-name>
                          <url-pattern>/api/users/*</url-pattern>
                        </filter-mapping>
                        """))
            .deploy(
                Webapp.at("/all")
                    .setting("timeout.idle", "9876")
                    .setting("notifcations.url", "http://localhost:1")
                    .setting("accessLog.format", "fancy")
                    .webXml(BAD_PARAM.replace("hostHaeder", "hostHeadr")))
            .start();
  }

  @AfterParameterizedClassInvocation
  static void stop() {
    server.close();
    orders.close();
    nobody.close();
  }

  @Test
  void aGoodDeploymentNextToBadOnesRuns() {
    assertThat(server.deployed("/good")).as(server.log()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/no-key",
        "/short-secret",
        "/no-unit",
        "/common",
        "/apart",
        "/typo",
        "/bad-url",
        "/bad-param",
        "/limits",
        "/all",
      })
  void whatIsWronglySetIsNotDeployedAndNothingOfItIsOpen(String context) {
    for (String path : new String[] {"/api/orders/1", "/gateway/health/live", "/"}) {
      try (RawClient client = server.connect()) {
        client.send(RawRequest.of("GET", context + path).bearer(Tokens.good(Trust.HS256)));
        assertThat(client.receive().status()).as(context + path).isIn(404, 503);
      }
    }
  }

  @Test
  void withoutAnyKeyTheLogNamesTheKeysThatWouldDo() {
    assertThat(server.log()).contains("jwt.secret").contains("jwt.publicKey");
  }

  @Test
  void aNumberWithoutItsUnitIsNamed() {
    assertThat(lineWith("got '4321'")).contains("timeout.connect");
  }

  @Test
  void everythingThatIsWrongWithLimitsIsNamed() {
    assertThat(lineWith("got '600/2d'"))
        .contains("limit-by-caller", "'limit'", "rateLimit", "COUNT/DURATION");
    assertThat(lineWith("got 'many'")).contains("limit-by-address", "rateLimit.byAddress");
    assertThat(lineWith("got 'panic'")).contains("onStoreLoss", "local, allow, refuse");
    assertThat(lineWith("'colour'")).contains("limit-nothing", "'key'", "header:<name>");
    assertThat(lineWith("[helth]")).contains("limit-nothing", "'except'", "servlet-names");
    assertThat(lineWith("'burst' says nothing")).contains("limit-nothing");
    assertThat(lineWith("'limit' and 'concurrent' are missing")).contains("limit-nothing");
    assertThat(lineWith("expected local, or a URL")).contains("'store'", "redis://host:6379/0");
    assertThat(server.log()).doesNotContain("hidden-word");
  }

  @Test
  void aWrongValueForAllServicesIsNamedOnceWithAllOfThem() {
    assertThat(problemsWith("8765"))
        .singleElement()
        .asString()
        .contains("users", "products", "orders", "notifications", "inventory")
        .contains(": timeout.response)");
  }

  @Test
  void wrongValuesOfSingleServicesAreNamedApart() {
    assertThat(problemsWith("7654"))
        .hasSize(2)
        .anySatisfy(line -> assertThat(line).contains("servlet users:", ": users.timeout.response"))
        .anySatisfy(
            line -> assertThat(line).contains("servlet orders:", ": orders.timeout.response"));
  }

  @Test
  void anUnknownKeyIsNamedWithWhatWasPerhapsMeant() {
    assertThat(lineWith("invntory.url")).contains("inventory.url");
  }

  @Test
  void aBadUrlIsNamed() {
    assertThat(lineWith("localhost:nowhere")).contains("products");
  }

  @Test
  void anUnknownInitParamIsNamedWithItsServletAndWhatWasPerhapsMeant() {
    assertThat(lineWith("hostHaeder")).contains("reviews").contains("hostHeader");
  }

  @Test
  void everyProblemIsNamedAtOnce() {
    assertThat(lineWith("got '9876'")).contains("timeout.idle");
    assertThat(lineWith("notifcations.url")).contains("notifications.url");
    assertThat(lineWith("fancy")).contains("accessLog.format").contains("combined");
    assertThat(lineWith("hostHeadr")).contains("hostHeader");
  }

  @Test
  void anUnknownEnvironmentVariableIsAWarningOnly() {
    assertThat(server.log()).contains("GATEHOUSE_NONSENSE");
  }

  @Test
  void theEnvironmentWinsOverTheSettingsFileAndTheReportSaysSo() {
    try (RawClient client = server.connect()) {
      client.send(RawRequest.of("GET", "/good/api/orders/1").bearer(Tokens.good(Trust.HS256)));
      assertThat(client.receive().status()).isEqualTo(200);
    }
    assertThat(lineWith("GATEHOUSE_ORDERS_URL")).contains("orders").contains("url");
  }

  @Test
  void secretsAreNeverLogged() {
    assertThat(server.log()).doesNotContain(SHORT_SECRET).doesNotContain(Tokens.secret());
  }

  private static Webapp good(String context) {
    return Tokens.trusting(Trust.HS256, Webapp.at(context));
  }

  /** Each once: a server may write the exception, too, whose message the gateway has logged. */
  private static Set<String> problemsWith(String value) {
    // The folders' names have numbers, too.
    String got = "got '" + value + "'";
    return server
        .log()
        .lines()
        .map(String::strip)
        .filter(line -> line.startsWith("- ") && line.contains(got))
        .collect(Collectors.toSet());
  }

  private static String lineWith(String text) {
    return server
        .log()
        .lines()
        .filter(line -> line.contains(text))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no line has " + text + ":\n" + server.log()));
  }
}
