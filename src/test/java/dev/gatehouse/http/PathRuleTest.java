package dev.gatehouse.http;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PathRuleTest {

  private static @Nullable String ambiguityUnderUsers(String rawPath) {
    return PathRule.ambiguity(rawPath, "", "/api/users", false);
  }

  @ParameterizedTest
  @CsvSource({
    "/api/users/%3b/a, empty_segment",
    "/api/users/%3Bx=1/a, empty_segment",
    "/api/users/%c0%ae%c0%ae/a, overlong_encoding",
    "/api/users/%C1%9c, overlong_encoding",
    "/api/users/..%e0%80%afa, overlong_encoding",
    "/api/users/%f0%80%80%ae, overlong_encoding",
  })
  void whatCarelessServicesReadOtherwiseIsAmbiguous(String path, String ambiguity) {
    assertThat(ambiguityUnderUsers(path)).isEqualTo(ambiguity);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/api/users/..%3bx",
        "/api/users/..%3B/a",
        "/api/users/%2e%3b/a",
        "/api/users/.",
        "/api/users/..",
        "/api/users/./a",
        "/api/users/../a",
        "/api/users/a/../b",
        "/api/users/a/./b",
        "/api/users/a/..",
        "/api/users/a/.",
        "/../api/users/a",
        "/./api/users/a",
        "/api/../api/users/a",
        "/api/users/../users/a",
        "/api/users/%2e",
        "/api/users/%2E",
        "/api/users/%2e%2e",
        "/api/users/%2E%2E/a",
        "/api/users/%2e%2E/a",
        "/api/users/%2E%2e/a",
        "/api/users/.%2e/a",
        "/api/users/%2e./a",
        "/api/users/.%2E/a",
        "/api/users/a/%2e%2e/b",
        "/api/users/..;/a",
        "/api/users/.;/a",
        "/api/users/..;x=y/a",
        "/api/users/..;x=y",
        "/api/users/.;x",
        "/api/users/..;x;y=z/a",
        "/api/users/%2e%2e;x=y/a",
        "/api/users/%2E.;/a",
        "/api/users/..;%2e/a",
        "/api/users/..;x=../a",
        "/api/users/a;x=y/../b",
      })
  void dotSegmentsAreAmbiguous(String rawPath) {
    assertThat(ambiguityUnderUsers(rawPath)).isEqualTo("dot_segment");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/api/users/a%2fb",
        "/api/users/a%2Fb",
        "/api/users/%2f",
        "/api/users%2Fa",
        "/api%2fusers/a",
        "/%2fapi/users/a",
        "/api/users/..%2fa",
        "/api/users/%2e%2e%2fa",
        "/api/users/a%5cb",
        "/api/users/a%5Cb",
        "/api/users/..%5c..",
        "/api/users/a%00",
        "/api/users/a%00.html",
        "/api/users/a;x=%2f",
        "/api/users/a;x=%00",
      })
  void encodedSeparatorsAreAmbiguousInBothCases(String rawPath) {
    assertThat(ambiguityUnderUsers(rawPath)).isNotNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "//",
        "//api/users/a",
        "/api//users/a",
        "/api/users//",
        "/api/users//a",
        "/api/users/a//b",
        "/api/users/a//",
        "/api/users/a///b",
        "/;x/api/users/a",
        "/api/;x/users/a",
        "/api/users/;x/admin",
        "/api/users/a/;/b",
      })
  void emptySegmentsAreAmbiguous(String rawPath) {
    assertThat(ambiguityUnderUsers(rawPath)).isEqualTo("empty_segment");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/api/users;x=y/a",
        "/api/users;/a",
        "/api;x=y/users/a",
        "/api/users;",
        "/api/users;jsessionid=1",
        "/%61pi/users/a",
        "/api/%75sers/a",
        "/api/user%73/a",
        "/api/user%73",
        "/API/users/a",
        "/api/Users/a",
        "/api/usersX",
        "/api/users-old/a",
        "/api/users%20/a",
        "/api/users.css",
        "/api",
        "/",
      })
  void aPrefixThatDoesNotStandThereAsMappedIsAmbiguous(String rawPath) {
    assertThat(ambiguityUnderUsers(rawPath)).isEqualTo("prefix_not_as_mapped");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/api/users/%",
        "/api/users/a%2",
        "/api/users/a%",
        "/api/users/%zz",
        "/api/users/%2",
        "/api/users/%g0/a",
        "/api/users/%0g/a",
        "/api/users/%u002e%u002e/a",
        "/api/users/% 20",
        "/api/users/%+2",
        "/api/users/%2/a",
        "/api/users/%\uff12\uff10",
      })
  void aPercentSignThatEncodesNothingIsAmbiguous(String rawPath) {
    assertThat(ambiguityUnderUsers(rawPath)).isEqualTo("broken_encoding");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/api/users/a\\b",
        "/api/users\\a",
        "/api/users/..\\a",
        "/api/users/a b",
        "/api/users/a\tb",
        "/api/users/a\r\nb",
        "/api/users/a\u0000b",
        "/api/users/a\u007fb",
        "/api/users/a#b",
        "/api/users/a?b",
        "api/users/a",
        "http://elsewhere.example/api/users/a",
        "*",
        "",
      })
  void whatIsNoPathIsRefused(String rawPath) {
    assertThat(ambiguityUnderUsers(rawPath)).isNotNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/api/users",
        "/api/users/",
        "/api/users/a",
        "/api/users/a/",
        "/api/users/a/b/c",
        "/api/users/a;x=y",
        "/api/users/a;x=y/b",
        "/api/users/a;x=..",
        "/api/users/a;x=../b",
        "/api/users/a;x=%2e%2e",
        "/api/users/;x=y",
        "/api/users/a;",
        "/api/users/%70",
        "/api/users/%70rofile",
        "/api/users/%25",
        "/api/users/%252e%252e/a",
        "/api/users/%252f",
        "/api/users/%20",
        "/api/users/a%20b",
        "/api/users/%3Fx",
        "/api/users/%23",
        "/api/users/...",
        "/api/users/.../a",
        "/api/users/..a",
        "/api/users/a..",
        "/api/users/.a",
        "/api/users/a.",
        "/api/users/.well-known",
        "/api/users/%2ehidden",
        "/api/users/%2e%2e%2e",
        "/api/users/a.b..c",
        "/api/users/%C3%A9",
        "/api/users/%c3%a9",
        "/api/users/\u00e9",
        "/api/users/%E2%82%AC",
        "/api/users/%e0%a0%80",
        "/api/users/%f0%90%80%80",
        "/api/users/a%3b/b",
        "/api/users/%3b",
        "/api/users/%e0",
        "/api/users/\ud83d\ude00",
        "/api/users/{a}",
        "/api/users/a|b",
        "/api/users/[1]",
        "/api/users/a^b`\"<>",
        "/api/users/a:b@c,d+e!$&'()*=~_-",
        "/api/users/%01%7F",
        "/api/users/api/users",
        "/api/users/http:x",
      })
  void everythingElsePasses(String rawPath) {
    assertThat(ambiguityUnderUsers(rawPath)).isNull();
  }

  @ParameterizedTest
  @CsvSource({
    "/gw/api/users, true",
    "/gw/api/users/a, true",
    "/gw/api/usersX, false",
    "/gwX/api/users, false",
    "/api/users/a, false",
    "/g%77/api/users/a, false",
    "/gw;x/api/users/a, false",
    "/GW/api/users/a, false",
    "/gw//api/users/a, false",
    "/gw/../gw/api/users/a, false",
    "/gw, false",
  })
  void theContextPathIsPartOfWhatMustStandThereLiterally(String rawPath, boolean clear) {
    assertThat(PathRule.ambiguity(rawPath, "/gw", "/api/users", false) == null).isEqualTo(clear);
  }

  @ParameterizedTest
  @CsvSource({
    "/gateway/metrics, true",
    "/gateway/metrics/, false",
    "/gateway/metrics/a, false",
    "/gateway/metrics;x=y, false",
    "/gateway/metricsX, false",
    "/gateway/metric%73, false",
    "/gateway/%6detrics, false",
    "/gateway, false",
  })
  void anExactMappingMatchesTheWholePathOnly(String rawPath, boolean clear) {
    assertThat(PathRule.ambiguity(rawPath, "", "/gateway/metrics", true) == null).isEqualTo(clear);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/a", "/a;x=y", "/a/b", "/%61", "/index.jsp", "/a/"})
  void withoutAPrefixAnyClearPathPasses(String rawPath) {
    assertThat(PathRule.ambiguity(rawPath, "", "", false)).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/..", "//", "/a/%2e%2e/b", "/a%2fb", "/a/..;/b", "/;/..;/"})
  void withoutAPrefixAmbiguousPathsAreRefusedAllTheSame(String rawPath) {
    assertThat(PathRule.ambiguity(rawPath, "", "", false)).isNotNull();
  }

  @Test
  void aContextPathHoldsItsEncodingAsTheServerTellsIt() {
    assertThat(PathRule.ambiguity("/my%20app/api/users/a", "/my%20app", "/api/users", false))
        .isNull();
    assertThat(PathRule.ambiguity("/my%20app", "/my%20app", "", false)).isNull();
  }
}
