package dev.gatehouse;

import static dev.gatehouse.Problems.assertProblem;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.RunningGateways;
import dev.gatehouse.testing.Tokens;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@OnEveryGateway
class PathsIT {
  private final RunningGateway gateway;

  PathsIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/api/users/../products/1",
        "/api/users/a/../b",
        "/api/users/./a",
        "/api/users/a/.",
        "/api/users/a/..",
        "/api/./users/a",
        "/api/x/../users/a",
        "/gateway/health/../../api/users/1",
        "/gateway/health/live/../../../api/users/1",
        "/api/users;v=1/a",
        "/api;v=1/users/a",
        "/api/users;/a",
        "/api/%75sers/a",
        "/%61pi/users/a",
        "/api/use%72s",
      })
  void anAmbiguousPathThatEveryServerLetsThroughIsRefusedByTheGateway(String path) {
    assertProblem(gateway.get(path), 400, "path_ambiguous");

    assertThat(gateway.arrivals()).isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "//api/users/a",
        "/api//users/a",
        "/api/users//a",
        "/api/users/a//",
        "/api/users/%2e%2e/products/1",
        "/api/users/%2E./products/1",
        "/api/users/.%2e/products/1",
        "/api/users/%2e/a",
        "/api/users/..;/products/1",
        "/api/users/..;v=1/products/1",
        "/api/users/.;/a",
        "/api/users/%2e%2e;v=1/a",
        "/gateway/health/..;/..;/api/users/1",
        "/gateway/health/%2e%2e/%2e%2e/api/users/1",
        "/api/%2575sers/a",
      })
  void anAmbiguousPathIsRefusedByTheServerOrByTheGateway(String path) {
    RawResponse answer = gateway.get(path);

    if (path.contains("%25")) {
      assertThat(answer.status()).isIn(400, 404);
    } else if (gateway.inJetty()) {
      assertThat(answer.status()).isEqualTo(400);
    } else {
      assertProblem(answer, 400, "path_ambiguous");
    }
    assertThat(gateway.arrivals()).isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/api/users/a%2Fb",
        "/api/users/a%2fb",
        "/api/users%2Fa",
        "/api/users/..%2Fproducts/1",
        "/api/users/a%5Cb",
        "/api/users/..%5cproducts",
        "/api/users/a\\b",
        "/api/users/a%00b",
        "/api/users/%c0%ae%c0%ae/a",
        "/api/users/%u002e%u002e/a",
        "/api/users/%zz",
        "/api/users/{a}",
        "/api/users/a|b",
        "/api/users/%",
        "/api/users/a\u00ffb",
        "/api/users/a;x=\u00ff",
        "/api/users/a;x=\u00c3/b",
        "/api/users/a?x=\u00ff",
      })
  void aPathThatNoServerLetsThroughIsRefused(String path) {
    assertThat(gateway.get(path).status()).isEqualTo(400);

    assertThat(gateway.arrivals()).isZero();
  }

  @ParameterizedTest
  @CsvSource({"/api/users/a%25b, /a%25b", "/api/users/%252e%252e/a, /%252e%252e/a"})
  void anEncodedPercentPassesRawWhereTheServerLetsItThrough(String path, String target) {
    RawResponse answer = gateway.get(path);

    if (gateway.inJetty()) {
      assertThat(answer.status()).isEqualTo(400);
      assertThat(gateway.arrivals()).isZero();
    } else {
      assertThat(answer.status()).isEqualTo(200);
      assertThat(gateway.upstream("users").only().target()).isEqualTo(target);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/api/products/open/../1",
        "/api/products/open/..;/1",
        "/api/products/open/%2e%2e/1",
        "/api/products/open/..%2f1",
        "/api/products/open;/../1",
        "/api/products/x/../open/1",
        "/api/products//open/1",
        "/api/products/%6fpen/1",
        "/api/products/open;v=1/1",
        "/api/products/opened/1",
        "/API/products/open/1",
      })
  void noSpellingOfAPathIsPublicButTheOneThatIsListed(String path) {
    RawResponse answer = gateway.send(gateway.anonymous("GET", path));

    assertThat(answer.status()).as("%s", answer).isIn(400, 401, 404);
    assertThat(gateway.arrivals()).isZero();
  }

  @Test
  void thePublicPathIsOpenForItsMethodOnly() {
    if (!gateway.context().equals(RunningGateways.EXTENDED)) {
      return;
    }
    assertThat(gateway.send(gateway.anonymous("GET", "/api/products/open/1")).status())
        .isEqualTo(200);
    assertThat(gateway.send(gateway.anonymous("GET", "/api/products/open")).status())
        .isIn(200, 401);
    assertProblem(
        gateway.send(gateway.anonymous("POST", "/api/products/open/1")), 401, "token_missing");
  }

  @Test
  void theContextPathIsNoHidingPlaceEither() {
    for (String start : new String[] {"/x/..", "/./", "/%2e", "//"}) {
      RawRequest request = RawRequest.of("GET", start + gateway.context() + "/api/users/1");
      RawResponse answer = gateway.send(request.bearer(Tokens.good(gateway.trust())));
      assertThat(answer.status()).as("%s", request).isIn(400, 401, 404);
    }
    assertThat(gateway.arrivals()).isZero();
  }
}
