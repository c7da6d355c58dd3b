package dev.gatehouse;

import static dev.gatehouse.Problems.assertProblem;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.RunningGateways;
import dev.gatehouse.testing.Tokens;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@OnEveryGateway(contexts = {RunningGateways.STOCK, RunningGateways.EXTENDED, RunningGateways.EC})
class TokensIT {
  private final RunningGateway gateway;

  TokensIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  @Test
  void aGoodTokenOpensTheWay() {
    assertThat(gateway.get("/api/users/1").status()).isEqualTo(200);

    assertThat(gateway.upstream("users").only().values("X-User-Id")).containsExactly("demo");
  }

  @ParameterizedTest
  @ValueSource(strings = {"bearer", "BEARER", "bEaReR"})
  void theSchemeIsReadInAnyCase(String scheme) {
    RawRequest request =
        anonymous().line("Authorization: " + scheme + " " + Tokens.good(gateway.trust()));

    assertThat(gateway.send(request).status()).isEqualTo(200);
  }

  @TestFactory
  Stream<DynamicTest> theLeewayIsGranted() {
    return Stream.of(
            Map.entry("exp just over", Tokens.claims("exp", Tokens.inSeconds(-5))),
            Map.entry("nbf just ahead", Tokens.claims("nbf", Tokens.inSeconds(15))),
            Map.entry("iat just ahead", Tokens.claims("iat", Tokens.inSeconds(15))),
            Map.entry("aud in a list", Tokens.claims("aud", List.of("x", Tokens.AUDIENCE))))
        .map(
            row ->
                DynamicTest.dynamicTest(
                    row.getKey(),
                    () -> {
                      String token = Tokens.signed(gateway.trust(), row.getValue());
                      RawResponse answer = gateway.send(anonymous().bearer(token));
                      assertThat(answer.status()).as("%s", answer).isEqualTo(200);
                    }));
  }

  @TestFactory
  Stream<DynamicTest> aBadTokenIsRefusedAndTheServiceSeesNothing() {
    return Tokens.bad(gateway.trust()).entrySet().stream()
        .map(
            bad ->
                DynamicTest.dynamicTest(
                    bad.getKey(), () -> assertInvalid(anonymous().bearer(bad.getValue()))));
  }

  @Test
  void withoutATokenTheAnswerSaysHowToGetIn() {
    RawResponse answer = gateway.send(anonymous());

    assertProblem(answer, 401, "token_missing");
    assertThat(answer.values("WWW-Authenticate"))
        .singleElement()
        .asString()
        .matches("Bearer( .*)?")
        .doesNotContain("error=");
    assertThat(gateway.arrivals()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"Basic ZGVtbzpkZW1v", "Bearer", "Bearer ", "Negotiate x", ""})
  void whatIsNoBearerTokenIsRefused(String authorization) {
    RawResponse answer = gateway.send(anonymous().line("Authorization: " + authorization));

    assertThat(answer.status()).isEqualTo(401);
    assertThat(answer.code()).isIn("token_missing", "token_invalid");
    assertThat(gateway.arrivals()).isZero();
  }

  @Test
  void twoAuthorizationsAreRefused() {
    String good = Tokens.good(gateway.trust());

    assertInvalid(anonymous().bearer(good).bearer(good));
    assertInvalid(anonymous().bearer(good).line("authorization: Basic ZGVtbzpkZW1v"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"access_token", "token", "jwt"})
  void aTokenElsewhereThanInItsHeaderIsNone(String name) {
    String good = Tokens.good(gateway.trust());
    RawRequest request =
        gateway
            .anonymous("GET", "/api/users/1?" + name + "=" + good)
            .line("Cookie: " + name + "=" + good);

    assertProblem(gateway.send(request), 401, "token_missing");
    assertThat(gateway.arrivals()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
  void noMethodIsOpen(String method) {
    assertProblem(gateway.send(gateway.anonymous(method, "/api/users/1")), 401, "token_missing");
    assertThat(gateway.arrivals()).isZero();
  }

  private void assertInvalid(RawRequest request) {
    RawResponse answer = gateway.send(request);

    assertProblem(answer, 401, "token_invalid");
    assertThat(answer.values("WWW-Authenticate"))
        .singleElement()
        .asString()
        .startsWith("Bearer ")
        .contains("error=\"invalid_token\"");
    assertThat(gateway.arrivals()).isZero();
  }

  private RawRequest anonymous() {
    return gateway.anonymous("GET", "/api/users/1");
  }
}
