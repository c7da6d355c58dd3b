package dev.gatehouse.limit;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalCause;
import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.BucketListener;
import io.github.bucket4j.ConsumptionProbe;
import io.github.bucket4j.MathType;
import io.github.bucket4j.TimeMeter;
import io.github.bucket4j.local.LockFreeBucket;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Decides for each key whether there is a permit. A node by itself never lets through more than its
 * own bucket allows; where buckets are shared, a permit that was lent is needed besides.
 */
final class RateLimiter implements AutoCloseable {

  /** What is done while the shared buckets cannot be reached. */
  enum OnLoss {
    /** Each node counts for itself. */
    LOCAL,
    ALLOW,
    REFUSE
  }

  enum Outcome {
    ALLOWED,
    REFUSED,
    /** The shared buckets cannot be reached, and that is to be refused. */
    UNAVAILABLE
  }

  /**
   * What was decided.
   *
   * @param remaining how many permits there still are
   * @param nanosToNext how long until there may be one, if it was refused
   */
  record Verdict(Outcome outcome, long remaining, long nanosToNext) {
    boolean isAllowed() {
      return outcome == Outcome.ALLOWED;
    }

    boolean isRefused() {
      return outcome == Outcome.REFUSED;
    }
  }

  private static final Verdict UNAVAILABLE = new Verdict(Outcome.UNAVAILABLE, 0, 0);

  /** What is known of a key. */
  private record Account(LockFreeBucket bucket, @Nullable Lease lease) {}

  /** A lease that holds permits, and when to look whether it still uses them. */
  private record Held(Lease lease, long reviewAt) {}

  /** What is ours in a store that others use, too. */
  static final String PREFIX = "gatehouse:";

  private static final Duration SHORTEST_MEMORY = Duration.ofSeconds(10);

  private final Limit limit;
  private final BucketConfiguration configuration;
  private final TimeMeter time;
  private final LongSupplier nanoTime;
  private final @Nullable Lender lender;
  private final OnLoss onLoss;
  private final Cache<String, Account> accounts;
  private final Function<String, Account> opening;
  private final Queue<Held> held = new ConcurrentLinkedQueue<>();

  /** How many {@link #held} has. While the store is lost nobody looks at them. */
  private final AtomicLong holding = new AtomicLong();

  private final long mostHeld;
  private final LongAdder forgotten = new LongAdder();

  /**
   * @param name under which the buckets are shared
   * @param keys how many keys are remembered at most
   * @param lender of the shared buckets; null if there are none
   */
  RateLimiter(
      String name,
      Limit limit,
      long keys,
      @Nullable Lender lender,
      OnLoss onLoss,
      LongSupplier nanoTime) {
    this.limit = limit;
    // Those of keys that were just forgotten, too.
    this.mostHeld = 2 * keys;
    this.lender = lender;
    this.onLoss = onLoss;
    this.nanoTime = nanoTime;
    this.time = new InjectedTime(nanoTime);
    this.configuration =
        BucketConfiguration.builder()
            .addLimit(
                bandwidth ->
                    bandwidth.capacity(limit.burst()).refillGreedy(limit.count(), limit.window()))
            .build();
    this.opening = key -> open(name, key);
    this.accounts =
        Caffeine.newBuilder()
            .maximumSize(keys)
            // Whoever was not here for so long has a full bucket, like whoever was never here.
            .expireAfterAccess(
                Duration.ofNanos(Math.max(SHORTEST_MEMORY.toNanos(), limit.nanosToFill()))
                    // The cache does not keep time to the nanosecond.
                    .plusMillis(1))
            .ticker(nanoTime::getAsLong)
            .executor(Runnable::run)
            .<String, Account>removalListener((key, account, cause) -> forgotten(account, cause))
            .build();
    if (lender != null) {
      lender.onTick(this::review);
    }
  }

  private record InjectedTime(LongSupplier nanoTime) implements TimeMeter {
    @Override
    public long currentTimeNanos() {
      return nanoTime.getAsLong();
    }

