package dev.gatehouse.limit;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What {@code lend.lua} does, with the same arithmetic, for tests that have no Redis. */
final class SharedBuckets {

  /**
   * What is answered for one bucket.
   *
   * @param lent permits
   * @param left permits; less than 0: owed
   * @param microsToOne how long until there is one
   */
  record Answer(long lent, long left, long microsToOne) {}

  private record Kept(
      double full, String asker, double askedAt, double othersAt, long untilMillis) {}

  private final Map<String, Kept> buckets = new HashMap<>();

  /**
   * Asks for one bucket.
   *
   * @param micros the time, in microseconds of the store's clock
   * @param cost microseconds per permit
   */
  Answer lend(
      String bucket,
      String node,
      int nodes,
      long micros,
      Lease.Ask ask,
      double cost,
      long size,
      long debt) {
    double now = micros;
    double full = now;
    double othersAt = Double.NEGATIVE_INFINITY;
    Kept kept = at(bucket, micros);
    if (kept != null) {
      full = kept.full();
      othersAt = Math.min(now, kept.asker().equals(node) ? kept.othersAt() : kept.askedAt());
    }
    full = Math.max(now, full);
    full = full + (ask.owed() - ask.give()) * cost;
    full = Math.max(now, Math.min(full, now + (size + debt) * cost));

    double left = (now - full) / cost + size;
    double share = Math.floor(left + 0.000001);
    if (now - othersAt < 2_000_000) {
      share = Math.max(Math.min(share, 1), Math.floor(share / nodes));
    }
    double lent = Math.max(0, Math.min((double) ask.want(), share));
    full = full + lent * cost;
    left = left - lent;

    if (full > now) {
      long lasts = (long) Math.ceil((full - now) / 1000);
      buckets.put(
          bucket, new Kept(rounded(full), node, now, Math.max(othersAt, 0), micros / 1000 + lasts));
    } else {
      buckets.remove(bucket);
    }
    long whole = (long) Math.floor(left + 0.000001);
    return new Answer((long) lent, whole, whole > 0 ? 0 : (long) Math.ceil((1 - left) * cost));
  }

  private @Nullable Kept at(String bucket, long now) {
    Kept kept = buckets.get(bucket);
    return kept == null || now / 1000 > kept.untilMillis() ? null : kept;
  }

  /**
   * As it is read from a text with three decimals. Where doubles lie further apart, it is itself.
   */
  private static double rounded(double number) {
    return Math.ulp(number) > 0.002
        ? number
        : new BigDecimal(number).setScale(3, RoundingMode.HALF_EVEN).doubleValue();
  }

  void forgetAll() {
    buckets.clear();
  }
}
