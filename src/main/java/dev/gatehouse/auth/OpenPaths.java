package dev.gatehouse.auth;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The paths and methods that need no token. */
final class OpenPaths {

  private record Rule(@Nullable String method, String path, boolean below) {

    boolean opens(String requestMethod, String requestPath) {
      // A HEAD is a GET without the body, so what is open to the one is open to the other.
      if (method != null
          && !method.equals(requestMethod)
          && !(method.equals("GET") && requestMethod.equals("HEAD"))) {
        return false;
      }
      return requestPath.startsWith(path)
          && (requestPath.length() == path.length()
              || (below && requestPath.charAt(path.length()) == '/'));
    }
  }

  private final List<Rule> rules;

  private OpenPaths(List<Rule> rules) {
    this.rules = rules;
  }

  /**
   * @param text such as {@code GET /api/products/*, POST /api/users/login, /gateway/health/*}
   * @throws IllegalArgumentException if an item is of another form; the message says what was
   *     expected
   */
  static OpenPaths of(String text) {
    List<Rule> rules = new ArrayList<>();
    for (String item : text.split(",", -1)) {
      String[] words = item.strip().split("\\s+", -1);
      String method = words.length == 2 ? words[0] : null;
      String path = words[words.length - 1];
      if (item.isBlank()) {
        continue;
      }
      boolean below = path.endsWith("/*");
      String prefix = below ? path.substring(0, path.length() - 2) : path;
      if (words.length > 2
          || !path.startsWith("/")
          || prefix.indexOf('*') >= 0
          || prefix.indexOf(';') >= 0
          || prefix.indexOf('%') >= 0
          || (method != null && !method.matches("[A-Z][A-Z-]*"))) {
        throw new IllegalArgumentException(
            "paths with commas, each with a method before it or without, such as"
                + " GET /api/products/*, POST /api/users/login");
      }
      rules.add(new Rule(method, prefix, below));
    }
    return new OpenPaths(List.copyOf(rules));
  }

  /**
   * @param path the raw path without the context path, after the path rule
   */
  boolean opens(String method, String path) {
    for (Rule rule : rules) {
      if (rule.opens(method, path)) {
        return true;
      }
    }
    return false;
  }
}