    @Override
    public boolean isWallClockBased() {
      return false;
    }
  }

  private Account open(String name, String key) {
    LockFreeBucket bucket =
        new LockFreeBucket(configuration, MathType.INTEGER_64_BITS, time, BucketListener.NOPE);
    Lease lease =
        lender == null
            ? null
            : new Lease(
                limit, PREFIX + name + ':' + LimitKey.hash(key), this::holds, nanoTime.getAsLong());
    return new Account(bucket, lease);
  }

  private void forgotten(@Nullable Account account, RemovalCause cause) {
    if (cause == RemovalCause.SIZE) {
      forgotten.increment();
    }
    Lease lease = account == null ? null : account.lease();
    if (lease != null && lender != null && !lender.isLost() && lease.giveBack()) {
      ask(lender, lease, nanoTime.getAsLong());
    }
  }

  /** Takes a permit, if there is one. Never waits. */
  Verdict take(String key) {
    Account account = accounts.get(key, opening);
    Lease lease = account.lease();
    if (lender == null || lease == null) {
      return verdict(account.bucket().tryConsumeAndReturnRemaining(1));
    }
    long now = nanoTime.getAsLong();
    if (lender.isLost()) {
      return withoutLender(account.bucket(), lease, now);
    }
    long left = lease.take(now, lender);
    ask(lender, lease, now);
    if (left < 0) {
      return new Verdict(Outcome.REFUSED, 0, lease.nanosToNext(now));
    }
    ConsumptionProbe own = account.bucket().tryConsumeAndReturnRemaining(1);
    if (!own.isConsumed()) {
      lease.putBack();
      return verdict(own);
    }
    return new Verdict(Outcome.ALLOWED, Math.min(left, own.getRemainingTokens()), 0);
  }

  private Verdict withoutLender(LockFreeBucket bucket, Lease lease, long now) {
    if (onLoss == OnLoss.REFUSE) {
      return UNAVAILABLE;
    }
    ConsumptionProbe own = bucket.tryConsumeAndReturnRemaining(1);
    if (onLoss == OnLoss.LOCAL && !own.isConsumed()) {
      return verdict(own);
    }
    lease.passedUncounted(now);
    return new Verdict(Outcome.ALLOWED, own.getRemainingTokens(), 0);
  }

  private static Verdict verdict(ConsumptionProbe probe) {
    return new Verdict(
        probe.isConsumed() ? Outcome.ALLOWED : Outcome.REFUSED,
        probe.getRemainingTokens(),
        probe.getNanosToWaitForRefill());
  }

  private void ask(Lender lending, Lease lease, long now) {
    if (lease.beginAsking(now)) {
      lending.ask(lease);
    }
  }

  private boolean holds(Lease lease) {
    if (holding.get() >= mostHeld) {
      return false;
    }
    holding.incrementAndGet();
    hold(lease);
    return true;
  }

  private void hold(Lease lease) {
    held.add(new Held(lease, nanoTime.getAsLong() + lease.reviewAfter()));
  }

  /** Gives back what is not used. All leases of a limit wait equally long, so they are in order. */
  private void review() {
    long now = nanoTime.getAsLong();
    Held next = held.peek();
    while (next != null && now - next.reviewAt() >= 0) {
      held.poll();
      Lease lease = next.lease();
      if (lease.review(now)) {
        hold(lease);
      } else {
        holding.decrementAndGet();
      }
      if (lender != null) {
        ask(lender, lease, now);
      }
      next = held.peek();
    }
  }

  /** How many keys are remembered, about. */
  long keys() {
    return accounts.estimatedSize();
  }

  /** How many keys were forgotten before their time, because there were too many. */
  LongAdder forgotten() {
    return forgotten;
  }

  /** Gives back all permits that were lent. */
  @Override
  public void close() {
    accounts.invalidateAll();
    accounts.cleanUp();
  }
}
