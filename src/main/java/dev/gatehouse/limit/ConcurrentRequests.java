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
    boolean[] begun = new boolean[1];
    int now =
        underWay.compute(
            key,
            (same, before) -> {
              int running = before == null ? 0 : before;
              begun[0] = running < most;
              return begun[0] ? running + 1 : running;
            });
    return begun[0] ? most - now : -1;
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
