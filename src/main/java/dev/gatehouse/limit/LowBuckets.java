package dev.gatehouse.limit;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * What a node knows of the shared buckets of which half is gone. Only where it knows that one is
 * not among them it gives more than the smallest credit.
 *
 * <p>The store tells what has become low since a time of its clock, and a node that comes new is
 * told all that is low, page by page. In turn the node tells up to when it has heard, but not
 * before all that it let through without knowing has been told to the store.
 *
 * <p>One thread asks and hears; any thread may look a bucket up. Times of the store are in its
 * microseconds, those of the node in nanoseconds of a clock that never goes back.
 */
final class LowBuckets {

  /**
   * What the store is asked.
   *
   * @param order {@code news} or {@code list}
   * @param from a time of the store
   * @param heard up to when this node has heard
   * @param round what is asked before the store was lost does not count after it
   */
  record Question(String order, long from, long heard, int round, long askedAt) {}

  /** How many buckets the store tells of at a time, at most. */
  static final int PAGE = 2_000;

  /** What was heard so long ago is not relied on. The same in lend.lua. */
  private static final Duration STALE = Duration.ofMillis(300);

  /** Who has not heard for so long begins anew: the others may not have counted it. */
  private static final Duration AWAY = Duration.ofSeconds(1);

  /** Within this time the others have counted a new node, and give less credit themselves. */
  private static final Duration NEW = Duration.ofMillis(500);

  /** So many are remembered; beyond it, credit is small for a while. */
  private static final int MOST = 200_000;

  private static final Duration UNTIL_NEXT_LIST = Duration.ofSeconds(10);
  private static final int QUESTIONS_PER_CLEARING = 40;

  private final Map<String, Long> untilByBucket = new ConcurrentHashMap<>();
  private volatile boolean informed;
  private volatile long informedAt;

  private int round;
  private long joinedAt;
  private boolean listing;
  private long listFrom;
  private long listedAt;
  private long newsFrom;
  private long listNotBefore;
  private int questions;

  /** Times of the store: what was heard, what of it was told to be, and what is to be told next. */
  private long heard;

  private long told;
  private long toTell;
  private boolean counting;
  private int tellAfter;

  /** The store is found: everything that is low is to be heard of. */
  void join(long now) {
    forget();
    joinedAt = now;
    informedAt = now;
    listNotBefore = now;
  }

  /** The store is lost: nothing of what is known is relied on any more. */
  void forget() {
    round++;
    informed = false;
    untilByBucket.clear();
    heard = 0;
    told = 0;
    toTell = 0;
    counting = false;
    listAnew();
  }

  private void listAnew() {
    informed = false;
    listing = true;
    listFrom = 0;
    listedAt = 0;
  }

  /**
   * What to ask the store next.
   *
   * @param sent how many batches were sent to the store
   * @param answered how many of them it has answered
   * @param waiting how many batches what waits to be sent will fill, at most
   */
  Question ask(long now, int sent, int answered, int waiting) {
    if (now - informedAt > AWAY.toNanos()) {
      listAnew();
      joinedAt = now;
    }
    if (!listing && !informed && newsFrom == 0 && now - listNotBefore >= 0) {
      listAnew();
    }
    if (now - joinedAt >= NEW.toNanos()) {
      // Until then the others may give more credit than all together may: what is kept stays kept.
      tell(sent, answered, waiting);
    }
    if (++questions % QUESTIONS_PER_CLEARING == 0) {
      untilByBucket.values().removeIf(until -> now - until >= 0);
    }
    return listing
        ? new Question("list", listFrom, told, round, now)
        : new Question("news", newsFrom, told, round, now);
  }

  /**
   * What was heard may be told when all batches are answered that what was let through before may
   * be in: the one under way, whose leases may have to be asked for again, and then all that wait.
   */
  private void tell(int sent, int answered, int waiting) {
    if (sent == answered && waiting == 0) {
      told = heard;
      toTell = heard;
      counting = false;
    } else if (counting && answered - tellAfter >= 0) {
      told = toTell;
      toTell = heard;
      counting = false;
    }
    if (!counting && sent == answered) {
      startCounting(answered, waiting);
    }
  }

  /** A batch was answered, and what its leases still have to tell waits again. */
  void batchAnswered(int answered, int waiting) {
    if (!counting) {
      startCounting(answered, waiting);
    }
  }

  private void startCounting(int answered, int waiting) {
    counting = true;
    tellAfter = answered + waiting + 1;
  }

  /**
   * The store's answer, but for the buckets, which come by {@link #isLow} before.
   *
   * @param storeTime the store's time
   * @param next where to go on, 0 if that was all, -1 if the news do not go back so far
   */
  void hear(Question asked, long storeTime, long next, long now) {
    if (asked.round() != round) {
      return;
    }
    informedAt = asked.askedAt();
    if (untilByBucket.size() >= MOST) {
      informed = false;
      listing = false;
      newsFrom = 0;
      listNotBefore = now + UNTIL_NEXT_LIST.toNanos();
      heard = storeTime;
    } else if (asked.order().equals("list") && listing) {
      listedAt = listedAt == 0 ? storeTime : listedAt;
      listFrom = next;
      if (next == 0) {
        listing = false;
        newsFrom = listedAt;
      }
      // Whoever gives the smallest credit only need not know.
      heard = storeTime;
    } else if (newsFrom == 0) {
      // Too many are low: a list is asked for later.
      heard = storeTime;
    } else if (next < 0 || storeTime < newsFrom) {
      listAnew();
      heard = storeTime;
    } else {
      newsFrom = next == 0 ? storeTime : next;
      if (next == 0 && now - joinedAt >= NEW.toNanos()) {
        informed = true;
      }
      heard = next == 0 || !informed ? storeTime : next - 1;
    }
  }

  /**
   * A bucket is low.
   *
   * @param micros for how long, if nobody takes anything; 0 if it is not
   */
  void isLow(String bucket, long micros, long now) {
    if (micros > 0 && (untilByBucket.size() < MOST || untilByBucket.containsKey(bucket))) {
      untilByBucket.merge(bucket, now + TimeUnit.MICROSECONDS.toNanos(micros), Math::max);
    }
  }

  /** Whether half of a bucket may be gone. */
  boolean mayBeLow(String bucket, long now) {
    if (!informed || now - informedAt > STALE.toNanos()) {
      return true;
    }
    Long until = untilByBucket.get(bucket);
    return until != null && now - until < 0;
  }

  /** Whether all that is low is known. */
  boolean isInformed() {
    return informed;
  }
}
