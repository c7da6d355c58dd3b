package dev.gatehouse.http;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Fields behind a body. Whoever reads them late must not learn from them where the message ends,
 * where it goes, who sends it, or how to take it (RFC 9110 section 6.5.1).
 */
public final class TrailerFields {

  /** What fits into one buffer of the client; a recipient may leave trailers out. */
  private static final int MOST_CHARACTERS = 3 * 1024;

  private static final Set<String> NEVER =
      Set.of(
          "age",
          "authorization",
          "cache-control",
          "content-encoding",
          "content-length",
          "content-range",
          "content-type",
          "cookie",
          "date",
          "expect",
          "expires",
          "host",
          "location",
          "max-forwards",
          "pragma",
          "proxy-authenticate",
          "range",
          "retry-after",
          "set-cookie",
          "trailer",
          "vary",
          "warning",
          "www-authenticate");

  private static final HopByHop HOP_BY_HOP = HopByHop.of(Set.of());

  private TrailerFields() {}

  /** The fields that may be passed on; none at all if they are too long. */
  public static Map<String, String> passed(Map<String, String> received) {
    Map<String, String> passed = new LinkedHashMap<>();
    int characters = 0;
    for (Map.Entry<String, String> field : received.entrySet()) {
      String lowerName = field.getKey().toLowerCase(Locale.ROOT);
      boolean forbidden =
          NEVER.contains(lowerName)
              || lowerName.startsWith("if-")
              || HOP_BY_HOP.contains(lowerName)
              || GatewayFields.isOurs(lowerName);
      if (!forbidden) {
        passed.put(field.getKey(), field.getValue());
        characters += field.getKey().length() + field.getValue().length() + 4;
      }
    }
    return characters > MOST_CHARACTERS ? Map.of() : passed;
  }
}
