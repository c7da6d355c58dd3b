package dev.gatehouse;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.Container;
import dev.gatehouse.testing.GatewayServer;
import dev.gatehouse.testing.PathReader;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawHttp2Client;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RecordedRequest;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Tokens.Trust;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.UpstreamThat;
import dev.gatehouse.testing.Webapp;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * However a path is written, it leads nowhere but where it may lead: judged by what arrives at the
 * services, and how a careless one may read it. In servers as they come, and in such as leave the
 * checking of paths to the gateway.
 */
@ParameterizedClass(name = "{0}, {1}")
@MethodSource("servers")
@SuppressWarnings("NullAway.Init") // start() sets the fields
class PathFormsIT {
  enum Checks {
    AS_IT_COMES,
    LOOSENED
  }

  private static final String OPEN = "/gw/api/products/open";
  private static final String ALL_OPEN = "/gw/notifications";

  /** The last is for a line that seems to end without a version. */
  private static final Set<Integer> REFUSED = Set.of(400, 401, 403, 404, 414, 505);

  /** Orders and inventory are one upstream, each below a path of its own. */
  private static final Map<String, String> BASE_PATHS =
      Map.of("orders", "/base/v1", "inventory", "/base/v2/");

  /** What a token without the scope may not see, though it may see all else of that service. */
  private static final String ADMINS_ONLY =
      """
      <filter-mapping>
        <filter-name>authorize-admin</filter-name>
        <url-pattern>/api/users/secret/*</url-pattern>
      </filter-mapping>
      """;

  private static final Map<String, Upstream> UPSTREAMS = new LinkedHashMap<>();
  private static GatewayServer server;
  private static boolean jetty;

  private final List<String> deviations = new ArrayList<>();
  private int arrived;

  PathFormsIT(Container container, Checks checks) {
    assertThat(container).isNotNull();
    assertThat(checks).isNotNull();
  }

  static Stream<Arguments> servers() {
    return Container.chosen().stream()
        .flatMap(container -> Stream.of(Checks.values()).map(c -> Arguments.of(container, c)));
  }

  @BeforeParameterizedClassInvocation
  static void start(Container container, Checks checks) {
    jetty = container.toString().startsWith("jetty");
    Webapp webapp =
        Tokens.trusting(Trust.HS256, Webapp.at("/gw"))
            .setting("jwt.public", "GET /api/products/open/*, GET /notifications/*")
            .webXml(ADMINS_ONLY);
    for (String service : List.of("users", "products", "orders", "inventory", "notifications")) {
      String name = BASE_PATHS.containsKey(service) ? "shared" : service;
      Upstream upstream = UPSTREAMS.computeIfAbsent(name, any -> Upstream.start());
      webapp.setting(service + ".url", upstream.url() + BASE_PATHS.getOrDefault(service, ""));
    }
    server = container.newServer().http2().deploy(webapp);
    if (checks == Checks.LOOSENED && jetty) {
      server.configure("jetty.httpConfig.uriCompliance", "UNSAFE");
    } else if (checks == Checks.LOOSENED) {
      server
          .configure("Connector.encodedSolidusHandling", "decode")
          .configure("Connector.encodedReverseSolidusHandling", "decode")
          .configure("Connector.allowBackslash", "true")
          .configure("Connector.relaxedPathChars", "[]|{}^\\`");
    }
    server.start();
  }

  @AfterParameterizedClassInvocation
  static void stop() {
    server.close();
    UPSTREAMS.values().forEach(Upstream::close);
    UPSTREAMS.clear();
  }

  @BeforeEach
  void forget() {
    UPSTREAMS.values().forEach(upstream -> upstream.will(UpstreamThat.answers("", new byte[0])));
    UPSTREAMS.values().forEach(Upstream::forget);
  }

  @Test
  void theFormsAreMany() {
    assertThat(PathForms.WAYS_OUT).hasSizeGreaterThan(60).doesNotHaveDuplicates();
    assertThat(PathForms.WAYS_OUT_ENCODED_TWICE).doesNotHaveDuplicates();
    assertThat(PathForms.SPELLINGS).doesNotHaveDuplicates();
    assertThat(PathForms.DISGUISES).doesNotHaveDuplicates();
  }

  // Without a token: from what is public to what is not.

  @ParameterizedTest
  @MethodSource("protocols")
  void noWayLeadsFromAPublicPathToWhatIsBesideIt(Protocol protocol) {
    reaches(protocol, OPEN + "/1", "", "products", "/open/1");
    reaches(protocol, "/gw/api/products/secret", good(), "products", "/secret");

    tryAll(protocol, PathForms.WAYS_OUT, OPEN, "secret", "", Map.of("products", "/open"));
  }

