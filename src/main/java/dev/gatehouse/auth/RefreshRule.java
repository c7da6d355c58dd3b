package dev.gatehouse.auth;

import java.time.Duration;

/**
 * When a key set is fetched again, and how long one serves that could not be.
 *
 * @param interval the least time between the begins of two fetches
 * @param maxStale how long a set serves on after a fetch has failed
 */
record RefreshRule(Duration interval, Duration maxStale) {

  /** How old a set becomes while all goes well: what a provider withdraws must not live long. */
  private static final Duration LONGEST_PERIOD = Duration.ofMinutes(5);

  private static final int INTERVALS_PER_PERIOD = 10;

  /**
   * Whether another fetch may begin now.
   *
   * @param sinceLast since the last one began
   */
  boolean mayFetch(Duration sinceLast) {
    return sinceLast.compareTo(interval) >= 0;
  }

  /**
   * How long until the next fetch; zero if it is due.
   *
   * @param sinceLast since the last one began
   * @param soon whether the set is wanted anew as soon as the interval allows: the last fetch
   *     failed, or a token names a key that is not in it
   */
  Duration untilNext(Duration sinceLast, boolean soon) {
    Duration left = (soon ? interval : period()).minus(sinceLast);
    return left.isNegative() ? Duration.ZERO : left;
  }

  /** Ten times the interval, so that one is nearly always left for a new key, but not too long. */
  private Duration period() {
    Duration period = interval.multipliedBy(INTERVALS_PER_PERIOD);
    if (period.compareTo(LONGEST_PERIOD) < 0) {
      return period;
    }
    return interval.compareTo(LONGEST_PERIOD) < 0 ? LONGEST_PERIOD : interval;
  }

  /**
   * How long a set still serves; zero if it does not.
   *
   * @param stale since the first fetch that failed after it
   */
  Duration servesFor(Duration stale) {
    Duration left = maxStale.minus(stale);
    return left.isNegative() ? Duration.ZERO : left;
  }
}
