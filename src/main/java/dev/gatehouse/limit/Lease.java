package dev.gatehouse.limit;

import java.time.Duration;
import java.util.function.Predicate;

/**
 * What one node holds of a shared bucket: permits that were lent to it, and what it has let through
 * before it could ask. A pure rule: facts and time in, verdict out.
 *
 * <p>Permits are lent ahead of need, so that a request is decided at once. For a key that is new
 * here nothing was lent yet; some requests then pass on credit ({@link Limit#credit}), and are told
 * with the next question. Credit is given only while the bucket was not empty when it was last
 * heard of. So the node that has emptied a bucket gets none, and the debts of all others are
 * bounded: the bucket goes below zero by them, and is refilled before anybody gets more.
 *
 * <p>Times are in nanoseconds of a clock that never goes back.
 */
final class Lease {

  /**
   * What the lender is asked.
   *
   * @param give permits that go back
   * @param owed requests that were let through before the lender was asked
   * @param want permits for what is to come
   */
  record Ask(long give, long owed, long want) {}

  private static final long UNKNOWN = -1;
  private static final long LONGEST_HORIZON = Duration.ofSeconds(1).toNanos();
  private static final long SHORTEST_HORIZON = Duration.ofNanos(62_500_000).toNanos();
  private static final long SHORTEST_PAUSE = Duration.ofMillis(20).toNanos();
  private static final long LONGEST_PAUSE = Duration.ofSeconds(1).toNanos();

  private final Limit limit;
  private final String bucket;
  private final Predicate<Lease> holds;

  /** For how long ahead permits are lent. */
  private final long horizon;

  // All guarded by this.
  private int epoch = -1;
  private long permits;
  private long giving;
  private long owed;
  private long settling;
  private double missed;
  private long missedAt;
  private long grantedAt;
  private long told = UNKNOWN;
  private long nextPermitAt;
  private boolean refills;
  private long wanted;
  private long target;
  private long want;
  private long usedAt;
  private long draftedAt;
  private long askNotBefore;
  private long pause;
  private boolean asked;
  private boolean watched;

  /**
   * @param bucket its name at the lender
   * @param holds told when this has something that {@link #review} may have to settle; false if it
   *     will not look
   */
  Lease(Limit limit, String bucket, Predicate<Lease> holds, long now) {
    this.limit = limit;
    this.bucket = bucket;
    this.holds = holds;
    this.horizon =
        Math.min(LONGEST_HORIZON, Math.max(SHORTEST_HORIZON, limit.window().toNanos() / 16));
    usedAt = now;
    draftedAt = now - horizon / 8;
    askNotBefore = now;
    nextPermitAt = now;
  }

  String bucket() {
    return bucket;
  }

  Limit limit() {
    return limit;
  }

  /**
   * Takes a permit.
   *
   * @return how many are left, as far as is known here; -1 if there was none
   */
  synchronized long take(long now, Lender lender) {
    renew(now, lender.epoch());
    usedAt = now;
    wanted++;
    if (permits > 0 && now - grantedAt > 2 * horizon) {
      // Whoever was held up has them besides what has come into the bucket since.
      giving += permits;
      permits = 0;
    }
    if (permits > 0) {
      permits--;
    } else if (told != 0 && owed + settling < credit(lender)) {
      owed++;
    } else if (refills && owed + settling == 0 && now - nextPermitAt >= 0) {
      // The bucket was empty, and clients were told until when: one of them may rely on it.
      refills = false;
      owed++;
    } else {
      return -1;
    }
    return permits + (told == UNKNOWN ? limit.burst() - owed - settling : told);
  }

  private long credit(Lender lender) {
    return limit.credit(lender.nodes(), lender.mayBeLow(bucket));
  }

  /** What was lent in an earlier epoch may be forgotten at the lender, and lent to others. */
  private void renew(long now, int current) {
    if (epoch != current) {
      epoch = current;
      permits = 0;
      giving = 0;
      told = UNKNOWN;
      refills = false;
      askNotBefore = now;
      pause = 0;
    }
  }

  /** Puts back what was just taken. */
  synchronized void putBack() {
    permits++;
  }

  /**
   * Tells of a request that was let through while the lender was lost. That is told when the lender
   * is back, as far as it would not have come back into the bucket by then.
   */
  synchronized void passedUncounted(long now) {
    usedAt = now;
    missed = Math.min((double) limit.burst(), missed(now) + 1);
    missedAt = now;
    watch();
  }

