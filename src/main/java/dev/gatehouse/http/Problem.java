package dev.gatehouse.http;

import java.nio.charset.StandardCharsets;

/** An error in words for programs (RFC 9457). */
public final class Problem {

  public static final String MEDIA_TYPE = "application/problem+json";

  private Problem() {}

  /** The body of an error answer, in UTF-8. */
  public static byte[] json(int status, String detail, String code, String requestId) {
    String json =
        "{\"type\":\"about:blank\",\"title\":"
            + quote(title(status))
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

  private static String title(int status) {
    return switch (status) {
      case 400 -> "Bad Request";
      case 401 -> "Unauthorized";
      case 403 -> "Forbidden";
      case 404 -> "Not Found";
      case 405 -> "Method Not Allowed";
      case 408 -> "Request Timeout";
      case 431 -> "Request Header Fields Too Large";
      case 500 -> "Internal Server Error";
      case 501 -> "Not Implemented";
      case 502 -> "Bad Gateway";
      case 503 -> "Service Unavailable";
      case 504 -> "Gateway Timeout";
      default -> "Error";
    };
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
