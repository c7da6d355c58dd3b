package dev.gatehouse.limit;

import io.lettuce.core.RedisURI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the store of shared limits is.
 *
 * @param text the URL as it was written, which has the password
 * @param host a name or an address, an IPv6 address without brackets
 * @param port 1 to 65535
 */
record StoreUrl(String text, String host, int port) {

  /** Not by java.net.URI: it takes names with underscores, and more than one host, for no host. */
  private static final Pattern FORM =
      Pattern.compile(
          "(?<scheme>rediss?)://"
              + "((?<user>[^:/@\\s]*)(:(?<password>[^/@\\s]*))?@)?"
              + "(?<host>\\[[0-9A-Fa-f:.]+]|[A-Za-z0-9._-]+)"
              + "(:(?<port>\\d{1,5}))?"
              + "(/(?<database>\\d{1,5})?)?");

  private static final int PORT = 6379;
  private static final int LAST_PORT = 65_535;

  /**
   * @throws IllegalArgumentException if it is no such URL; the message says what was expected, and
   *     nothing of the text
   */
  static StoreUrl parse(String text) {
    Matcher form = FORM.matcher(text);
    if (form.matches()) {
      int port = form.group("port") == null ? PORT : Integer.parseInt(form.group("port"));
      if (port >= 1 && port <= LAST_PORT && isDecodable(form)) {
        String host = form.group("host");
        boolean bracketed = host.startsWith("[");
        return new StoreUrl(text, bracketed ? host.substring(1, host.length() - 1) : host, port);
      }
    }
    throw new IllegalArgumentException(
        "local, or a URL such as redis://host:6379/0 or rediss://user:password@host, with @ : / and %"
            + " of a password as %40 %3A %2F %25");
  }

  private static boolean isDecodable(Matcher form) {
    try {
      decoded(form.group("user"));
      decoded(form.group("password"));
      return true;
    } catch (IllegalArgumentException notSo) {
      return false;
    }
  }

  private static String decoded(@org.jspecify.annotations.Nullable String part) {
    // A plus is a plus here, not a blank.
    return part == null ? "" : URLDecoder.decode(part.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  /** What may be shown of a text, be it such a URL or not. */
  static String shown(String text) {
    Matcher form = FORM.matcher(text);
    if (!form.matches()) {
      return text.equals("local") || text.isEmpty() ? text : "***";
    }
    String who = form.group("user") == null ? "" : "***@";
    return form.group("scheme") + "://" + who + text.substring(form.start("host"));
  }

  /** For the client. */
  RedisURI uri() {
    Matcher form = FORM.matcher(text);
    if (!form.matches()) {
      throw new IllegalStateException("not parsed");
    }
    RedisURI.Builder uri =
        RedisURI.builder()
            .withHost(host)
            .withPort(port)
            .withSsl(form.group("scheme").equals("rediss"));
    String user = decoded(form.group("user"));
    String password = decoded(form.group("password"));
    if (!password.isEmpty() && !user.isEmpty()) {
      uri.withAuthentication(user, password);
    } else if (!password.isEmpty()) {
      uri.withPassword(password.toCharArray());
    }
    String database = form.group("database");
    if (database != null) {
      uri.withDatabase(Integer.parseInt(database));
    }
    return uri.build();
  }

  @Override
  public String toString() {
    return host + ":" + port;
  }
}
