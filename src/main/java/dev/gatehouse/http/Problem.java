package dev.gatehouse.http;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;

/** An error in words for programs (RFC 9457). */
public final class Problem {

  public static final String MEDIA_TYPE = "application/problem+json";

  private static final String QUOTA_EXCEEDED =
      "https://iana.org/assignments/http-problem-types#quota-exceeded";

  private Problem() {}

  /** The body of an error answer, in UTF-8. */
  public static byte[] json(int status, String detail, String code, String requestId) {
    return json("about:blank", status, detail, code, requestId, "");
  }

  /**
   * The body of the answer to who asks too often (draft-ietf-httpapi-ratelimit-headers-10 section
   * 5.1).
   *
   * @param policies the names of the limits that were exceeded
   */
  public static byte[] quotaExceeded(
      int status, String detail, String code, String requestId, List<String> policies) {
    String violated =
        policies.stream().map(Problem::quote).collect(Collectors.joining(",", "[", "]"));
    return json(
        QUOTA_EXCEEDED, status, detail, code, requestId, ",\"violated-policies\":" + violated);
  }

  private static byte[] json(
      String type, int status, String detail, String code, String requestId, String more) {
    String json =
        "{\"type\":"
            + quote(type)
            + ",\"title\":"
            + quote(title(status))
            + ",\"status\":"
            + status
            + ",\"detail\":"
            + quote(detail)
            + ",\"code\":"
            + quote(code)
            + ",\"requestId\":"
            + quote(requestId)
            + more
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
      case 429 -> "Too Many Requests";
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
