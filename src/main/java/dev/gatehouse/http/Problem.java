package dev.gatehouse.http;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/** An error in words for programs (RFC 9457). */
public final class Problem {

  public static final String MEDIA_TYPE = "application/problem+json";

  private static final Map<Integer, String> TITLES =
      Map.of(
          400, "Bad Request",
          401, "Unauthorized",
          403, "Forbidden",
          404, "Not Found",
          405, "Method Not Allowed",
          500, "Internal Server Error",
          502, "Bad Gateway",
          503, "Service Unavailable",
          504, "Gateway Timeout");

  private Problem() {}

  /** The body of an error answer, in UTF-8. */
  public static byte[] json(int status, String detail, String code, String requestId) {
    String json =
        "{\"type\":\"about:blank\",\"title\":"
            + quote(TITLES.getOrDefault(status, "Error"))
            + ",\"status\":"
            + status
            + ",\"detail\":"
            + quote(detail)
            + ",\"code\":"
            + quote(code)
            + ",\"requestId\":"
            + quote(requestId)
            + "}\n";
    return json.getBytes(StandardCharsets.UTF_8);
  }

  /** A JSON string (RFC 8259 section 7). */
  static String quote(String text) {
    StringBuilder quoted = new StringBuilder(text.length() + 2).append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (c < 0x20) {
        quoted.append(String.format("\\u%04x", (int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }
}
