package dev.gatehouse.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.gatehouse.limit.RateLimiter.OnLoss;
import dev.gatehouse.limit.RateLimiter.Outcome;
import dev.gatehouse.limit.RateLimiter.Verdict;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class RateLimiterTest {

  private static final int ARRIVALS = 60_000;
  private static final long SEED = 20_261_123;
  private static final long MANY = 1_000_000;
  private static final int INVENTED = 1_000_000;

  private long now = 1_234_567_891;

  private RateLimiter limiter(Limit limit, long keys) {
    return new RateLimiter("test", limit, keys, null, OnLoss.LOCAL, () -> now);
  }

  private static boolean passes(Verdict verdict) {
    return verdict.outcome() == Outcome.ALLOWED;
  }

  /** How requests come: how long after the one before, in nanoseconds. */
  private enum Arrivals {
    /** Twice as often as may be, about. */
    STEADY {
      @Override
      long gap(Random random, Limit limit) {
        return random.nextLong((long) limit.nanosPerPermit() + 1);
      }
    },
    /** Many at once, then none for up to twice as long as the bucket takes to fill. */
    BURSTY {
      @Override
      long gap(Random random, Limit limit) {
        return pauses(random, limit)
            ? random.nextLong(2 * limit.nanosToFill())
            : random.nextLong((long) limit.nanosPerPermit() / 100 + 1);
      }
    },
    /** A nanosecond before and behind the moments at which something changes. */
    EDGES {
      @Override
      long gap(Random random, Limit limit) {
        long edge = 0;
        if (pauses(random, limit)) {
          edge = random.nextBoolean() ? limit.window().toNanos() : limit.nanosToFill();
        } else if (random.nextInt(8) == 0) {
          edge = (long) Math.ceil(limit.nanosPerPermit());
        }
        return Math.max(0, edge + random.nextInt(3) - 1);
      }
    };

    abstract long gap(Random random, Limit limit);

    /** Seldom enough that the bucket gets empty in between. */
    private static boolean pauses(Random random, Limit limit) {
      return random.nextInt((int) (3 * Math.min(limit.burst(), 2_000))) == 0;
    }
  }

  /** A bucket that rounds nothing: it counts in parts of a permit, as many as the window has ns. */
  private static final class ExactBucket {
    private final BigInteger count;
    private final BigInteger permit;
    private final BigInteger full;
    private BigInteger level;
    private long filledAt;

    ExactBucket(Limit limit, long now) {
      count = BigInteger.valueOf(limit.count());
      permit = BigInteger.valueOf(limit.window().toNanos());
      full = permit.multiply(BigInteger.valueOf(limit.burst()));
      level = full;
      filledAt = now;
    }

    boolean take(long now) {
      level = level.add(count.multiply(BigInteger.valueOf(now - filledAt))).min(full);
      filledAt = now;
      boolean enough = level.compareTo(permit) >= 0;
      if (enough) {
        level = level.subtract(permit);
      }
      return enough;
    }

    long left() {
      return level.divide(permit).longValueExact();
    }
  }

  static Stream<Arguments> arrivals() {
    List<Arguments> all = new ArrayList<>();
    for (Limit limit :
        List.of(
            Limit.parse("5/1s"),
            Limit.parse("600/1m"),
            Limit.parse("1000/1d"),
            Limit.parse("7/3s").withBurst(2),
            Limit.parse("1/1d"),
            Limit.parse("3/1s").withBurst(10),
            Limit.parse("999983/1h").withBurst(17),
            Limit.parse("100000000/1s").withBurst(3),
            Limit.parse("100000000/1d").withBurst(2))) {
      for (Arrivals arrivals : Arrivals.values()) {
        all.add(arguments(limit, arrivals));
      }
    }
    return all.stream();
  }

  /** When requests were let through, in order. */
  private long[] passed(Limit limit, Arrivals arrivals) {
    RateLimiter limiter = limiter(limit, 10);
    Random random = new Random(SEED);
    long[] passed = new long[ARRIVALS];
    int number = 0;
    for (int i = 0; i < ARRIVALS; i++) {
      if (passes(limiter.take("a"))) {
        passed[number++] = now;
      }
      now += arrivals.gap(random, limit);
    }
    assertThat(number).as("some pass, and some do not").isBetween(2, ARRIVALS - 1);
    return java.util.Arrays.copyOf(passed, number);
  }

  @ParameterizedTest
  @MethodSource("arrivals")
  void inNoWindowMorePassThanTheCountAndTheBurstTogether(Limit limit, Arrivals arrivals) {
    long[] passed = passed(limit, arrivals);

    long most = 0;
    int first = 0;
    for (int last = 0; last < passed.length; last++) {
      while (passed[last] - passed[first] > limit.window().toNanos()) {
        first++;
      }
      most = Math.max(most, last - first + 1L);
    }
    assertThat(most).isLessThanOrEqualTo(limit.count() + limit.burst());
  }

  @ParameterizedTest
  @MethodSource("arrivals")
  void inNoSpanMorePassThanTheBurstAndWhatTheSpanRefills(Limit limit, Arrivals arrivals) {
    long[] passed = passed(limit, arrivals);

    // In parts of a permit, as many as the window has nanoseconds: so nothing is rounded.
    BigInteger permit = BigInteger.valueOf(limit.window().toNanos());
    BigInteger count = BigInteger.valueOf(limit.count());
    BigInteger lowest = null;
    BigInteger most = BigInteger.ZERO;
    for (int i = 0; i < passed.length; i++) {
      BigInteger before =
          permit
              .multiply(BigInteger.valueOf(i))
              .subtract(count.multiply(BigInteger.valueOf(passed[i] - passed[0])));
      lowest = lowest == null ? before : lowest.min(before);
      most = most.max(before.add(permit).subtract(lowest));
    }
    assertThat(most).isLessThanOrEqualTo(permit.multiply(BigInteger.valueOf(limit.burst())));
  }

  @ParameterizedTest
  @MethodSource("arrivals")
  void whatABucketThatRoundsNothingLetsThroughPassesAndIsToldWhatIsLeft(
      Limit limit, Arrivals arrivals) {
    RateLimiter limiter = limiter(limit, 10);
    ExactBucket exact = new ExactBucket(limit, now);
    Random random = new Random(SEED);
    for (int i = 0; i < ARRIVALS; i++) {
      Verdict verdict = limiter.take("a");
      boolean passes = exact.take(now);
      if (passes(verdict) != passes || verdict.remaining() != exact.left()) {
        assertThat(verdict)
            .as("request %s, at %s ns", i, now)
            .extracting(RateLimiterTest::passes, Verdict::remaining)
            .containsExactly(passes, exact.left());
      }
      now += arrivals.gap(random, limit);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "100000000/1s, 100000000",
    "100000000/1d, 100000000",
    "1000000/1d, 1000000",
    "1/1d, 100000000",
  })
  void aBucketThatIsTooLargeToBeEmptiedIsCountedToo(String text, long burst) {
    Limit limit = Limit.parse(text).withBurst(burst);
    RateLimiter limiter = limiter(limit, 10);
    ExactBucket exact = new ExactBucket(limit, now);
    for (int i = 0; i < 10_000; i++) {
      assertThat(exact.take(now)).isTrue();
      assertThat(limiter.take("a").remaining()).isEqualTo(exact.left());
      now += i % 100;
    }
  }

  @ParameterizedTest
  @CsvSource({
    "5/1s, 5",
    "600/1m, 600",
    "1000/1d, 1000",
    "1/1d, 1",
    "1/1d, 100",
    "7/3s, 2",
    "3/1s, 1",
    "999983/1h, 17",
    "100000000/1s, 3",
    "100000000/1d, 2",
    "99999989/1s, 1",
  })
  void theNextOnePassesWithinANanosecondOfTheMomentThatWasToldAndNoEarlier(
      String text, long burst) {
    Limit limit = Limit.parse(text).withBurst(burst);
    RateLimiter limiter = limiter(limit, 10);
    Random random = new Random(SEED);
    int refusals = 0;
    for (int i = 0; i < 5_000; i++) {
      Verdict verdict = limiter.take("a");
      if (!passes(verdict)) {
        refusals++;
        now += Math.max(0, verdict.nanosToNext() - 1);
        assertThat(limiter.take("a").outcome()).isEqualTo(Outcome.REFUSED);
        // What is told is rounded down.
        now += 2;
        assertThat(limiter.take("a").outcome()).isEqualTo(Outcome.ALLOWED);
        now += random.nextLong((long) (limit.nanosPerPermit() * 1.5));
      } else {
        assertThat(verdict.nanosToNext()).isZero();
      }
    }
    assertThat(refusals).isGreaterThan(1_000);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 5, 600, 100_000})
  void whileTimeStandsStillTheBurstPassesAndNoMore(long burst) {
    RateLimiter limiter = limiter(Limit.parse("600/1m").withBurst(burst), 10);

    for (long left = burst - 1; left >= 0; left--) {
      assertThat(limiter.take("a")).isEqualTo(new Verdict(Outcome.ALLOWED, left, 0));
    }
    for (int i = 0; i < 1_000; i++) {
      assertThat(limiter.take("a")).isEqualTo(new Verdict(Outcome.REFUSED, 0, 100_000_000));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {Long.MIN_VALUE / 2, -1, 0, 1, Long.MAX_VALUE / 2})
  void theClockMayBeginAnywhere(long start) {
    now = start;
    RateLimiter limiter = limiter(Limit.parse("1/1s"), 10);

    assertThat(limiter.take("a").outcome()).isEqualTo(Outcome.ALLOWED);
    now += 999_999_999;
    assertThat(limiter.take("a").outcome()).isEqualTo(Outcome.REFUSED);
    now += 1;
    assertThat(limiter.take("a").outcome()).isEqualTo(Outcome.ALLOWED);
  }

  @Test
  void refusalsCostNothing() {
    RateLimiter limiter = limiter(Limit.parse("5/1s"), 10);
    int passed = 0;
    for (int i = 0; i < 10_000; i++) {
      passed += passes(limiter.take("a")) ? 1 : 0;
      now += 1_000_000;
    }

    // Ten seconds less a millisecond: 5 at once, then one each 200 ms.
    assertThat(passed).isEqualTo(5 + 49);
  }

  @Test
  void eachKeyHasABucketOfItsOwn() {
    RateLimiter limiter = limiter(Limit.parse("1/1s"), 10);
    limiter.take("a");

    assertThat(limiter.take("b").outcome()).isEqualTo(Outcome.ALLOWED);
    assertThat(limiter.take("a").outcome()).isEqualTo(Outcome.REFUSED);
  }

  @Test
  void manyThreadsAtOnceDoNotTakeMoreThanTheBurst() throws Exception {
    int threads = 8;
    RateLimiter limiter = limiter(Limit.parse("10000/1m"), 10);
    CyclicBarrier start = new CyclicBarrier(threads);
    ExecutorService takers = Executors.newFixedThreadPool(threads);
    int passed = 0;
    try {
      List<Future<Integer>> all = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        all.add(
            takers.submit(
                () -> {
                  start.await();
                  int mine = 0;
                  for (int n = 0; n < 5_000; n++) {
                    mine += passes(limiter.take("a")) ? 1 : 0;
                  }
                  return mine;
                }));
      }
      for (Future<Integer> one : all) {
        passed += one.get(1, TimeUnit.MINUTES);
      }
    } finally {
      takers.shutdownNow();
    }

    assertThat(passed).isEqualTo(10_000);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 100, 10_000})
  void howeverManyKeysAreInventedNoMoreAreRememberedThanMayBe(long keys) {
    RateLimiter limiter = limiter(Limit.parse("600/1m"), keys);
    long most = 0;
    for (int i = 0; i < INVENTED; i++) {
      limiter.take("invented-" + i);
      most = Math.max(most, limiter.keys());
    }

    assertThat(most).isEqualTo(keys);
    assertThat(limiter.forgotten().sum()).isEqualTo(INVENTED - keys);
  }

  @Test
  void inventedKeysDoNotFillTheMemory() {
    RateLimiter limiter = limiter(Limit.parse("600/1m"), 1_000);
    String tail = "x".repeat(80);
    long before = usedMemory();
    for (int i = 0; i < INVENTED; i++) {
      limiter.take(i + tail);
    }

    // If they were all kept, their names alone were more than 80 MB.
    assertThat(usedMemory() - before).isLessThan(20_000_000);
    assertThat(limiter.keys()).isPositive();
  }

  private static long usedMemory() {
    Runtime runtime = Runtime.getRuntime();
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    return runtime.totalMemory() - runtime.freeMemory();
  }

  @Test
  void aKeyInUseStaysLimitedWhileAMillionOthersAreInvented() {
    RateLimiter limiter = limiter(Limit.parse("10/1d"), 1_000);
    int passed = 0;
    for (int i = 0; i < INVENTED; i++) {
      limiter.take("invented-" + i);
      if (i % 100 == 0) {
        passed += passes(limiter.take("in-use")) ? 1 : 0;
      }
    }

    assertThat(passed).isEqualTo(10);
  }

  @ParameterizedTest
  @CsvSource({"1/1s, 10000000000", "600/1m, 60000000000", "1/1m, 60000000000"})
  void aKeyIsForgottenWhenItsBucketIsFullAgainAndNotBefore(String text, long nanos) {
    RateLimiter limiter = limiter(Limit.parse(text), MANY);
    limiter.take("a");
    now += nanos - 1_000;
    limiter.take("b");
    assertThat(limiter.keys()).isEqualTo(2);
    now += 10_000_000;
    limiter.take("c");

    assertThat(limiter.keys()).isEqualTo(2);
    assertThat(limiter.forgotten().sum()).as("before their time").isZero();
  }

  /** Lends nothing by itself; the test answers. */
  private static final class Lending implements Lender {
    private final List<Lease> asked = new ArrayList<>();
    private final List<Runnable> ticks = new ArrayList<>();
    private boolean lost;

    @Override
    public void ask(Lease lease) {
      asked.add(lease);
    }

    @Override
    public boolean isLost() {
      return lost;
    }

    @Override
    public int nodes() {
      return 1;
    }

    @Override
    public boolean mayBeLow(String bucket) {
      return true;
    }

    @Override
    public int epoch() {
      return 1;
    }

    @Override
    public void onTick(Runnable review) {
      ticks.add(review);
    }

    /** What the first of those who ask says, which is then granted what it wants or more. */
    private Lease.Ask answer(long now, long atLeast) {
      Lease lease = asked.remove(0);
      Lease.Ask ask = lease.draft(now, 1);
      if (lease.answered(Math.max(atLeast, ask.want()), 1_000, 0, now)) {
        asked.add(lease);
      }
      return ask;
    }
  }

  private final Lending lending = new Lending();

  private RateLimiter sharing(String limit, long keys, OnLoss onLoss) {
    return new RateLimiter("test", Limit.parse(limit), keys, lending, onLoss, () -> now);
  }

  @Test
  void withALenderWhoIsLostANodeMayCountForItself() {
    RateLimiter limiter = sharing("2/1s", 10, OnLoss.LOCAL);
    lending.lost = true;

    assertThat(limiter.take("a")).isEqualTo(new Verdict(Outcome.ALLOWED, 1, 0));
    assertThat(limiter.take("a")).isEqualTo(new Verdict(Outcome.ALLOWED, 0, 0));
    assertThat(limiter.take("a")).isEqualTo(new Verdict(Outcome.REFUSED, 0, 500_000_000));
  }

  @Test
  void withALenderWhoIsLostEverythingMayPass() {
    RateLimiter limiter = sharing("2/1s", 10, OnLoss.ALLOW);
    lending.lost = true;

    for (int i = 0; i < 1_000; i++) {
      assertThat(limiter.take("a").outcome()).isEqualTo(Outcome.ALLOWED);
    }
  }

  @Test
  void withALenderWhoIsLostNothingMayPassAndIsSaidToBeUnavailable() {
    RateLimiter limiter = sharing("2/1s", 10, OnLoss.REFUSE);
    lending.lost = true;

    assertThat(limiter.take("a")).isEqualTo(new Verdict(Outcome.UNAVAILABLE, 0, 0));
  }

  @ParameterizedTest
  @EnumSource(value = OnLoss.class, names = "REFUSE", mode = EnumSource.Mode.EXCLUDE)
  void whatPassedWhileTheLenderWasLostIsToldWhenItIsBack(OnLoss onLoss) {
    RateLimiter limiter = sharing("100/1s", 10, onLoss);
    lending.lost = true;
    for (int i = 0; i < 40; i++) {
      limiter.take("a");
    }
    assertThat(lending.asked).isEmpty();
    lending.lost = false;
    limiter.take("a");

    assertThat(lending.answer(now, 0).owed()).isGreaterThanOrEqualTo(40);
  }

  @ParameterizedTest
  @EnumSource(value = OnLoss.class, names = "REFUSE", mode = EnumSource.Mode.EXCLUDE)
  void inventedKeysDoNotFillTheMemoryWhileTheLenderIsLost(OnLoss onLoss) {
    RateLimiter limiter = sharing("600/1m", 1_000, onLoss);
    lending.lost = true;
    long before = usedMemory();
    for (int i = 0; i < INVENTED; i++) {
      limiter.take("invented-" + i);
    }
    assertThat(usedMemory() - before).isLessThan(20_000_000);
    lending.lost = false;
    now += 500_000_000;

    lending.ticks.forEach(Runnable::run);

    // All that are remembered, and as many that were not long ago.
    assertThat(lending.asked).hasSizeBetween(1_000, 2_000);
  }

  @Test
  void whoeverWasNotLookedAtIsLookedAtAgainOnceThereIsRoom() {
    RateLimiter limiter = sharing("600/1m", 1, OnLoss.LOCAL);
    lending.lost = true;
    for (String key : List.of("a", "b", "c", "d")) {
      limiter.take(key);
    }
    lending.lost = false;
    for (int i = 0; i < 3; i++) {
      now += 500_000_000;
      lending.ticks.forEach(Runnable::run);
      lending.asked.forEach(lease -> lease.draft(now, 1));
      lending.asked.forEach(lease -> lease.answered(0, 600, 0, now));
    }
    lending.asked.clear();
    limiter.take("e");
    lending.answer(now, 50);
    lending.asked.clear();
    now += 500_000_000;
    lending.ticks.forEach(Runnable::run);

    assertThat(lending.answer(now, 0).give()).isEqualTo(50);
  }

  @Test
  void aNodeNeverLetsThroughMoreThanItsOwnBucketThoughItWasLentMore() {
    RateLimiter limiter = sharing("5/1s", 10, OnLoss.LOCAL);
    int passed = passes(limiter.take("a")) ? 1 : 0;
    lending.answer(now, 100);
    for (int i = 0; i < 100; i++) {
      passed += passes(limiter.take("a")) ? 1 : 0;
    }

    assertThat(passed).isEqualTo(5);
    assertThat(limiter.take("a")).isEqualTo(new Verdict(Outcome.REFUSED, 0, 200_000_000));
  }

  @Test
  void aPermitThatWasLentIsNotUsedUpByARequestThatTheNodesOwnBucketRefuses() {
    RateLimiter limiter = sharing("5/1s", 10, OnLoss.LOCAL);
    limiter.take("a");
    lending.answer(now, 100);
    for (int i = 0; i < 50; i++) {
      limiter.take("a");
    }
    limiter.close();

    // One passed before anything was lent, and four after.
    assertThat(lending.answer(now, 0).give()).isEqualTo(96);
  }

  @Test
  void aNodeMayLetThroughOnlyWhatItWasLent() {
    RateLimiter limiter = sharing("5/1s", 10, OnLoss.LOCAL);
    limiter.take("a");
    Lease lease = lending.asked.get(0);
    lease.draft(now, 1);
    lease.answered(2, 0, 300_000_000, now);

    assertThat(limiter.take("a")).isEqualTo(new Verdict(Outcome.ALLOWED, 1, 0));
    assertThat(limiter.take("a")).isEqualTo(new Verdict(Outcome.ALLOWED, 0, 0));
    now += 1_000_000;
    assertThat(limiter.take("a")).isEqualTo(new Verdict(Outcome.REFUSED, 0, 299_000_000));
  }

  @Test
  void bucketsAreSharedUnderTheLimitsNameAndAHashOfTheKey() {
    sharing("5/1s", 10, OnLoss.LOCAL).take("secret");

    assertThat(lending.asked.get(0).bucket())
        .isEqualTo("gatehouse:test:" + LimitKey.hash("secret"));
  }

  @Test
  void permitsThatAreNotUsedGoBackAtATick() {
    RateLimiter limiter = sharing("600/1m", 10, OnLoss.LOCAL);
    limiter.take("a");
    Lease lease = lending.asked.get(0);
    lending.answer(now, 50);
    // It asks at once to tell what passed meanwhile, if anything.
    lending.asked.clear();
    now += lease.reviewAfter() - 1;
    lending.ticks.forEach(Runnable::run);
    assertThat(lending.asked).isEmpty();
    now += 1;
    lending.ticks.forEach(Runnable::run);

    assertThat(lending.answer(now, 0)).isEqualTo(new Lease.Ask(50, 0, 0));
  }

  @Test
  void permitsOfAKeyThatIsForgottenGoBack() {
    RateLimiter limiter = sharing("600/1m", 1, OnLoss.LOCAL);
    limiter.take("a");
    lending.answer(now, 50);
    limiter.take("b");
    limiter.take("c");

    assertThat(lending.asked).extracting(lease -> lease.draft(now, 1).give()).contains(50L);
  }

  @Test
  void nothingIsToldOfAKeyThatIsForgottenAndHasNothing() {
    RateLimiter limiter = sharing("600/1m", 1, OnLoss.LOCAL);
    limiter.take("a");
    Lease lease = lending.asked.remove(0);
    lease.draft(now, 1);
    lease.answered(0, 600, 0, now);
    limiter.take("b");
    limiter.take("c");
    assertThat(limiter.forgotten().sum()).isEqualTo(2);

    assertThat(lending.asked).isNotEmpty().doesNotContain(lease);
  }

  @Test
  void allPermitsGoBackAtTheEnd() {
    RateLimiter limiter = sharing("600/1m", 10, OnLoss.LOCAL);
    limiter.take("a");
    lending.answer(now, 50);
    limiter.take("b");
    lending.answer(now, 60);
    limiter.close();

    assertThat(lending.asked)
        .extracting(lease -> lease.draft(now, 1).give())
        .containsExactlyInAnyOrder(50L, 60L);
    assertThat(limiter.keys()).isZero();
  }
}
