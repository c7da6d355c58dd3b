package dev.gatehouse;

import static dev.gatehouse.testing.RunningGateways.EXTENDED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawHttp2Client;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RecordedRequest;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Upstream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Who a client says it is, in every spelling that a service might take for the gateway's word: the
 * service hears of it only from the gateway, on protected and on public paths.
 */
@OnEveryGateway(contexts = EXTENDED)
class SpoofedIdentityIT {
  private static final String PROTECTED = "/api/products/1";
  private static final String PUBLIC = "/api/products/open/1";
  private static final List<String> NOBODY = List.of("x-gateway: True");
  private static final List<String> OWN =
      List.of("x-gateway: True", "x-user-id: demo", "x-user-scopes: orders:read orders:write");

  private final RunningGateway gateway;
  private final Upstream products;

  SpoofedIdentityIT(RunningGateway gateway) {
    this.gateway = gateway;
    this.products = gateway.upstream("products");
  }

  /** Header lines of one request, with a bar between two. */
  static Stream<String> spoofs() {
    return Stream.of(
        "X-User-Id: forged",
        "x-user-id: forged",
        "X-USER-ID: forged",
        "x-uSER-iD: forged",
        "X_User_Id: forged",
        "X_USER_ID: forged",
        "X-User_Id: forged",
        "x_user-id: forged",
        "X.User.Id: forged",
        "X-User.Id: forged",
        "X~User~Id: forged",
        "X-User-Id:",
        "X-User-Id:   ",
        "X-User-Id: forged   ",
        "X-User-Id:\tforged\t",
        "X-User-Id: demo, forged",
        "X-User-Id: forged|X-User-Id: forged",
        "X-User-Id:|X-User-Id: forged",
        "X-User-Id: demo|x_user_id: forged",
        "X-User-Scopes: forged",
        "x-user-scopes: gateway:forged",
        "X_User_Scopes: forged",
        "X-User-Scopes:",
        "X-User-Scopes: forged|X-User-Scopes: forged",
        "X-User-Email: forged",
        "x_user_email: forged",
        "X-User-Roles: forged",
        "X_USER_ANYTHING: forged",
        "X-User-: forged",
        "X-Gateway: forged",
        "x-gateway: forged",
        "X_Gateway: forged",
        "x.GATEWAY: forged",
        "X-Gateway: True|X-Gateway: forged",
        "X-Gateway:");
  }

  @ParameterizedTest
  @MethodSource("spoofs")
  void whoKnocksWithATokenIsWhomItNames(String spoof) {
    assertThat(identity(seen(gateway.request("GET", PROTECTED), spoof)))
        .containsExactlyInAnyOrderElementsOf(OWN);
    assertThat(identity(seenNamedInConnection(gateway.request("GET", PROTECTED), spoof)))
        .containsExactlyInAnyOrderElementsOf(OWN);
  }

  @ParameterizedTest
  @MethodSource("spoofs")
  void onAPublicPathEverybodyIsNobody(String spoof) {
    for (String method : List.of("GET", "GET with a token")) {
      boolean known = method.endsWith("token");
      RawRequest one = known ? gateway.request("GET", PUBLIC) : gateway.anonymous("GET", PUBLIC);
      assertThat(identity(seen(one, spoof))).as(method).isEqualTo(NOBODY);
    }
    assertThat(identity(seenNamedInConnection(gateway.anonymous("GET", PUBLIC), spoof)))
        .isEqualTo(NOBODY);
  }

  @ParameterizedTest
  @MethodSource("spoofs")
  void byHttp2ItIsNoOther(String spoof) throws IOException {
    List<String> lines = new ArrayList<>(lines(spoof));
    assertThat(identity(seenByHttp2(PUBLIC, lines))).isEqualTo(NOBODY);

    lines.add("Authorization: Bearer " + Tokens.good(gateway.trust()));
    assertThat(identity(seenByHttp2(PROTECTED, lines))).containsExactlyInAnyOrderElementsOf(OWN);
  }

