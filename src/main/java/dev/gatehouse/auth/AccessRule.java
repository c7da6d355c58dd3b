package dev.gatehouse.auth;

import dev.gatehouse.Caller;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;

/**
 * What a caller needs for a path.
 *
 * @param scopes all are needed
 * @param roles one is needed, if there are any
 * @param methods in upper case; empty for all
 */
record AccessRule(Set<String> scopes, Set<String> roles, Set<String> methods) {

  /** What holds before a rule was read. */
  static final AccessRule NOBODY = new AccessRule(Set.of(), Set.of(""), Set.of());

  /**
   * Whether a method needs what the rule says. It is read in any case, because a service may do so;
   * a HEAD is a GET without the body.
   */
  boolean isAbout(String method) {
    String upper = method.toUpperCase(Locale.ROOT);
    return methods.isEmpty()
        || methods.contains(upper)
        || (upper.equals("HEAD") && methods.contains("GET"));
  }

  boolean hasScopes(Caller caller) {
    return caller.scopes().containsAll(scopes);
  }

  boolean hasRole(Caller caller) {
    return roles.isEmpty() || caller.roles().stream().anyMatch(roles::contains);
  }

  /**
   * @throws IllegalArgumentException if one is none (RFC 6749 section 3.3); the message says what
   *     was expected
   */
  static Set<String> scopes(String text) {
    Set<String> scopes = new LinkedHashSet<>();
    for (String scope : text.isBlank() ? new String[0] : text.strip().split("\\s+", -1)) {
      if (!scope.matches("[\\x21\\x23-\\x5B\\x5D-\\x7E]+") || scope.indexOf(',') >= 0) {
        throw new IllegalArgumentException("scopes with blanks, without quotes and commas");
      }
      scopes.add(scope);
    }
    return scopes;
  }

  /**
   * @throws IllegalArgumentException if one is empty; the message says what was expected
   */
  static Set<String> roles(String text) {
    return listed(text, ".+", "roles with commas");
  }

  /**
   * @throws IllegalArgumentException if one is none; the message says what was expected
   */
  static Set<String> methods(String text) {
    return listed(text, "[A-Z][A-Z-]*", "methods in upper case with commas, such as POST, PUT");
  }

  private static Set<String> listed(String text, String form, String expected) {
    Set<String> items = new LinkedHashSet<>();
    for (String item : text.isBlank() ? new String[0] : text.split(",", -1)) {
      if (!item.strip().matches(form)) {
        throw new IllegalArgumentException(expected);
      }
      items.add(item.strip());
    }
    return items;
  }
}
