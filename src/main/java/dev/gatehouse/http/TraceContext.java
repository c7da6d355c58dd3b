package dev.gatehouse.http;

/** The {@code traceparent} field (W3C Trace Context, section 3.2). */
public final class TraceContext {

  private static final int LENGTH = 55;

  private TraceContext() {}

  /** Whether a value can be continued. */
  public static boolean isValid(String value) {
    return value.length() >= LENGTH
        && hex(value, 0, 2)
        && !value.startsWith("ff")
        && value.charAt(2) == '-'
        && hex(value, 3, 35)
        && !zeros(value, 3, 35)
        && value.charAt(35) == '-'
        && hex(value, 36, 52)
        && !zeros(value, 36, 52)
        && value.charAt(52) == '-'
        && hex(value, 53, LENGTH)
        && (value.startsWith("00") ? value.length() == LENGTH : followsDash(value));
  }

  /** A new trace, not sampled; at least one of the given numbers must not be 0. */
  public static String begin(long traceHigh, long traceLow, long parent) {
    return "00-" + hex(traceHigh | 1) + hex(traceLow) + "-" + hex(parent | 1) + "-00";
  }

  /** Sixteen lower-case digits. */
  public static String hex(long value) {
    char[] digits = new char[16];
    for (int i = 15; i >= 0; i--) {
      digits[i] = Character.forDigit((int) (value >>> (4 * (15 - i))) & 0xf, 16);
    }
    return new String(digits);
  }

  private static boolean followsDash(String value) {
    return value.length() == LENGTH || value.charAt(LENGTH) == '-';
  }

  private static boolean hex(String value, int from, int to) {
    for (int i = from; i < to; i++) {
      char c = value.charAt(i);
      if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
        return false;
      }
    }
    return true;
  }

  private static boolean zeros(String value, int from, int to) {
    for (int i = from; i < to; i++) {
      if (value.charAt(i) != '0') {
        return false;
      }
    }
    return true;
  }
}
