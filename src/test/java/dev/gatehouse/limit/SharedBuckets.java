package dev.gatehouse.limit;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What {@code lend.lua} and {@code nodes.lua} do, with the same arithmetic, for tests that have no
 * Redis.
 */
final class SharedBuckets {

  /**
   * What is answered for one bucket.
   *
   * @param lent permits
   * @param left permits; less than 0: owed
   * @param microsToOne how long until there is one
   * @param microsLow for how long it is low
   */
  record Answer(long lent, long left, long microsToOne, long microsLow) {}

  /**
   * What is answered to a beat.
   *
   * @param micros the store's time
   * @param next where to go on; 0 if that is all, -1 if the news do not go back so far
   * @param low those that are low, and for how long
   */
  record News(int nodes, long micros, long next, Map<String, Long> low) {}

  private record Kept(
      double full,
      String asker,
      double askedAt,
      double othersAt,
      double lowSince,
      double lowUntil,
      long untilMillis) {}

  private static final double RELIED_ON = 300_000;
  private static final double MARGIN = 4_000_000;
  private static final double NEWS_KEPT = 20_000_000;

  private final Map<String, Kept> buckets = new HashMap<>();
  private final Map<String, Double> nodes = new HashMap<>();
  private final Map<String, Double> seen = new HashMap<>();
  private final Map<String, Double> low = new HashMap<>();
  private final Map<String, Double> lowUntil = new HashMap<>();

  /**
   * Asks for one bucket.
   *
   * @param micros the time, in microseconds of the store's clock
   * @param cost microseconds per permit
   */
  Answer lend(
      String bucket,
      String node,
      int count,
      long micros,
      Lease.Ask ask,
      double cost,
      long size,
      long debt) {
    double now = micros;
    int all = Math.max(count, seen.size());
    double full = now;
    double othersAt = 0;
    double since = 0;
    double until = 0;
    Kept kept = at(bucket, micros);
    if (kept != null) {
      full = kept.full();
      othersAt = Math.min(now, kept.asker().equals(node) ? kept.othersAt() : kept.askedAt());
      since = Math.min(now, kept.lowSince());
      until = kept.lowUntil();
    }
    full = Math.max(now, full);
    full = full + (ask.owed() - ask.give()) * cost;
    full = Math.max(now, Math.min(full, now + (size + Math.max(debt, seen.size())) * cost));

    double left = (now - full) / cost + size;
    boolean marked = until - now >= RELIED_ON;
    double reserve = size >= 8 ? size / 4.0 : 0;
    if (marked && !seen.isEmpty()) {
      double lowSince = since;
      long heard = seen.values().stream().filter(upTo -> upTo > lowSince && upTo <= now).count();
      reserve = reserve * (seen.size() - heard) / seen.size();
    }
    double share = Math.floor(left - reserve + 0.000001);
    if (now - othersAt < 2_000_000) {
      share = Math.max(Math.min(share, 1), Math.floor(share / all));
    }
    double lent = Math.max(0, Math.min((double) ask.want(), share));
    full = full + lent * cost;
    left = left - lent;

    if (left >= size / 2.0) {
      since = 0;
      until = 0;
    } else {
      if (!marked) {
        since = now;
      }
      double half = now + (size / 2.0 - left) * cost;
      double margin =
          Math.max(Math.max(2 * RELIED_ON, Math.min(MARGIN, size * cost)), size / 16.0 * cost);
      if (!marked || half + RELIED_ON > until || until - now < Math.min(margin / 2, MARGIN / 2)) {
        until = Math.ceil(half + margin);
        low.put(bucket, now);
        lowUntil.put(bucket, until);
      }
    }

    if (full > now) {
      long lasts = (long) Math.ceil((full - now) / 1000);
      buckets.put(
          bucket,
          new Kept(rounded(full), node, now, othersAt, since, until, micros / 1000 + lasts));
    } else {
      buckets.remove(bucket);
    }
    long whole = (long) Math.floor(left + 0.000001);
    boolean isKept = whole > 0 && left < size / 2.0 && left - reserve < 0.999999;
    long toOne = whole > 0 ? 0 : (long) Math.ceil((1 - left) * cost);
    return new Answer(
        (long) lent,
        isKept ? 0 : whole,
        reserve > 0 ? -toOne : toOne,
        (long) Math.max(0, until - now));
  }

  /**
   * A node tells that it lives, and hears what has become low.
   *
   * @param seconds for how long it counts; 0 to take it out
   * @param question as a node asks it
   */
  News beat(String node, int seconds, LowBuckets.Question question, int most, long micros) {
    double now = micros;
    if (seconds > 0) {
      nodes.put(node, now + seconds * 1_000_000.0);
      seen.put(node, (double) question.heard());
    } else {
      nodes.remove(node);
      seen.remove(node);
    }
    if (nodes.values().removeIf(until -> until <= now)) {
      seen.keySet().retainAll(nodes.keySet());
    }
    low.values().removeIf(at -> at <= now - NEWS_KEPT || at > now);
    lowUntil.values().removeIf(until -> until <= now);
    if (seconds == 0) {
      return new News(nodes.size(), micros, 0, Map.of());
    }

    boolean news = question.order().equals("news");
    double from = question.from();
    if (news && (from > now || from < now - NEWS_KEPT / 2)) {
      return new News(nodes.size(), micros, -1, Map.of());
    }
    Map<String, Double> scores = news ? low : lowUntil;
    List<String> found = new ArrayList<>();
    scores.forEach(
        (bucket, score) -> {
          if (score >= from) {
            found.add(bucket);
          }
        });
    found.sort(
        Comparator.<String>comparingDouble(bucket -> scores.getOrDefault(bucket, 0.0))
            .thenComparing(Comparator.naturalOrder()));
    List<String> page = found.subList(0, Math.min(most, found.size()));
    Map<String, Long> told = new LinkedHashMap<>();
    for (String bucket : page) {
      told.put(bucket, (long) Math.max(0, lowUntil.getOrDefault(bucket, 0.0) - now));
    }
    double next = page.size() < most ? 0 : scores.getOrDefault(page.get(most - 1), 0.0);
    return new News(nodes.size(), micros, (long) next, told);
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
    nodes.clear();
    seen.clear();
    low.clear();
    lowUntil.clear();
  }
}
