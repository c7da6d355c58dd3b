package dev.gatehouse;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RouteTest {

  @ParameterizedTest
  @CsvSource({
    "/api/users/*, /api/users, false",
    "/a/*, /a, false",
    "/*, '', false",
    "/gateway/metrics, /gateway/metrics, true",
    "/api/users/, /api/users/, true",
    "/a*, /a*, true",
    "/a.jsp, /a.jsp, true",
    "*.jsp, '', false",
    "*.do, '', false",
    "/, '', false",
    "'', '', false",
  })
  void aPatternTellsWhatItMatches(String pattern, String prefix, boolean exact) {
    // Servlet 6.0 section 12.2
    assertThat(Route.of("users", pattern, true)).isEqualTo(new Route("users", prefix, exact, true));
    assertThat(Route.of("no-route", pattern, false).exists()).isFalse();
  }
}