  private double missed(long now) {
    return Math.max(0, missed - (double) (now - missedAt) / limit.nanosPerPermit());
  }

  private boolean owes() {
    return owed > 0 || giving > 0 || missed > 0;
  }

  private void watch() {
    if (!watched) {
      watched = holds.test(this);
    }
  }

  /** Whether the lender is to be asked now; who is told so has to do it. */
  synchronized boolean beginAsking(long now) {
    boolean low = permits * 2 <= target && now - askNotBefore >= 0;
    if (asked || !(low || owes())) {
      return false;
    }
    asked = true;
    return true;
  }

  /** How long until there may be another permit, in nanoseconds; 0 if it is on its way. */
  synchronized long nanosToNext(long now) {
    return told == 0 ? Math.max(0, nextPermitAt - now) : 0;
  }

  /** What the lender is to be asked; to be followed by one of the answers. */
  synchronized Ask draft(long now, int current) {
    renew(now, current);
    // A burst is taken for as long as an eighth of the horizon: it is asked for eight times of it.
    long need = need(now);
    target = need;
    wanted = 0;
    draftedAt = now;
    want = Math.max(0, need - permits);
    long uncounted = (long) Math.ceil(missed(now));
    missed = 0;
    Ask ask = new Ask(giving, owed + uncounted, want);
    giving = 0;
    settling = owed;
    owed = 0;
    return ask;
  }

  private long need(long now) {
    double elapsed = Math.max(now - draftedAt, horizon / 8);
    long need = Math.round(wanted * (horizon / elapsed));
    return Math.min(need, Math.max(1, limit.burst() / 2));
  }

  /**
   * The lender's answer.
   *
   * @param granted permits that were lent
   * @param left how many the bucket still has; less than 0 if more than it had were let through
   * @param nanosToOne how long until it has one more, if it has none, below zero if that is not
   *     sure; 0 if what it has is kept
   * @return whether it is to be asked again at once, which the caller then has to do
   */
  synchronized boolean answered(long granted, long left, long nanosToOne, long now) {
    settling = 0;
    if (granted > 0) {
      grantedAt = now;
    }
    permits += granted;
    told = Math.max(0, left);
    nextPermitAt = now + Math.abs(nanosToOne);
    // Else what there is, or may be, is kept until all nodes have heard that it is little.
    boolean sure = told > 0 || nanosToOne > 0;
    refills = told == 0 && sure;
    if (granted > 0 || told > 0) {
      pause = 0;
    } else if (!sure) {
      pause = SHORTEST_PAUSE;
    } else {
      long first = Math.min(LONGEST_PAUSE, Math.max(SHORTEST_PAUSE, (long) limit.nanosPerPermit()));
      pause = pause == 0 ? first : Math.min(LONGEST_PAUSE, pause * 2);
    }
    askNotBefore = now + pause;
    asked = owes();
    if (permits > 0 || !sure) {
      // Whoever was refused may come again only when there is something: it is asked for before.
      watch();
    }
    return asked;
  }

  /** It could not be asked. What is owed stays owed, and counts against the credit. */
  synchronized void postponed() {
    asked = false;
    if (owes()) {
      watch();
    }
  }

  /** There was no answer. What was lent or given back meanwhile is lost; debts are not. */
  synchronized void unanswered(Ask ask, long now) {
    settling = 0;
    missed = Math.min((double) limit.burst(), missed(now) + ask.owed());
    missedAt = now;
    refills = false;
    asked = false;
    if (owes()) {
      watch();
    }
  }

  /** How long after it was lent a lease is looked at, in nanoseconds. */
  long reviewAfter() {
    return horizon / 2;
  }

  /**
   * Gives back what is not used; the lender is then to be asked.
   *
   * @return whether this is to be looked at again
   */
  synchronized boolean review(long now) {
    // Right after a question little was wanted anew; what was needed until then tells more.
    long before = now - draftedAt < reviewAfter() ? target : 0;
    long need = now - usedAt >= reviewAfter() ? 0 : Math.max(Math.max(1, before), need(now));
    if (permits > 2 * need) {
      giving += permits - need;
      permits = need;
    }
    watched = permits > 0 || owed > 0 || missed > 0;
    return watched;
  }

  /**
   * Gives back everything.
   *
   * @return whether there is anything to be told
   */
  synchronized boolean giveBack() {
    giving += permits;
    permits = 0;
    return owes();
  }
}
