package dev.gatehouse.http;

/** Text from outside, made fit for one line of a log. */
public final class LogText {

  private static final int LONGEST = 8192;

  private LogText() {}

  /** Control characters, non-ASCII, quotes and backslashes as {@code \xHH}; long text is cut. */
  public static String escape(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (isSpecial(text.charAt(i)) || i == LONGEST) {
        StringBuilder escaped = new StringBuilder(text.length() + 16);
        append(escaped, text);
        return escaped.toString();
      }
    }
    return text;
  }

  /** The same, appended to a line. */
  public static void append(StringBuilder line, String text) {
    int end = Math.min(text.length(), LONGEST);
    for (int i = 0; i < end; i++) {
      char c = text.charAt(i);
      if (!isSpecial(c)) {
        line.append(c);
      } else if (c < 0x100) {
        line.append("\\x");
        digit(line, c >> 4);
        digit(line, c);
      } else {
        line.append("\\u");
        digit(line, c >> 12);
        digit(line, c >> 8);
        digit(line, c >> 4);
        digit(line, c);
      }
    }
    if (end < text.length()) {
      line.append("...");
    }
  }

  private static boolean isSpecial(char c) {
    return c < 0x20 || c >= 0x7f || c == '"' || c == '\\';
  }

  private static void digit(StringBuilder line, int value) {
    line.append(Character.forDigit(value & 0xf, 16));
  }
}
