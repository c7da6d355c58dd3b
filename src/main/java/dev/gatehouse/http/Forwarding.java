package dev.gatehouse.http;

import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What a proxy says of the request before it: X-Forwarded-For and Forwarded (RFC 7239). */
public final class Forwarding {

  private Forwarding() {}

  /** Behind an address; an IPv6 address with a port stands in brackets. */
  private static final Pattern PORT = Pattern.compile("(?<=^[^:]{1,15}|]):[0-9]{1,5}$");

  /**
   * The address that counts as the client's, as trusted proxies tell it: the right-most address of
   * the chain that is not itself a trusted proxy. What stands left of it may be forged. Some
   * proxies write the client's port, too.
   *
   * @param peer the address of the other end of the connection, a trusted proxy
   * @param forwardedFor the values of X-Forwarded-For, in order
   */
  public static String clientAddress(
      String peer, List<String> forwardedFor, List<AddressRange> trusted) {
    String client = peer;
    String[] chain = String.join(",", forwardedFor).split(",", -1);
    for (int i = chain.length - 1; i >= 0; i--) {
      String address = PORT.matcher(chain[i].strip()).replaceFirst("");
      if (address.isEmpty()) {
        // An empty element of a list means nothing (RFC 9110 section 5.6.1.2).
        continue;
      }
      if (IpAddress.parse(address) == null) {
        break;
      }
      client = IpAddress.bare(address);
      if (!AddressRange.anyContains(trusted, client)) {
        break;
      }
    }
    return client;
  }

  /** One element of Forwarded; an IPv6 address stands in brackets and quotes. */
  public static String element(String peer, @Nullable String host, String proto) {
    String address = IpAddress.bare(peer);
    StringBuilder element = new StringBuilder(64).append("for=");
    if (address.indexOf(':') >= 0) {
      element.append("\"[").append(address).append("]\"");
    } else {
      element.append(address);
    }
    if (host != null) {
      element.append(";host=");
      quoteUnlessToken(host, element);
    }
    return element.append(";proto=").append(proto).toString();
  }

  private static void quoteUnlessToken(String value, StringBuilder into) {
    boolean token = !value.isEmpty();
    for (int i = 0; i < value.length() && token; i++) {
      char c = value.charAt(i);
      token = c < 0x7f && (Character.isLetterOrDigit(c) || "!#$%&'*+-.^_`|~".indexOf(c) >= 0);
    }
    if (token) {
      into.append(value);
      return;
    }
    into.append('"');
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '"' || c == '\\') {
        into.append('\\');
      }
      into.append(c);
    }
    into.append('"');
  }
}
