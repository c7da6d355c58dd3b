package dev.gatehouse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RecordedRequest;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.RunningGateways;
import dev.gatehouse.testing.Tokens;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@OnEveryGateway
class GatewayHeadersIT {
  private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";

  private final RunningGateway gateway;

  GatewayHeadersIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "X-Gateway: forged",
        "x-gateway: forged",
        "X-GATEWAY: True",
        "X_Gateway: forged",
        "x_GATEWAY: forged",
        "X-User-Id: forged",
        "x-uSER-iD: forged",
        "X_User_Id: forged",
        "X-User_Id: forged",
        "x_user-id: forged",
        "X-User-Scopes: gateway:admin",
        "X_User_Scopes: gateway:admin",
        "X-User-Roles: forged",
        "X_USER_ANYTHING: forged",
        "X-User-Id:",
      })
  void aForgedIdentityNeverArrives(String line) {
    RecordedRequest plain = forwarded(request().line(line));
    assertOwnIdentity(plain);

    gateway.upstream("users").fresh();
    String name = line.substring(0, line.indexOf(':'));
    RecordedRequest named = forwarded(request().line(line).line("Connection: " + name));
    assertOwnIdentity(named);
  }

  @Test
  void headersOfTheGatewayArriveThoughTheClientNamesThemInConnection() {
    RecordedRequest seen =
        forwarded(
            request()
                .line(
                    "Connection: X-Gateway, X-User-Id, X-User-Scopes, X-Request-Id, Via,"
                        + " X-Forwarded-For, X-Forwarded-Host, Forwarded, traceparent"));

    assertOwnIdentity(seen);
    assertThat(seen.values("X-Request-Id")).hasSize(1);
    assertThat(seen.values("Via")).containsExactly("1.1 gatehouse");
    assertThat(seen.values("X-Forwarded-For")).containsExactly("127.0.0.1");
    assertThat(seen.values("X-Forwarded-Host")).hasSize(1);
    assertThat(seen.values("Forwarded")).hasSize(1);
    assertThat(seen.values("traceparent")).hasSize(1);
  }

  @Test
  void onAPublicPathNobodyHasAnIdentity() {
    if (!gateway.context().equals(RunningGateways.EXTENDED)) {
      return;
    }
    RawResponse answer =
        gateway.send(
            gateway
                .anonymous("GET", "/api/products/open/1")
                .line("X-User-Id: forged")
                .line("x_user_scopes: forged")
                .line("X-Gateway: forged"));

    assertThat(answer.status()).isEqualTo(200);
    RecordedRequest seen = gateway.upstream("products").only();
    assertThat(identity(seen)).containsExactly("x-gateway: True");
  }

  @Test
  void theScopesArriveAlsoFromAList() {
    Map<String, Object> claims = Tokens.claims("scp", List.of("a:read", "b:write"));
    claims.remove("scope");

    RecordedRequest seen = forwarded(requestWith(claims));

    assertThat(seen.values("X-User-Scopes")).containsExactly("a:read b:write");
  }

  @Test
  void aSubjectOutsideAsciiArrivesPercentEncoded() {
    RecordedRequest seen = forwarded(requestWith(Tokens.claims("sub", "J\u00fcrgen")));

    assertThat(seen.values("X-User-Id")).containsExactly("J%C3%BCrgen");
  }

  @Test
  void withoutASubjectThereIsNoUserId() {
    Map<String, Object> claims = Tokens.claims();
    claims.remove("sub");

    RecordedRequest seen = forwarded(requestWith(claims).line("X-User-Id: forged"));

    assertThat(seen.values("X-User-Id")).isEmpty();
  }

  @Test
  void theAuthorizationIsForwardedUnchanged() {
    String token = Tokens.good(gateway.trust());

    RecordedRequest seen = forwarded(gateway.anonymous("GET", "/api/users/1").bearer(token));

    assertThat(seen.values("Authorization")).containsExactly("Bearer " + token);
  }

  @Test
  void whereTheRequestCameFromIsWrittenAfresh() {
    RecordedRequest seen =
        forwarded(
            request()
                .line("X-Forwarded-For: 6.6.6.6")
                .line("X-Forwarded-For: 6.6.6.7")
                .line("x-forwarded-proto: forged")
                .line("X-Forwarded-Host: forged.example")
                .line("X-Forwarded-Port: 666")
                .line("X-Forwarded-Prefix: /forged")
                .line("Forwarded: for=6.6.6.6;proto=forged;host=forged.example"));

    assertThat(seen.values("X-Forwarded-For")).containsExactly("127.0.0.1");
    assertThat(seen.values("X-Forwarded-Proto")).containsExactly("http");
    assertThat(seen.values("X-Forwarded-Host")).containsExactly("gateway.example:8443");
    assertThat(seen.values("X-Forwarded-Port")).containsExactly("8443");
    assertThat(seen.values("X-Forwarded-Prefix")).containsExactly(gateway.context() + "/api/users");
    assertThat(seen.values("Forwarded"))
        .singleElement()
        .asString()
        .contains("for=127.0.0.1", "proto=http", "gateway.example:8443")
        .doesNotContain("6.6.6.6", "forged");
  }

  @ParameterizedTest
  @ValueSource(strings = {"X_Forwarded_For: 6.6.6.6", "x_forwarded-host: forged.example"})
  void whereTheRequestCameFromIsNotForgedByAnotherSpelling(String line) {
    RecordedRequest seen = forwarded(request().line(line));

    assertThat(seen.headerLines().toString()).doesNotContain("6.6.6.6", "forged.example");
  }

  @Test
  void theGatewayAppendsItselfToVia() {
    RecordedRequest seen = forwarded(request().line("Via: 1.0 fred, 1.1 p.example"));

    assertThat(String.join(", ", seen.values("Via")))
        .isEqualTo("1.0 fred, 1.1 p.example, 1.1 gatehouse");
  }

  @Test
  void aSaneRequestIdIsKeptAndAnswered() {
    RawResponse answer = gateway.send(request().line("X-Request-Id: abc-1.2_3"));

    assertThat(answer.values("X-Request-Id")).containsExactly("abc-1.2_3");
    assertThat(gateway.upstream("users").only().values("X-Request-Id"))
        .containsExactly("abc-1.2_3");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a b", "a\"b", "<script>", "a/b", "", "\u00e9", "{x}"})
  void anInsaneRequestIdIsReplaced(String id) {
    assertReplaced(request().line("X-Request-Id: " + id), id);
  }

  @Test
  void aRequestIdThatIsTooLongIsReplaced() {
    String id = "a".repeat(129);

    assertReplaced(request().line("X-Request-Id: " + id), id);
  }

  private void assertReplaced(RawRequest request, String id) {
    RawResponse answer = gateway.send(request);

    List<String> fresh = answer.values("X-Request-Id");
    assertThat(fresh).singleElement().asString().matches("[A-Za-z0-9._-]{1,128}").isNotEqualTo(id);
    assertThat(gateway.upstream("users").only().values("X-Request-Id")).isEqualTo(fresh);
  }

  @Test
  void everyRequestHasAnIdOfItsOwn() {
    String first = gateway.get("/api/users/1").values("X-Request-Id").get(0);
    String second = gateway.get("/api/users/1").values("X-Request-Id").get(0);

    assertThat(first).isNotEqualTo(second);
  }

  @Test
  void aTraceIsContinued() {
    RecordedRequest seen =
        forwarded(request().line("traceparent: 00-" + TRACE + "-b7ad6b7169203331-01"));

    assertThat(seen.values("traceparent"))
        .singleElement()
        .asString()
        .matches("00-" + TRACE + "-[0-9a-f]{16}-[0-9a-f]{2}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "forged",
        "00-" + TRACE + "-0000000000000000-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "ff-" + TRACE + "-b7ad6b7169203331-01",
        "00-" + TRACE + "-b7ad6b7169203331",
      })
  void aTraceThatIsNoneIsBegunAnew(String traceparent) {
    RecordedRequest seen = forwarded(request().line("traceparent: " + traceparent));

    assertThat(seen.values("traceparent"))
        .singleElement()
        .asString()
        .matches("00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
        .doesNotContain(TRACE, "-0000000000000000-", "-00000000000000000000000000000000-");
  }

  private void assertOwnIdentity(RecordedRequest seen) {
    assertThat(identity(seen))
        .containsExactlyInAnyOrder(
            "x-gateway: True", "x-user-id: demo", "x-user-scopes: orders:read orders:write");
  }

  /** All lines that a service might take for an identity, names in their plain spelling. */
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

  private RawRequest request() {
    return gateway.request("GET", "/api/users/1");
  }

  private RawRequest requestWith(Map<String, ?> claims) {
    return gateway.anonymous("GET", "/api/users/1").bearer(Tokens.signed(gateway.trust(), claims));
  }

  private RecordedRequest forwarded(RawRequest request) {
    RawResponse answer = gateway.send(request);

    assertThat(answer.status()).as("%s", answer).isEqualTo(200);
    return gateway.upstream("users").only();
  }
}
