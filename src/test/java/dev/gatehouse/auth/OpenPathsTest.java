package dev.gatehouse.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OpenPathsTest {

  private static final String PATHS =
      " GET /api/products/* ,POST  /api/users/login,/gateway/health/*, , OPTIONS /*, GET / ";

  @ParameterizedTest
  @CsvSource({
    "GET, /api/products, true",
    "GET, /api/products/, true",
    "GET, /api/products/1, true",
    "GET, /api/products/1/2, true",
    "GET, /api/products/1;x=y, true",
    "HEAD, /api/products/1, true",
    "POST, /api/products/1, false",
    "get, /api/products/1, false",
    "DELETE, /api/products, false",
    "GET, /api/productsX, false",
    "GET, /api/products;x=y, false",
    "GET, /api/product, false",
    "GET, /API/products/1, false",
    "GET, /x/api/products/1, false",
    "POST, /api/users/login, true",
    "GET, /api/users/login, false",
    "POST, /api/users/login/, false",
    "POST, /api/users/login/x, false",
    "POST, /api/users/login;x=y, false",
    "POST, /api/users/loginX, false",
    "POST, /api/users, false",
    "GET, /gateway/health/live, true",
    "POST, /gateway/health/live, true",
    "GET, /gateway/healthy, false",
    "GET, /gateway/metrics, false",
    "OPTIONS, /anything/at/all, true",
    "OPTIONS, /, true",
    "GET, /, true",
    "GET, '', false",
    "GET, /a, false",
  })
  void aPathIsOpenByItsMethodAndWholeSegments(String method, String path, boolean open) {
    assertThat(OpenPaths.of(PATHS).opens(method, path)).isEqualTo(open);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", ",", " , "})
  void nothingIsOpenWhenNothingIsListed(String text) {
    assertThat(OpenPaths.of(text).opens("GET", "/")).isFalse();
    assertThat(OpenPaths.of(text).opens("GET", "/gateway/health/live")).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "api/products",
        "*",
        "GET",
        "GET *",
        "/api/*/x",
        "/api*",
        "/api/**",
        "/*/login",
        "get /api",
        "Get /api",
        "GET POST /api",
        "GET,POST /api",
        "GET|POST /api",
        "GET: /api",
        "/api /users",
        "/api /users extra",
        "https://example.org/api",
        "/api;x=y",
        "/api%2fusers",
        "/%61pi",
        "/good, bad",
      })
  void whatCouldBeReadOtherwiseIsRefused(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> OpenPaths.of(text))
        .withMessageContaining("paths with commas");
  }
}
