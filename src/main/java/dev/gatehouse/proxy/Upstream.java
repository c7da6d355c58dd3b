package dev.gatehouse.proxy;

import dev.gatehouse.http.IpAddress;
import dev.gatehouse.http.PathRule;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One server that answers for a service.
 *
 * @param scheme {@code http} or {@code https}
 * @param host a name or an address, an IPv6 address in brackets
 * @param port the port to connect to
 * @param authority host and port as they stand in a Host field
 * @param basePath what goes before every path, without a slash at its end; may be empty
 */
record Upstream(String scheme, String host, int port, String authority, String basePath) {

  private static final Pattern AUTHORITY =
      Pattern.compile("([A-Za-z0-9._~-]+|\\[[0-9A-Fa-f:.]+])(?::(\\d{1,5}))?");

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
    // Not getHost(): it knows no names with underscores, which are common inside of clusters.
    Matcher authority =
        AUTHORITY.matcher(uri.getRawAuthority() == null ? "" : uri.getRawAuthority());
    if (!(scheme.equals("http") || scheme.equals("https"))
        || !authority.matches()
        || uri.getRawQuery() != null
        || uri.getRawFragment() != null
        || !(path.isEmpty() || isClear(path))) {
      throw new IllegalArgumentException(expected());
    }
    String host = authority.group(1).toLowerCase(Locale.ROOT);
    int standardPort = scheme.equals("https") ? 443 : 80;
    int port = authority.group(2) == null ? standardPort : Integer.parseInt(authority.group(2));
    if (port < 1 || port > 65535 || (host.startsWith("[") && IpAddress.parse(host) == null)) {
      throw new IllegalArgumentException(expected());
    }
    String base = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
    return new Upstream(scheme, host, port, port == standardPort ? host : host + ":" + port, base);
  }

  private static boolean isClear(String path) {
    return PathRule.ambiguity(path, "", "", false) == null;
  }

  private static String expected() {
    return "http:// or https:// URLs with commas, each with a host, perhaps a port and a base path,"
        + " and nothing more, such as http://localhost:8001 or https://users.internal/v2";
  }
}
