package dev.gatehouse;

/**
 * Where the server mapped a request to.
 *
 * @param servlet the servlet-name, which is the service's name
 * @param prefix the part of the path that the mapping matched, such as {@code /api/users}; empty
 *     for a mapping to all paths
 * @param exact whether the whole path was matched, not a prefix
 * @param exists false if only the servlet that answers "no such route" was found
 */
public record Route(String servlet, String prefix, boolean exact, boolean exists) {

  /**
   * Reads a mapping's url-pattern (Servlet 6.0, section 12.2).
   *
   * @param pattern such as {@code /api/users/*}, {@code /gateway/metrics}, {@code *.do}, {@code /}
   */
  public static Route of(String servlet, String pattern, boolean exists) {
    if (pattern.endsWith("/*")) {
      return new Route(servlet, pattern.substring(0, pattern.length() - 2), false, exists);
    }
    boolean exact = pattern.startsWith("/") && pattern.length() > 1;
    return new Route(servlet, exact ? pattern : "", exact, exists);
  }
}
