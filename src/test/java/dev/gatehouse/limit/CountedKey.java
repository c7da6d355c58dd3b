package dev.gatehouse.limit;

/** What was let through for one key, beside what one exact bucket would have let through. */
final class CountedKey {

  private final double nanosPerPermit;
  private final double burst;
  private final long begunAt;

  private double exactPermits;
  private double level;
  private long countedAt;

  private long requests;
  private long passed;
  private long exactPassed;
  private long falselyRefusedAtFirst;
  private long falselyRefused;
  private double mostOver;
  private double mostOverAnyWindow;

  CountedKey(Limit limit, long now) {
    nanosPerPermit = limit.nanosPerPermit();
    burst = limit.burst();
    exactPermits = burst;
    countedAt = now;
    begunAt = now;
  }

  /**
   * @param first whether the node has not yet heard from the store of this key
   */
  void count(long now, boolean pass, boolean first) {
    double refilled = (now - countedAt) / nanosPerPermit;
    countedAt = now;
    requests++;
    exactPermits = Math.min(burst, exactPermits + refilled);
    boolean exact = exactPermits >= 1 - 1e-6;
    if (exact) {
      exactPermits--;
      exactPassed++;
    }
    level = Math.max(0, level - refilled);
    if (pass) {
      level++;
      passed++;
      mostOverAnyWindow = Math.max(mostOverAnyWindow, level - burst);
      mostOver = Math.max(mostOver, passed - burst - (now - begunAt) / nanosPerPermit);
    } else if (exact) {
      if (first) {
        falselyRefusedAtFirst++;
      } else {
        falselyRefused++;
      }
    }
  }

  long requests() {
    return requests;
  }

  long passed() {
    return passed;
  }

  /** What one exact bucket would have let through of the same requests. */
  long exactPassed() {
    return exactPassed;
  }

  /** By how much it was over the burst and the refill since the beginning, at the worst moment. */
  double mostOver() {
    return mostOver;
  }

  /** By how much it was over the burst and the refill, in the worst of all time spans. */
  double mostOverAnyWindow() {
    return mostOverAnyWindow;
  }

  /** Refused before the node heard of the key, although an exact bucket had a permit. */
  long falselyRefusedAtFirst() {
    return falselyRefusedAtFirst;
  }

  /** Refused later, although an exact bucket had a permit. */
  long falselyRefused() {
    return falselyRefused;
  }
}
