package dev.gatehouse.http;

import org.jspecify.annotations.Nullable;

/**
 * Tells whether a raw path can mean another path than the server mapped.
 *
 * <p>The server maps the decoded path, the service gets the raw one. So what a server might remove,
 * merge or decode on the way to the mapping must not stand in the raw path: dot segments, plain or
 * encoded; encoded {@code /}, {@code \} and NUL, and longer forms than UTF-8 has; empty segments,
 * also those of parameters only; parameters in the matched prefix or on a dot segment; encoded
 * characters in the matched prefix.
 */
public final class PathRule {

  private PathRule() {}

  /**
   * @param rawPath the path as sent, with the context path, without the query
   * @param contextPath as configured, empty for the root
   * @param prefix what the mapping matched behind it, as configured
   * @param exact whether the whole path was matched
   * @return null if the path is clear, else in one word what is ambiguous
   */
  public static @Nullable String ambiguity(
      String rawPath, String contextPath, String prefix, boolean exact) {
    int length = rawPath.length();
    if (length == 0 || rawPath.charAt(0) != '/') {
      return "not_absolute";
    }
    int segment = 1;
    for (int i = 1; i <= length; i++) {
      char c = i < length ? rawPath.charAt(i) : '/';
      if (c == '/') {
        // Of parameters only, it is empty for who strips them before he maps, encoded or not.
        if (i < length
            && (i == segment
                || rawPath.charAt(segment) == ';'
                || (rawPath.charAt(segment) == '%' && octet(rawPath, segment) == ';'))) {
          return "empty_segment";
        }
        if (isDotSegment(rawPath, segment, i)) {
          return "dot_segment";
        }
        segment = i + 1;
      } else if (c == '\\') {
        return "backslash";
      } else if (c == '%') {
        int octet = octet(rawPath, i);
        if (octet < 0) {
          return "broken_encoding";
        }
        if (octet == '/' || octet == '\\' || octet == 0) {
          return "encoded_separator";
        }
        if (isOverlong(octet, octet(rawPath, i + 3))) {
          return "overlong_encoding";
        }
      } else if (c <= ' ' || c == 0x7f || c == '#' || c == '?') {
        return "illegal_character";
      }
    }
    int end = contextPath.length() + prefix.length();
    if (!rawPath.startsWith(contextPath)
        || !rawPath.startsWith(prefix, contextPath.length())
        || (length > end && (exact || rawPath.charAt(end) != '/'))) {
      return "prefix_not_as_mapped";
    }
    return null;
  }

  /** Whether the segment is one or two dots, plain or encoded, with or without parameters. */
  private static boolean isDotSegment(String path, int from, int to) {
    int dots = 0;
    for (int i = from; i < to; i++) {
      char c = path.charAt(i);
      if (c == ';' || (c == '%' && octet(path, i) == ';')) {
        break;
      }
      if (c == '%' && octet(path, i) == '.') {
        i += 2;
      } else if (c != '.') {
        return false;
      }
      dots++;
    }
    return dots == 1 || dots == 2;
  }

  /** Whether a character begins that has a shorter form (RFC 3629 section 3), such as a dot. */
  private static boolean isOverlong(int octet, int next) {
    return octet == 0xc0
        || octet == 0xc1
        || (octet == 0xe0 && next >= 0x80 && next < 0xa0)
        || (octet == 0xf0 && next >= 0x80 && next < 0x90);
  }

  /** The value of the percent-encoded octet at an index, or -1 if it is none. */
  private static int octet(String path, int percent) {
    if (percent + 2 >= path.length() || path.charAt(percent) != '%') {
      return -1;
    }
    int high = hexDigit(path.charAt(percent + 1));
    int low = hexDigit(path.charAt(percent + 2));
    return high < 0 || low < 0 ? -1 : high << 4 | low;
  }

  private static int hexDigit(char c) {
    return c < 0x80 ? Character.digit(c, 16) : -1;
  }
}
