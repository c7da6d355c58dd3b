package dev.gatehouse.http;

import java.nio.charset.StandardCharsets;
import java.util.Set;

/**
 * The request fields that only the gateway may write. What a client sends under such a name never
 * reaches a service, in whatever spelling: many services take {@code X_User_Id} for {@code
 * X-User-Id}.
 */
public final class GatewayFields {

  public static final String GATEWAY = "X-Gateway";
  public static final String REQUEST_ID = "X-Request-Id";
  public static final String TRACEPARENT = "traceparent";
  public static final String TRACESTATE = "tracestate";
  public static final String VIA = "Via";
  public static final String FORWARDED = "Forwarded";
  public static final String FORWARDED_FOR = "X-Forwarded-For";
  public static final String FORWARDED_PROTO = "X-Forwarded-Proto";
  public static final String FORWARDED_HOST = "X-Forwarded-Host";
  public static final String FORWARDED_PORT = "X-Forwarded-Port";
  public static final String FORWARDED_PREFIX = "X-Forwarded-Prefix";
  public static final String USER_ID = "X-User-Id";
  public static final String USER_SCOPES = "X-User-Scopes";

  private static final Set<String> OURS =
      Set.of(
          "x-gateway",
          "x-request-id",
          "traceparent",
          "tracestate",
          "via",
          "forwarded",
          "x-forwarded-for",
          "x-forwarded-proto",
          "x-forwarded-host",
          "x-forwarded-port",
          "x-forwarded-prefix");

  private GatewayFields() {}

  /** Whether a field of that name is the gateway's own, in any spelling. */
  public static boolean isOurs(String name) {
    char first = name.isEmpty() ? ' ' : name.charAt(0);
    // Most names end here: all of ours begin with one of these letters.
    if (first != 'x' && first != 'X' && "tTvVfF".indexOf(first) < 0) {
      return false;
    }
    String plain = plain(name);
    return OURS.contains(plain) || plain.startsWith("x-user-");
  }

  /**
   * Whether a claim may be told to services under a name: only under one that clients cannot use,
   * and that has no meaning of its own.
   */
  public static boolean mayTellClaim(String name) {
    return name.matches("(?i)X-User-[A-Z0-9-]+")
        && !name.equalsIgnoreCase(USER_ID)
        && !name.equalsIgnoreCase(USER_SCOPES);
  }

  /** In lower case, with a dash for whatever is no letter and no digit. */
  private static String plain(String name) {
    StringBuilder plain = new StringBuilder(name.length());
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      boolean kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      plain.append(kept ? Character.toLowerCase(c) : '-');
    }
    return plain.toString();
  }

  /**
   * A value that may stand in a field, and that no other value looks like: what is not visible
   * ASCII, percent signs, and blanks at either end, which a receiver would strip, are
   * percent-encoded as UTF-8. Control characters are the caller's to refuse.
   */
  public static String encode(String value) {
    boolean plain = true;
    for (int i = 0; i < value.length() && plain; i++) {
      char c = value.charAt(i);
      plain = c < 0x7f && c != '%' && (c > ' ' || (c == ' ' && i > 0 && i < value.length() - 1));
    }
    if (plain) {
      return value;
    }
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    StringBuilder encoded = new StringBuilder(bytes.length * 3);
    for (int i = 0; i < bytes.length; i++) {
      int b = bytes[i] & 0xff;
      boolean inner = i > 0 && i < bytes.length - 1;
      if ((b > ' ' && b < 0x7f && b != '%') || (b == ' ' && inner)) {
        encoded.append((char) b);
      } else {
        encoded.append('%').append(hex(b >> 4)).append(hex(b & 0xf));
      }
    }
    return encoded.toString();
  }

  private static char hex(int digit) {
    return "0123456789ABCDEF".charAt(digit);
  }
}