  @Test
  void noWayLeadsFromAPublicServiceToAnother() {
    reaches(Protocol.HTTP_1, ALL_OPEN + "/1", "", "notifications", "/1");
    reaches(Protocol.HTTP_1, "/gw/api/users/1", good(), "users", "/1");

    tryAll(
        Protocol.HTTP_1,
        PathForms.WAYS_OUT,
        ALL_OPEN,
        "api/users/1",
        "",
        Map.of("notifications", ""));
  }

  @Test
  void noWayLeadsFromTheHealthToTheMetrics() {
    assertThat(Protocol.HTTP_1.ask("/gw/gateway/metrics", Tokens.admin(Trust.HS256)).text())
        .startsWith("HTTP/1.1 200 ")
        .contains("gatehouse_");

    tryAll(Protocol.HTTP_1, PathForms.WAYS_OUT, "/gw/gateway/health", "metrics", "", Map.of());
    tryAll(Protocol.HTTP_1, PathForms.WAYS_OUT, "/gw/gateway/health/live", "metrics", "", Map.of());
  }

  @ParameterizedTest
  @CsvSource({
    OPEN + ", secret",
    ALL_OPEN + ", api/users/secret",
    ALL_OPEN + ", gateway/metrics",
    "/gw/gateway/health, metrics",
  })
  void noDisguiseMakesAPathPublic(String from, String to) {
    tryAll(
        Protocol.HTTP_1,
        PathForms.DISGUISES,
        from,
        to,
        "",
        Map.of("products", "/open", "notifications", ""));
  }

  // With a token that lacks a scope.

  @ParameterizedTest
  @MethodSource("protocols")
  void noSpellingHidesAPathFromAFilterThatIsMappedToIt(Protocol protocol) {
    reaches(protocol, "/gw/api/users/1", good(), "users", "/1");
    String admin = Tokens.admin(Trust.HS256);
    reaches(protocol, "/gw/api/users/secret", admin, "users", "/secret");

    for (String form : PathForms.SPELLINGS) {
      String target = PathForms.target(form, "/gw/api/users", "secret");
      if (protocol.canSay(target)) {
        judge(
            form,
            target,
            protocol.ask(target, good()),
            (upstream, arrivedAs) ->
                upstream.equals("users") && PathReader.DECODING_AGAIN.avoids("/secret", arrivedAs));
      }
    }
    assertThat(deviations).isEmpty();
  }

  // From one service to another.

  @ParameterizedTest
  @MethodSource("protocols")
  void noWayLeadsFromOneServiceToAnother(Protocol protocol) {
    reaches(protocol, "/gw/api/users/1", good(), "users", "/1");
    reaches(protocol, "/gw/api/products/secret", good(), "products", "/secret");

    tryAll(
        protocol,
        PathForms.WAYS_OUT,
        "/gw/api/users",
        "products/secret",
        good(),
        Map.of("users", ""));
  }

  @Test
  void withoutATokenNothingArrivesAtAll() {
    tryAll(Protocol.HTTP_1, PathForms.WAYS_OUT, "/gw/api/users", "products/secret", "", Map.of());

    assertThat(arrived).isZero();
  }

  // Out of a base path.

  @ParameterizedTest
  @MethodSource("protocols")
  void noWayLeadsOutOfABasePath(Protocol protocol) {
    reaches(protocol, "/gw/api/orders/1", good(), "shared", "/base/v1/1");
    reaches(protocol, "/gw/api/inventory/secret", good(), "shared", "/base/v2/secret");

    tryAll(
        protocol,
        PathForms.WAYS_OUT,
        "/gw/api/orders",
        "v2/secret",
        good(),
        Map.of("shared", "/base/v1"));
    tryAll(
        protocol,
        PathForms.WAYS_OUT,
        "/gw/api/orders",
        "inventory/secret",
        good(),
        Map.of("shared", "/base/v1"));
  }

  // Encoded twice.

  @ParameterizedTest
  @CsvSource({
    "/gw/api/products/open, secret, false, products, /open",
    "/gw/api/users, products/secret, true, users, ''",
    "/gw/api/orders, v2/secret, true, shared, /base/v1",
  })
  void noneOfTheTwiceEncodedWaysLeadsOutForWhoDecodesOnce(
      String from, String to, boolean token, String upstream, String base) {
    tryAll(
        Protocol.HTTP_1,
        PathReader.DECODING_ONCE,
        PathForms.WAYS_OUT_ENCODED_TWICE,
        from,
        to,
        token ? good() : "",
        Map.of(upstream, base));
  }

