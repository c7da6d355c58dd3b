package dev.gatehouse.config;

import java.math.BigInteger;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads amounts with their units; a number without a unit is refused. */
public final class Quantity {

  private static final Pattern AMOUNT = Pattern.compile("(\\d{1,12})\\s*([A-Za-z]+)");

  private static final Map<String, Duration> TIMES =
      Map.of(
          "ms", Duration.ofMillis(1),
          "s", Duration.ofSeconds(1),
          "m", Duration.ofMinutes(1),
          "h", Duration.ofHours(1),
          "d", Duration.ofDays(1));

  private static final Map<String, Long> SIZES =
      Map.of("B", 1L, "KiB", 1L << 10, "MiB", 1L << 20, "GiB", 1L << 30);

  private static final Duration LONGEST = Duration.ofDays(3650);

  private Quantity() {}

  /**
   * @param text such as {@code 30s}, {@code 500ms}, {@code 1m}, {@code 24h}, {@code 7d}
   * @return up to ten years
   * @throws IllegalArgumentException if it is not of that form; the message says what was expected
   */
  public static Duration duration(String text) {
    Matcher amount = AMOUNT.matcher(text.strip());
    Duration unit = amount.matches() ? TIMES.get(amount.group(2)) : null;
    if (unit != null) {
      BigInteger millis =
          new BigInteger(amount.group(1)).multiply(BigInteger.valueOf(unit.toMillis()));
      if (millis.compareTo(BigInteger.valueOf(LONGEST.toMillis())) <= 0) {
        return Duration.ofMillis(millis.longValueExact());
      }
    }
    throw new IllegalArgumentException(
        "a duration with its unit (ms, s, m, h, d), such as 30s or 500ms, at most 3650d");
  }

  /** The same, and more than nothing. */
  public static Duration positiveDuration(String text) {
    Duration duration = duration(text);
    if (duration.isZero()) {
      throw new IllegalArgumentException("a duration of more than 0");
    }
    return duration;
  }

  /**
   * @param text such as {@code 64KiB}, {@code 10MiB}
   * @return bytes
   * @throws IllegalArgumentException if it is not of that form; the message says what was expected
   */
  public static long size(String text) {
    Matcher amount = AMOUNT.matcher(text.strip());
    Long unit = amount.matches() ? SIZES.get(amount.group(2)) : null;
    if (unit != null) {
      BigInteger bytes = new BigInteger(amount.group(1)).multiply(BigInteger.valueOf(unit));
      if (bytes.bitLength() < Long.SIZE) {
        return bytes.longValueExact();
      }
    }
    throw new IllegalArgumentException(
        "a size with its unit (B, KiB, MiB, GiB), such as 64KiB or 10MiB");
  }
}
