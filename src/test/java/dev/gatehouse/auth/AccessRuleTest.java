package dev.gatehouse.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.gatehouse.Caller;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AccessRuleTest {

  private static AccessRule rule(String scopes, String roles, String methods) {
    return new AccessRule(
        AccessRule.scopes(scopes), AccessRule.roles(roles), AccessRule.methods(methods));
  }

  private static List<String> words(String text, String separator) {
    return text.isEmpty() ? List.of() : List.of(text.split(separator, -1));
  }

  @ParameterizedTest
  @CsvSource({
    "'', '', true",
    "'', 'a b', true",
    "a, a, true",
    "a, 'b a', true",
    "a b, 'b c a', true",
    "a b, a, false",
    "a b, b, false",
    "a, '', false",
    "a, A, false",
    "a, ab, false",
    "ab, a b, false",
    "orders:write, orders, false",
    "orders, orders:write, false",
  })
  void allScopesAreNeeded(String needed, String has, boolean may) {
    Caller caller = new Caller("default", "alice", words(has, " "), List.of(needed), List.of());

    assertThat(rule(needed, "", "").hasScopes(caller)).isEqualTo(may);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      value = {
        "''|''|true",
        "''|a|true",
        "a|a|true",
        "a, b|b|true",
        "a, b|c,a|true",
        "a, b|c|false",
        "a|''|false",
        "a|A|false",
        "a|ab|false",
        "shop admin|shop admin|true",
        "shop admin|shop|false",
        "shop admin|admin|false",
      })
  void oneRoleIsNeeded(String needed, String has, boolean may) {
    Caller caller = new Caller("default", "alice", List.of(needed), words(has, ","), List.of());

    assertThat(rule("", needed, "").hasRole(caller)).isEqualTo(may);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|GET|true",
        "''|TRACE|true",
        "''|odd|true",
        "GET|GET|true",
        "GET|get|true",
        "GET|HEAD|true",
        "GET|head|true",
        "GET|POST|false",
        "GET|GETS|false",
        "HEAD|HEAD|true",
        "HEAD|GET|false",
        "POST|HEAD|false",
        "POST, PUT|PUT|true",
        "POST, PUT|Post|true",
        "POST, PUT|PATCH|false",
        "POST|POS\u0130|false",
        "M-SEARCH|m-search|true",
        "POST,PUT , DELETE|DELETE|true",
      })
  void aRuleIsAboutItsMethodsInAnyCase(String methods, String method, boolean isAbout) {
    assertThat(rule("a", "", methods).isAbout(method)).isEqualTo(isAbout);
  }

  @Test
  void beforeARuleIsReadNobodyMay() {
    Caller everything =
        new Caller("default", "root", List.of("gateway:admin"), List.of("admin", "*"), List.of());

    assertThat(AccessRule.NOBODY.isAbout("GET")).isTrue();
    assertThat(AccessRule.NOBODY.hasRole(everything)).isFalse();
  }

  @Test
  void aTextIsReadWithTheBlanksAroundItsParts() {
    assertThat(AccessRule.scopes(" a  b\n\tc:d/e ")).isEqualTo(Set.of("a", "b", "c:d/e"));
    assertThat(AccessRule.roles(" a ,shop admin,\u00e9\n"))
        .isEqualTo(Set.of("a", "shop admin", "\u00e9"));
    assertThat(AccessRule.methods(" POST,\n PUT ")).isEqualTo(Set.of("POST", "PUT"));
    assertThat(AccessRule.scopes(" ")).isEmpty();
    assertThat(AccessRule.roles("")).isEmpty();
    assertThat(AccessRule.methods("\n")).isEmpty();
  }

  private static void assertNone(
      Function<String, Set<String>> reader, String text, String expected) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> reader.apply(text))
        .withMessageContaining(expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"a,b", "a, b", "\"a\"", "a\\b", "\u00e9", "a\u0000", "a\u007f", "a \u00a0 b"})
  void whatAreNoScopesIsRefused(String text) {
    assertNone(AccessRule::scopes, text, "scopes with blanks");
  }

  @ParameterizedTest
  @ValueSource(strings = {",", "a,", ",a", "a,,b", "a, ,b", "a\nb"})
  void whatAreNoRolesIsRefused(String text) {
    assertNone(AccessRule::roles, text, "roles with commas");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {",", "GET,", "get", "Get", "GET POST", "GET;POST", "*", "-GET", "G\u00cbT", "1"})
  void whatAreNoMethodsIsRefused(String text) {
    assertNone(AccessRule::methods, text, "methods in upper case");
  }
}