  /** What a server makes of these is its own; what reaches the service is not. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "X-User-Id : forged",
        "X-User-Id\t: forged",
        "X-Any: 1|\tX-User-Id: forged",
        "X-Any: 1| X-User-Id: forged",
        "X-User Id: forged",
        "X-User-Id\u00ad: forged",
        "\u00d7-User-Id: forged",
      })
  void whatIsNoFieldNameIsNoIdentity(String spoof) {
    for (String path : List.of(PROTECTED, PUBLIC)) {
      products.forget();
      RawRequest request = with(lines(spoof), gateway.request("GET", path));

      RawResponse answer = gateway.send(request);

      List<String> expected = path.equals(PUBLIC) ? NOBODY : OWN;
      if (answer.status() == 200) {
        assertThat(identity(products.only())).containsExactlyInAnyOrderElementsOf(expected);
      } else {
        assertThat(answer.status()).as("%s", answer).isEqualTo(400);
        assertThat(products.requests()).isEmpty();
      }
    }
  }

  /** Fields of the gateway and of the client. Whoever strips the former sees an unknown caller. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "Connection: X-User-Id, X-User-Scopes, X-Forwarded-For, Authorization, Cookie, X-Gateway,"
            + " X-Request-Id, traceparent, Via, Forwarded",
        "connection: x-user-id, x-user-scopes, x-forwarded-for, authorization, cookie, x-gateway,"
            + " x-request-id, traceparent, via, forwarded",
        "CONNECTION: X-USER-ID,X-USER-SCOPES,X-FORWARDED-FOR,AUTHORIZATION,COOKIE,X-GATEWAY,"
            + "X-REQUEST-ID,TRACEPARENT,VIA,FORWARDED",
        "Connection: keep-alive , ,\tX-User-Id\t,X-User-Scopes , X-Forwarded-For,, Authorization,"
            + " Cookie, X-Gateway, X-Request-Id, traceparent, Via, Forwarded,",
        "Connection: X-User-Id, X-User-Scopes, X-Forwarded-For|Connection: Authorization, Cookie|"
            + "connection: X-Gateway, X-Request-Id, traceparent|Connection: Via, Forwarded",
        "Connection: X_User_Id, X_User_Scopes, X_Forwarded_For, Authorization, Cookie, X_Gateway,"
            + " X_Request_Id, traceparent, Via, Forwarded",
        "Connection: close, X-User-Id, X-User-Scopes, X-Forwarded-For, Authorization, Cookie,"
            + " X-Gateway, X-Request-Id, traceparent, Via, Forwarded",
      })
  void whatTheGatewayTellsArrivesThoughTheClientCallsItHopByHop(String connection) {
    String token = Tokens.good(gateway.trust());
    String trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    List<String> lines =
        List.of(
            "Cookie: a=b",
            "X-User-Id: forged",
            "X-Forwarded-For: 6.6.6.6",
            "Forwarded: for=6.6.6.6",
            "X-Request-Id: own-1",
            "traceparent: " + trace,
            "Via: 1.1 before");
    RawRequest request = gateway.anonymous("GET", PROTECTED).bearer(token);

    RecordedRequest seen = sent(with(lines(connection), with(lines, request)));

    assertThat(identity(seen)).containsExactlyInAnyOrderElementsOf(OWN);
    assertThat(seen.values("X-Forwarded-For")).containsExactly("127.0.0.1");
    assertThat(seen.values("Forwarded"))
        .singleElement()
        .asString()
        .contains("for=127.0.0.1")
        .doesNotContain("6.6.6.6");
    assertThat(seen.values("X-Request-Id")).containsExactly("own-1");
    assertThat(seen.values("traceparent")).containsExactly(trace);
    assertThat(String.join(", ", seen.values("Via"))).isEqualTo("1.1 before, 1.1 gatehouse");
    // The service shall see the token that was checked, even if the client would have it taken off.
    assertThat(seen.values("Authorization")).containsExactly("Bearer " + token);
    // The client's own field: whether it goes further is the client's word (RFC 9110 7.6.1).
    assertThat(seen.values("Cookie")).isEmpty();
  }

  private RecordedRequest seen(RawRequest request, String spoof) {
    return sent(with(lines(spoof), request));
  }

  private RecordedRequest seenNamedInConnection(RawRequest request, String spoof) {
    List<String> names =
        lines(spoof).stream().map(line -> line.substring(0, line.indexOf(':'))).toList();
    return sent(
        with(lines(spoof), request).line("Connection: keep-alive, " + String.join(", ", names)));
  }

  private RecordedRequest seenByHttp2(String path, List<String> lines) throws IOException {
    products.forget();
    try (RawHttp2Client client = new RawHttp2Client(gateway.connect())) {
      client.begin("GET", gateway.context() + path, lines, true);
      assertThat(client.receiveStatus()).isEqualTo(200);
    }
    return clean(products.only());
  }

  private RecordedRequest sent(RawRequest request) {
    products.forget();
    RawResponse answer = gateway.send(request);
    assertThat(answer.status()).as("%s", answer).isEqualTo(200);
    return clean(products.only());
  }

  private static RecordedRequest clean(RecordedRequest seen) {
    assertThat(seen.headerLines()).noneMatch(line -> line.contains("forged"));
    return seen;
  }

  private static List<String> lines(String spoof) {
    return List.of(spoof.split("\\|", -1));
  }

  private static RawRequest with(List<String> lines, RawRequest request) {
    lines.forEach(request::line);
    return request;
  }

  /** All lines that a service might take for an identity, names in their plain spelling. */
  private static List<String> identity(RecordedRequest seen) {
    return seen.headerLines().stream()
        .map(
            line -> {
              int colon = line.indexOf(':');
              String name = line.substring(0, colon).toLowerCase(Locale.ROOT);
              return name.replaceAll("[^a-z0-9]", "-") + line.substring(colon);
            })
        .filter(line -> line.contains("gateway:") || line.contains("user"))
        .toList();
  }
}
