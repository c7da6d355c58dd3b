package dev.gatehouse.http;

import java.util.List;
import java.util.Locale;

/**
 * What a service says of its own addresses, told in paths that a client can ask for.
 *
 * <p>Rewritten are URLs of the service's own origins, and absolute paths that do not start with the
 * public prefix yet; both become paths under that prefix. All else stays as it is: other origins,
 * relative references, and what only looks like a path ({@code //host}).
 *
 * @param origins the service's own, as scheme, {@code ://} and authority in lower case, without the
 *     scheme's standard port
 * @param basePath what the gateway puts before each path for the service; may be empty
 * @param prefix what a client puts before it; may be empty
 */
public record PublicLinks(List<String> origins, String basePath, String prefix) {

  /** The origin as {@link #origins} holds it. */
  public static String origin(String scheme, String authority) {
    String lowerScheme = scheme.toLowerCase(Locale.ROOT);
    String standardPort = lowerScheme.equals("https") ? ":443" : ":80";
    String lower = authority.toLowerCase(Locale.ROOT);
    return lowerScheme
        + "://"
        + (lower.endsWith(standardPort)
            ? lower.substring(0, lower.length() - standardPort.length())
            : lower);
  }

  /** The value of a Location or Content-Location field (RFC 9110 sections 10.2.2 and 8.7). */
  public String location(String reference) {
    int scheme = lengthOfScheme(reference);
    if (!reference.startsWith("//", scheme)) {
      return scheme == 0 && reference.startsWith("/") ? path(reference, 0) : reference;
    }
    int end = scheme + 2;
    while (end < reference.length() && "/?#\\".indexOf(reference.charAt(end)) < 0) {
      end++;
    }
    String authority = reference.substring(scheme + 2, end);
    boolean own =
        scheme == 0
            ? isOwn("http", authority) || isOwn("https", authority)
            : isOwn(reference.substring(0, scheme - 1), authority);
    return own ? path(reference, end) : reference;
  }

  /** The value of a Refresh field, as browsers read it (HTML, "shared declarative refresh"). */
  public String refresh(String value) {
    int at = skip(value, 0, "0123456789. \t");
    int separator = skip(value, at, ";,");
    boolean separated = separator > at || (at > 0 && " \t".indexOf(value.charAt(at - 1)) >= 0);
    if (at == 0 || !separated) {
      return value;
    }
    int start = skip(value, separator, " \t");
    if (value.regionMatches(true, start, "url", 0, 3)) {
      int sign = skip(value, start + 3, " \t");
      if (value.startsWith("=", sign)) {
        start = skip(value, sign + 1, " \t");
      }
    }
    int end = value.length();
    if (value.startsWith("'", start) || value.startsWith("\"", start)) {
      int closed = value.indexOf(value.charAt(start), start + 1);
      end = closed < 0 ? end : closed;
      start++;
    }
    return value.substring(0, start) + location(value.substring(start, end)) + value.substring(end);
  }

  /** The value of a Set-Cookie field: only its Path is told anew (RFC 6265 section 5.2.4). */
  public String cookie(String value) {
    if (value.regionMatches(true, 0, "__Host-", 0, 7)) {
      // Browsers take it with the path "/" only.
      return value;
    }
    StringBuilder told = new StringBuilder(value.length() + prefix.length());
    int at = endOfAttribute(value, 0);
    told.append(value, 0, at);
    while (at < value.length()) {
      int end = endOfAttribute(value, at + 1);
      int name = skip(value, at + 1, " \t");
      int sign = name + 4 > end ? end : skip(value, name + 4, " \t");
      int path = sign < end ? skip(value, sign + 1, " \t") : end;
      if (value.regionMatches(true, name, "path", 0, 4)
          && value.startsWith("=", sign)
          && path < end
          && value.charAt(path) == '/') {
        String own = value.substring(path, end).stripTrailing();
        String publicPath = path(own, 0);
        boolean root = publicPath.length() == prefix.length() + 1 && !prefix.isEmpty();
        told.append(value, at, path).append(root ? prefix : publicPath);
        told.append(value, path + own.length(), end);
      } else {
        told.append(value, at, end);
      }
      at = end;
    }
    return told.toString();
  }

  /** The path that starts at an index of a reference; the reference if there is no safe one. */
  private String path(String reference, int start) {
    String path = reference.substring(start);
    if (!path.startsWith("/")) {
      path = "/" + path;
    }
    if (!prefix.isEmpty() && isUnder(prefix, path)) {
      return path;
    }
    if (!basePath.isEmpty() && isUnder(basePath, path)) {
      path = path.substring(basePath.length());
    }
    String publicPath = prefix + (path.startsWith("/") ? path : "/" + path);
    // Without a prefix, "//host" would lead to that host; browsers pass over tabs.
    String asRead = publicPath.replace("\t", "");
    boolean safe = !asRead.startsWith("//") && !asRead.startsWith("/\\");
    return safe ? publicPath : reference;
  }

  private boolean isOwn(String scheme, String authority) {
    return !authority.isEmpty() && origins.contains(origin(scheme, authority));
  }

  /** Whether a path lies under another, on the boundary of a segment. */
  private static boolean isUnder(String base, String path) {
    return path.startsWith(base)
        && (path.length() == base.length() || "/?#".indexOf(path.charAt(base.length())) >= 0);
  }

  /** The length of "http:" or "https:" at the start; 0 if there is none. */
  private static int lengthOfScheme(String reference) {
    if (reference.regionMatches(true, 0, "http:", 0, 5)) {
      return 5;
    }
    return reference.regionMatches(true, 0, "https:", 0, 6) ? 6 : 0;
  }

  private static int endOfAttribute(String value, int start) {
    int end = value.indexOf(';', start);
    return end < 0 ? value.length() : end;
  }

  private static int skip(String text, int start, String characters) {
    int at = start;
    while (at < text.length() && characters.indexOf(text.charAt(at)) >= 0) {
      at++;
    }
    return at;
  }
}