  // How.

  /** What a client is told; the status is 0 if it comes without one. */
  record Answer(int status, String text) {

    /** Whether it may be what a way that leads nowhere ends in. */
    boolean isHarmless(String target) {
      return REFUSED.contains(status)
          // For Tomcat, a line that ends early is HTTP/0.9, whose answers have no status.
          || (status == 0 && target.matches("(?s).*[\\x00-\\x1f].*|"))
          // Tomcat resolves the path and finds the context: there it leads to its root.
          || (status == 302 && !jetty && text.matches("(?s).*Location: /gw/(\\?[^\r\n]*)?\r\n.*"))
          || (status == 200 && text.endsWith("{\"status\":\"UP\"}"));
    }
  }

  enum Protocol {
    HTTP_1 {
      @Override
      Answer ask(String target, String token) {
        RawRequest request = RawRequest.of("GET", target).line("Connection: close");
        try (RawClient client = server.connect()) {
          client.send(token.isEmpty() ? request : request.bearer(token));
          String text = new String(client.receiveRest(), ISO_8859_1);
          return new Answer(
              text.startsWith("HTTP/1.1 ") ? Integer.parseInt(text.substring(9, 12)) : 0, text);
        }
      }
    },
    HTTP_2 {
      @Override
      boolean canSay(String target) {
        // What takes more than one frame, or other characters, is beyond that client.
        return target.length() < 10_000 && target.chars().allMatch(c -> c < 0x80);
      }

      @Override
      Answer ask(String target, String token) {
        try (RawHttp2Client client = new RawHttp2Client(server.connect())) {
          if (token.isEmpty()) {
            client.begin("GET", target, List.of(), true);
          } else {
            client.get(target, token);
          }
          return new Answer(client.receiveStatus(), "");
        } catch (IOException refused) {
          return new Answer(0, "");
        }
      }
    };

    boolean canSay(String target) {
      return true;
    }

    abstract Answer ask(String target, String token);
  }

  static List<Protocol> protocols() {
    return List.of(Protocol.values());
  }

  private static String good() {
    return Tokens.good(Trust.HS256);
  }

  /** A plain way, to show that the others can be told from it. */
  private static void reaches(
      Protocol protocol, String target, String token, String upstream, String asTarget) {
    assertThat(protocol.ask(target, token).status()).isEqualTo(200);
    assertThat(requireNonNull(UPSTREAMS.get(upstream)).only().target()).isEqualTo(asTarget);
    UPSTREAMS.values().forEach(Upstream::forget);
  }

  private void tryAll(
      Protocol protocol,
      List<String> forms,
      String from,
      String to,
      String token,
      Map<String, String> allowed) {
    tryAll(protocol, PathReader.DECODING_AGAIN, forms, from, to, token, allowed);
  }

  /**
   * Sends every form.
   *
   * @param token empty for none
   * @param allowed the upstreams where something may arrive, each with the path to stay below
   */
  private void tryAll(
      Protocol protocol,
      PathReader reader,
      List<String> forms,
      String from,
      String to,
      String token,
      Map<String, String> allowed) {
    for (String form : forms) {
      String target = PathForms.target(form, from, to);
      if (protocol.canSay(target)) {
        judge(
            form,
            target,
            protocol.ask(target, token),
            (upstream, arrivedAs) ->
                allowed.containsKey(upstream)
                    && reader.staysBelow(requireNonNull(allowed.get(upstream)), arrivedAs));
      }
    }
    assertThat(deviations).isEmpty();
  }

  private void judge(
      String form, String target, Answer answer, BiPredicate<String, String> mayArrive) {
    boolean passed = false;
    boolean strayed = false;
    StringBuilder where = new StringBuilder();
    for (Map.Entry<String, Upstream> upstream : UPSTREAMS.entrySet()) {
      for (RecordedRequest request : upstream.getValue().requests()) {
        passed = true;
        arrived++;
        strayed |= !mayArrive.test(upstream.getKey(), request.target());
        where.append(", at ").append(upstream.getKey()).append(": ").append(request.target());
      }
      upstream.getValue().forget();
    }
    if (strayed || (passed ? answer.status() != 200 : !answer.isHarmless(target))) {
      deviations.add(form + ": " + answer.status() + where);
    }
  }
}
