package dev.gatehouse.proxy;

import dev.gatehouse.http.PathRule;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * One server that answers for a service.
 *
 * @param origin scheme, host and port, without a path
 * @param authority host and port as they stand in a Host field
 * @param basePath what goes before every path, without a slash at its end; may be empty
 */
record Upstream(URI origin, String authority, String basePath) {

  /**
   * @param text one URL, or several with commas
   * @throws IllegalArgumentException if one is not usable; the message says what was expected
   */
  static List<Upstream> list(String text) {
    List<Upstream> upstreams = new ArrayList<>();
    for (String item : text.split(",", -1)) {
      upstreams.add(of(item.strip()));
    }
    return List.copyOf(upstreams);
  }

  private static Upstream of(String text) {
    URI uri;
    try {
      uri = new URI(text);
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(expected(), e);
    }
    String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
    String path = uri.getRawPath() == null ? "" : uri.getRawPath();
    if (!(scheme.equals("http") || scheme.equals("https"))
        || uri.getHost() == null
        || uri.getRawUserInfo() != null
        || uri.getRawQuery() != null
        || uri.getRawFragment() != null
        || uri.getPort() == 0
        || uri.getPort() > 65535
        || !path.equals(uri.normalize().getRawPath())
        // normalize() leaves dot segments that lead out of the root, are encoded or have
        // parameters.
        || "dot_segment".equals(path.isEmpty() ? null : PathRule.ambiguity(path, "", "", false))) {
      throw new IllegalArgumentException(expected());
    }
    String host = uri.getHost().toLowerCase(Locale.ROOT);
    boolean standardPort =
        uri.getPort() < 0 || uri.getPort() == (scheme.equals("https") ? 443 : 80);
    String authority = standardPort ? host : host + ":" + uri.getPort();
    String base = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
    return new Upstream(URI.create(scheme + "://" + authority), authority, base);
  }

  private static String expected() {
    return "http:// or https:// URLs with commas, each with a host, perhaps a port and a base path,"
        + " and nothing more, such as http://localhost:8001 or https://users.internal/v2";
  }
}
