package dev.gatehouse.limit;

import dev.gatehouse.config.Quantity;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How often something may be done: a bucket that holds {@code burst} permits at most and is
 * refilled evenly with {@code count} of them per {@code window}.
 *
 * @param count 1 to {@value #MOST}
 * @param window 1 s to 1 day, in whole seconds
 * @param burst 1 to {@value #MOST}
 */
record Limit(long count, Duration window, long burst) {

  static final long MOST = 100_000_000;

  /** What nodes may let through beyond the limit, all together, as a part of {@code count}. */
  private static final int TOLERANCE = 20;

  private static final Duration SHORTEST = Duration.ofSeconds(1);
  private static final Duration LONGEST = Duration.ofDays(1);
  private static final Pattern FORM = Pattern.compile("([^/]+)/([^/]+)");

  /**
   * @param text such as {@code 600/1m}
   * @return a limit whose burst is its count
   * @throws IllegalArgumentException if it is not of that form; the message says what was expected
   */
  static Limit parse(String text) {
    Matcher form = FORM.matcher(text);
    if (form.matches()) {
      try {
        long count = count(form.group(1).strip());
        Duration window = Quantity.duration(form.group(2).strip());
        // Clients are told of a window in whole seconds.
        boolean whole = window.equals(window.truncatedTo(ChronoUnit.SECONDS));
        if (whole && window.compareTo(SHORTEST) >= 0 && window.compareTo(LONGEST) <= 0) {
          return new Limit(count, window, count);
        }
      } catch (IllegalArgumentException notSo) {
        // Said below.
      }
    }
    throw new IllegalArgumentException(
        "COUNT/DURATION with 1 to " + MOST + " and 1s to 1d in whole seconds, such as 600/1m");
  }

  /**
   * @param text such as {@code 100}
   * @throws IllegalArgumentException if it is not of that form; the message says what was expected
   */
  static long count(String text) {
    long count = text.matches("\\d{1,9}") ? Long.parseLong(text) : 0;
    if (count < 1 || count > MOST) {
      throw new IllegalArgumentException("a number of 1 to " + MOST);
    }
    return count;
  }

  Limit withBurst(long most) {
    return new Limit(count, window, most);
  }

  /** How long it takes until there is one permit more, in nanoseconds; may be less than one. */
  double nanosPerPermit() {
    return (double) window.toNanos() / count;
  }

  /** How long it takes until an empty bucket is full, in nanoseconds. */
  long nanosToFill() {
    return (long) Math.ceil(nanosPerPermit() * burst);
  }

  /**
   * How many requests a node may let through before the store has heard of them.
   *
   * <p>Where the bucket may be low: so many that all nodes together never let through more than 5 %
   * of {@code count} beyond the limit, or one permit per further node, whichever is more. Where it
   * is not, they have a quarter of the bucket besides: the store lends that quarter to nobody
   * before all nodes have heard that the bucket is low.
   *
   * @param nodes how many there are, at least 1
   */
  long credit(int nodes, boolean mayBeLow) {
    long strict = Math.max(1, Math.min(burst, count / TOLERANCE / Math.max(1, nodes)));
    return mayBeLow ? strict : Math.max(strict, burst / 4 / Math.max(1, nodes));
  }

  /** How much all nodes together may owe. */
  long debt(int nodes) {
    return Math.max(nodes, count / TOLERANCE);
  }
}
