package dev.gatehouse.limit;

import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Counts the requests that are under way at the same time, by key. */
final class ConcurrentRequests {

  private final int most;

  /** No key without a request under way: this never holds more than there are exchanges. */
  private final ConcurrentHashMap<String, Integer> underWay = new ConcurrentHashMap<>();

  /**
   * @param most at least 1
   */
  ConcurrentRequests(int most) {
    this.most = most;
  }

  /**
   * Begins a request; whoever may begin one ends it, too.
   *
   * @return how many may be begun besides; -1 if this one may not
   */
  int begin(String key) {
    while (true) {
      Integer before = underWay.putIfAbsent(key, 1);
      if (before == null) {
        return most - 1;
      }
      if (before >= most) {
        return -1;
      }
      if (underWay.replace(key, before, before + 1)) {
        return most - before - 1;
      }
    }
  }

  void end(String key) {
    underWay.computeIfPresent(key, ConcurrentRequests::oneLess);
  }

  private static @Nullable Integer oneLess(String key, Integer now) {
    return now == 1 ? null : now - 1;
  }

  /** How many keys have requests under way. */
  int keys() {
    return underWay.size();
  }
}
