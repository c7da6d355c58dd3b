package dev.gatehouse;

import static dev.gatehouse.Problems.assertProblem;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RunningGateway;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@OnEveryGateway
class RoutesIT {
  private final RunningGateway gateway;

  RoutesIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  @ParameterizedTest
  @CsvSource({
    "users, /api/users",
    "users, /api/user",
    "users, /users",
    "products, /api/products",
    "products, /products",
    "orders, /api/orders",
    "orders, /orders",
    "notifications, /api/notifications",
    "notifications, /notifications",
    "inventory, /api/inventory",
    "inventory, /inventory",
  })
  void everyPrefixLeadsToItsServiceAndIsStripped(String service, String prefix) {
    assertThat(gateway.get(prefix + "/profile?x=1").status()).isEqualTo(200);

    assertThat(gateway.upstream(service).only().target()).isEqualTo("/profile?x=1");
    assertThat(gateway.arrivals()).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({
    "/api/users, /",
    "/api/users/, /",
    "/api/users?x=1, /?x=1",
    "/api/users/?x=1, /?x=1",
    "/api/users?, /?",
    "/api/users/a/, /a/",
    "/api/users/users/api/users, /users/api/users",
  })
  void thePrefixAloneIsTheRootOfTheService(String path, String target) {
    assertThat(gateway.get(path).status()).isEqualTo(200);

    assertThat(gateway.upstream("users").only().target()).isEqualTo(target);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/",
        "/api",
        "/api/",
        "/api/usersX",
        "/api/usersX/1",
        "/apiusers",
        "/API/users",
        "/userss",
        "/nothing",
        "/index.html",
        "/gateway",
        "/gateway/nothing",
      })
  void whatNoServiceIsMappedToIsNoRouteEvenWithoutToken(String path) {
    assertProblem(gateway.send(gateway.anonymous("GET", path)), 404, "no_route");
    assertProblem(gateway.get(path), 404, "no_route");

    assertThat(gateway.arrivals()).isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/WEB-INF/web.xml", "/META-INF/MANIFEST.MF", "/WEB-INF/", "/WEB-INF/classes/"})
  void nothingInTheWarIsServedAsAFile(String path) {
    assertThat(gateway.get(path).status()).isEqualTo(404);
  }
}
