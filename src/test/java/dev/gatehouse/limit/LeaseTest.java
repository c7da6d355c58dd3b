package dev.gatehouse.limit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.limit.Lease.Ask;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LeaseTest {

  private static final long MILLI = 1_000_000;

  /** For one node, 30 requests may pass on credit. */
  private static final Limit LIMIT = Limit.parse("600/1m");

  private final AtomicInteger held = new AtomicInteger();
  private long now = 987_654_321;
  private int epoch = 1;
  private Lease lease = lease(LIMIT);

  private Lease lease(Limit limit) {
    return new Lease(limit, "bucket", same -> held.incrementAndGet() > 0, now);
  }

  private long take() {
    return lease.take(now, lender(1));
  }

  /** Of buckets that are low, so that credit is as small as it gets. */
  private Lender lender(int nodes) {
    return lender(nodes, true);
  }

  private Lender lender(int nodes, boolean low) {
    return new Lender() {
      @Override
      public void ask(Lease asked) {
        throw new AssertionError("a lease does not ask by itself");
      }

      @Override
      public boolean isLost() {
        return false;
      }

      @Override
      public int nodes() {
        return nodes;
      }

      @Override
      public boolean mayBeLow(String bucket) {
        return low;
      }

      @Override
      public int epoch() {
        return epoch;
      }

      @Override
      public void onTick(Runnable review) {
        throw new AssertionError("a lease has nothing to review");
      }
    };
  }

  /** How many of so many requests pass. */
  private int passed(int requests) {
    int passed = 0;
    for (int i = 0; i < requests; i++) {
      passed += take() >= 0 ? 1 : 0;
    }
    return passed;
  }

  private Ask draft() {
    return lease.draft(now, epoch);
  }

  /** The lender is asked, and answers at once. */
  private Ask settled(long granted, long left) {
    lease.beginAsking(now);
    Ask ask = draft();
    lease.answered(granted, left, left > 0 ? 0 : 100 * MILLI, now);
    return ask;
  }

  private void later(long millis) {
    now += millis * MILLI;
  }

  // Credit

  @ParameterizedTest
  @CsvSource({
    "600/1m, 600, 1, 30",
    "600/1m, 600, 3, 10",
    "600/1m, 600, 100, 1",
    "600/1m, 4, 1, 4",
    "10/1m, 10, 1, 1",
    "1/1d, 1, 5, 1",
    "1000000/1s, 1000000, 2, 25000",
  })
  void whoWasLentNothingYetPassesOnCredit(String limit, long burst, int nodes, int credit) {
    lease = lease(Limit.parse(limit).withBurst(burst));
    int passed = 0;
    for (int i = 0; i < credit + 100; i++) {
      passed += lease.take(now, lender(nodes)) >= 0 ? 1 : 0;
    }

    assertThat(passed).isEqualTo(credit);
    assertThat(draft().owed()).isEqualTo(credit);
  }

  @ParameterizedTest
  @CsvSource({"0, 30", "1, 29", "10, 20", "29, 1", "30, 0"})
  void whileDebtsAreBeingToldTheyStillCountAgainstTheCredit(int before, int after) {
    passed(before);
    assertThat(draft().owed()).isEqualTo(before);

    assertThat(passed(100)).isEqualTo(after);
  }

  @Test
  void onceDebtsAreToldThereIsCreditAnewUnlessTheBucketIsEmpty() {
    passed(30);
    settled(0, 500);

    assertThat(passed(100)).isEqualTo(30);
  }

  @Test
  void permitsThatWereLentAreUsedBeforeCredit() {
    settled(5, 100);
    assertThat(passed(5)).isEqualTo(5);
    assertThat(draft().owed()).isZero();
    lease.answered(0, 100, 0, now);
    passed(1);

    assertThat(draft().owed()).isEqualTo(1);
  }

  @Test
  void permitsAndCreditTogetherAreAllThatPasses() {
    settled(5, 100);

    assertThat(passed(100)).isEqualTo(5 + 30);
  }

  @Test
  void aPermitThatIsPutBackCanBeTakenAgain() {
    settled(1, 0);
    take();
    lease.putBack();

    assertThat(passed(10)).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({
    // What was lent, and what the bucket has then: what the next one is told to be left.
    "1, 0, 0",
    "3, 0, 2",
    "3, 7, 9",
    "0, 7, 7",
    "0, 600, 600",
  })
  void whoPassesIsToldWhatIsLeftHereAndAtTheLender(long granted, long left, long told) {
    settled(granted, left);

    assertThat(take()).isEqualTo(told);
  }

  @Test
  void whileNothingWasHeardOfTheBucketItIsTakenToBeFull() {
    assertThat(take()).isEqualTo(599);
    assertThat(take()).isEqualTo(598);
    draft();
    assertThat(take()).isEqualTo(597);
  }

  // Told that the bucket is empty

  @ParameterizedTest
  @ValueSource(longs = {0, -1, -30})
  void whoWasToldThatTheBucketIsEmptyHasNoCredit(long left) {
    passed(3);
    settled(0, left);

    assertThat(take()).isEqualTo(-1);
    later(99);
    assertThat(passed(100)).isZero();
  }

  @Test
  void whenItHasAPermitAgainAsWasToldOneRequestMayRelyOnIt() {
    passed(3);
    settled(0, 0);
    later(100);

    assertThat(take()).isZero();
    assertThat(passed(100)).isZero();
    assertThat(lease.beginAsking(now)).isTrue();
    assertThat(draft().owed()).isEqualTo(1);
    later(60_000);
    assertThat(passed(100)).as("until there is another answer").isZero();
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -100 * MILLI})
  void nobodyReliesOnABucketOfWhichTheRestIsKeptOrWhichIsNotSure(long nanosToOne) {
    draft();
    lease.answered(0, 0, nanosToOne, now);
    assertThat(lease.nanosToNext(now)).isEqualTo(-nanosToOne);
    later(60_000);

    assertThat(passed(100)).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0, 0",
    "1, 0, 1",
    "2, 0, 2",
    "0, 1, 30",
    "2, 1, 32",
    "30, -5, 30",
  })
  void afterThatOnlyWhatTheLenderSaysCounts(long granted, long left, int passed) {
    settled(0, 0);
    later(1_000);
    settled(granted, left);

    assertThat(passed(100)).isEqualTo(passed);
  }

  @Test
  void noAnswerIsNoReasonToGiveCreditAgain() {
    settled(0, 0);
    later(1_000);
    lease.unanswered(draft(), now);

    assertThat(passed(100)).isZero();
  }

  @Test
  void howLongUntilTheNextPermitIsKnownOnlyOfAnEmptyBucket() {
    assertThat(lease.nanosToNext(now)).isZero();
    draft();
    lease.answered(0, 0, 100, now);
    assertThat(lease.nanosToNext(now)).isEqualTo(100);
    assertThat(lease.nanosToNext(now + 60)).isEqualTo(40);
    assertThat(lease.nanosToNext(now + 100)).isZero();
    assertThat(lease.nanosToNext(now + 1_000)).isZero();
    draft();
    lease.answered(0, 1, 100, now);
    assertThat(lease.nanosToNext(now)).isZero();
  }

  // Pauses

  @ParameterizedTest
  @CsvSource({
    "5/1s, 200 400 800 1000 1000",
    "600/1m, 100 200 400 800 1000 1000",
    "50/1s, 20 40 80 160 320 640 1000 1000",
    "100000000/1s, 20 40 80 160 320 640 1000 1000",
    "1/1s, 1000 1000",
    "1/1d, 1000 1000 1000",
  })
  void whileTheBucketIsEmptyTheLenderIsAskedEverMoreSeldomButEachSecond(
      String limit, String millis) {
    lease = lease(Limit.parse(limit));
    for (long pause : Arrays.stream(millis.split(" ", -1)).mapToLong(Long::parseLong).toArray()) {
      take();
      assertThat(lease.beginAsking(now)).isTrue();
      draft();
      assertThat(lease.answered(0, 0, MILLI, now)).isFalse();
      take();
      now += pause * MILLI - 1;
      assertThat(lease.beginAsking(now)).as("before %s ms", pause).isFalse();
      now += 1;
    }
    assertThat(lease.beginAsking(now)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"1, 0", "1, 1"})
  void aPermitEndsThePauses(long granted, long left) {
    for (int i = 0; i < 5; i++) {
      settled(0, 0);
      later(1_000);
    }
    settled(granted, left);
    passed(2);
    assertThat(lease.beginAsking(now)).as("at once").isTrue();
    draft();
    lease.answered(0, 0, MILLI, now);
    take();
    later(99);
    assertThat(lease.beginAsking(now)).isFalse();
    later(1);
    assertThat(lease.beginAsking(now)).as("after the first pause").isTrue();
  }

  @Test
  void debtsAndGiftsDoNotWaitForAPauseToEnd() {
    settled(0, 0);
    take();
    assertThat(lease.beginAsking(now)).isFalse();
    lease.passedUncounted(now);

    assertThat(lease.beginAsking(now)).isTrue();
  }

  // Questions

  @Test
  void whoIsToldToAskIsToldOnlyOnceUntilThereWasAnAnswer() {
    take();
    assertThat(lease.beginAsking(now)).isTrue();
    for (int i = 0; i < 10; i++) {
      take();
      assertThat(lease.beginAsking(now)).isFalse();
    }
    draft();
    later(10_000);
    assertThat(lease.beginAsking(now)).isFalse();
    lease.answered(1, 500, 0, now);
    assertThat(lease.beginAsking(now)).isTrue();
  }

  @Test
  void whileTheRestIsKeptItIsAskedForEvery20Milliseconds() {
    take();
    for (int i = 0; i < 5; i++) {
      lease.beginAsking(now);
      draft();
      lease.answered(0, 0, 0, now);
      assertThat(take()).isNegative();
      later(19);
      assertThat(lease.beginAsking(now)).isFalse();
      later(1);
      assertThat(lease.beginAsking(now)).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -60_000 * MILLI})
  void whileTheRestIsKeptItIsAskedForWithoutAnotherRequestToo(long nanosToOne) {
    take();
    lease.beginAsking(now);
    draft();
    lease.answered(0, 0, nanosToOne, now);
    assertThat(held).hasValue(1);
    later(500);

    assertThat(lease.review(now)).isFalse();
    assertThat(lease.beginAsking(now)).isTrue();
    assertThat(draft()).isEqualTo(new Ask(0, 0, 0));
    lease.answered(0, 150, 0, now);
    assertThat(held).hasValue(1);
    assertThat(take()).isNotNegative();
  }

  @Test
  void permitsThatWereHeldForTooLongGoBack() {
    settled(20, 500);
    later(2_000);
    assertThat(take()).isEqualTo(519);
    later(1);

    assertThat(take()).as("on credit").isEqualTo(500);

    assertThat(lease.beginAsking(now)).isTrue();
    assertThat(draft()).extracting(Ask::give, Ask::owed).containsExactly(19L, 1L);
  }

  @Test
  void whatPassedUncountedIsToldAsFarAsItHasNotComeBack() {
    for (int i = 0; i < 30; i++) {
      lease.passedUncounted(now);
    }
    later(1_000);

    assertThat(held).as("so that it is told without another request").hasValue(1);
    assertThat(draft().owed()).isEqualTo(20);
    assertThat(draft().owed()).isZero();
  }

  @Test
  void whatPassedUncountedIsNoCredit() {
    for (int i = 0; i < 600; i++) {
      lease.passedUncounted(now);
    }

    assertThat(passed(40)).isEqualTo(30);
  }

  @Test
  void ofABucketThatIsNotLowMorePassesOnCredit() {
    // A quarter of the bucket for all nodes.
    for (int[] nodesAndCredit : new int[][] {{1, 150}, {2, 75}, {10, 15}, {100, 1}}) {
      lease = lease(LIMIT);
      int passed = 0;
      for (int i = 0; i < 600; i++) {
        passed += lease.take(now, lender(nodesAndCredit[0], false)) >= 0 ? 1 : 0;
      }
      assertThat(passed).isEqualTo(nodesAndCredit[1]);
    }
  }

  @Test
  void whoGotNoAnswerMayAskAgain() {
    take();
    lease.beginAsking(now);
    lease.unanswered(draft(), now);

    assertThat(lease.beginAsking(now)).isTrue();
  }

  @Test
  void whatCameUpWhileTheLenderWasAskedIsAskedAtOnce() {
    take();
    lease.beginAsking(now);
    assertThat(draft().owed()).isEqualTo(1);
    passed(4);

    assertThat(lease.answered(0, 500, 0, now)).isTrue();
    assertThat(lease.beginAsking(now)).as("it is being asked").isFalse();
    assertThat(draft().owed()).isEqualTo(4);
    assertThat(lease.answered(0, 500, 0, now)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    // Requests, milliseconds since the last question, permits there still are: what is wanted.
    "1, 1000, 0, 1",
    "100, 1000, 0, 100",
    "100, 500, 0, 200",
    "100, 2000, 0, 50",
    "10, 125, 0, 80",
    "10, 1, 0, 80",
    "1, 0, 0, 8",
    "1000, 1000, 0, 300",
    "0, 1000, 0, 0",
    "1, 10000, 0, 0",
  })
  void soMuchIsWantedAsWasUsedLatelyForTheNextSecondButNotMoreThanHalfOfTheBucket(
      int requests, long millis, int permits, long want) {
    settled(permits, 0);
    passed(requests);
    later(millis);

    assertThat(draft().want()).isEqualTo(want);
  }

  @ParameterizedTest
  @CsvSource({"1/1s, 1", "1/1d, 1", "3/1s, 1", "4/1s, 2", "20/1d, 10"})
  void ofASmallBucketAPermitIsWantedAllTheSame(String limit, long want) {
    lease = lease(Limit.parse(limit));
    passed(1_000);

    assertThat(draft().want()).isEqualTo(want);
  }

  @Test
  void refusedRequestsAreWantedTooAndPermitsThereStillAreAreNot() {
    settled(0, 0);
    later(1_000);
    passed(100);
    settled(100, 0);
    later(500);
    passed(40);
    assertThat(draft().want()).as("80 in a second, and 60 are left").isEqualTo(20);
  }

  @Test
  void theLenderIsAskedWhenHalfIsUsed() {
    settled(0, 500);
    passed(10);
    later(1_000);
    settled(10, 500);
    later(100);
    passed(4);
    assertThat(lease.beginAsking(now)).isFalse();
    take();

    assertThat(lease.beginAsking(now)).isTrue();
  }

  // Debts and gifts

  @Test
  void debtsSurviveQuestionsWithoutAnAnswer() {
    passed(10);
    for (int i = 0; i < 5; i++) {
      Ask ask = draft();
      assertThat(ask.owed()).isEqualTo(10);
      lease.unanswered(ask, now);
    }
  }

  @Test
  void debtsThatCannotBeToldYetCountAgainstTheCreditAndAreToldLater() {
    int passed = 0;
    for (int i = 0; i < 600; i++) {
      passed += take() >= 0 ? 1 : 0;
      if (lease.beginAsking(now)) {
        lease.postponed();
      }
    }

    assertThat(passed).isEqualTo(30);
    assertThat(held).hasValue(1);
    assertThat(lease.beginAsking(now)).isTrue();
    assertThat(draft().owed()).isEqualTo(30);
  }

  @Test
  void debtsAreAddedUpWhileThereIsNoAnswer() {
    passed(10);
    Ask first = draft();
    passed(7);
    lease.unanswered(first, now);

    assertThat(draft().owed()).isEqualTo(17);
  }

  @Test
  void debtsAreToldOnlyOnce() {
    passed(10);
    settled(0, 500);

    assertThat(draft().owed()).isZero();
  }

  @Test
  void debtsAreNeverMoreThanTheBucketHolds() {
    lease = lease(Limit.parse("600/1m").withBurst(5));
    for (int i = 0; i < 100; i++) {
      lease.passedUncounted(now);
    }
    Ask ask = draft();
    assertThat(ask.owed()).isEqualTo(5);
    lease.passedUncounted(now);
    lease.unanswered(ask, now);

    assertThat(draft().owed()).isEqualTo(5);
  }

  @Test
  void giftsWithoutAnAnswerAreNotGivenAgain() {
    settled(20, 500);
    lease.giveBack();
    Ask ask = draft();
    assertThat(ask.give()).isEqualTo(20);
    lease.unanswered(ask, now);

    assertThat(draft().give()).isZero();
  }

  @Test
  void permitsThatWereGivenBackCannotBeTaken() {
    settled(20, 0);
    lease.giveBack();

    assertThat(passed(100)).isZero();
  }

  @Test
  void giftsAreAskedAboutThoughNothingIsLow() {
    settled(20, 500);
    later(1_000);
    settled(0, 500);
    passed(1);
    assertThat(lease.beginAsking(now)).as("though nothing is low").isFalse();
    lease.giveBack();

    assertThat(lease.beginAsking(now)).isTrue();
  }

  // Epochs

  @Test
  void whatWasLentInAnEarlierEpochIsVoid() {
    settled(20, 0);
    epoch = 2;

    assertThat(passed(100)).as("on credit, as in the beginning").isEqualTo(30);
    assertThat(draft().owed()).isEqualTo(30);
  }

  @Test
  void whatWasToBeGivenBackInAnEarlierEpochIsVoid() {
    settled(20, 0);
    lease.giveBack();
    epoch = 2;

    assertThat(draft()).isEqualTo(new Ask(0, 0, 0));
  }

  @Test
  void debtsOfAnEarlierEpochAreTold() {
    passed(10);
    epoch = 2;

    assertThat(draft().owed()).isEqualTo(10);
  }

  @Test
  void debtsOfAnEarlierEpochCountAgainstTheCredit() {
    passed(10);
    epoch = 2;

    assertThat(passed(100)).isEqualTo(20);
  }

  @Test
  void aNewEpochEndsPauses() {
    settled(0, 0);
    epoch = 2;
    take();

    assertThat(lease.beginAsking(now)).isTrue();
  }

  // Reviews

  @Test
  void whatIsHeldIsReviewedAndSaidOnlyOnce() {
    settled(0, 500);
    assertThat(held).hasValue(0);
    settled(5, 500);
    assertThat(held).hasValue(1);
    settled(5, 500);
    assertThat(held).hasValue(1);
    later(500);
    assertThat(lease.review(now)).isFalse();
    settled(5, 500);
    assertThat(held).hasValue(2);
  }

  @ParameterizedTest
  @CsvSource({"1/1s, 31250000", "600/1m, 500000000", "1/1d, 500000000", "100/4s, 125000000"})
  void aReviewIsDueAfterHalfOfWhatIsLentAheadFor(String limit, long nanos) {
    lease = lease(Limit.parse(limit));

    assertThat(lease.reviewAfter()).isEqualTo(nanos);
  }

  @Test
  void whoIsIdleGivesEverythingBack() {
    settled(20, 0);
    take();
    later(500);

    assertThat(lease.review(now)).isFalse();
    assertThat(lease.beginAsking(now)).isTrue();
    assertThat(draft().give()).isEqualTo(19);
    assertThat(passed(100)).as("what has come back since").isEqualTo(1);
  }

  @Test
  void whoHoldsTooMuchKeepsWhatItNeeds() {
    settled(100, 0);
    later(1_000);
    passed(10);

    assertThat(lease.review(now)).isTrue();
    assertThat(draft().give()).isEqualTo(80);
    assertThat(passed(100)).as("and what has come back since").isEqualTo(10 + 1);
  }

  @ParameterizedTest
  @CsvSource({"20, 10, 0", "21, 10, 11", "20, 1, 19", "2, 1, 0", "3, 1, 2"})
  void onlyMoreThanTwiceOfWhatIsNeededIsTooMuch(int permits, int requests, int given) {
    settled(permits + requests, 0);
    later(1_000);
    passed(requests);
    lease.review(now);

    assertThat(draft().give()).isEqualTo(given);
  }

  @Test
  void soonAfterAQuestionAReviewGoesByWhatWasNeededUntilThen() {
    settled(50, 500);
    later(500);
    passed(25);
    assertThat(settled(25, 500).want()).isEqualTo(25);
    later(1);
    take();
    lease.review(now);

    assertThat(draft().give()).isZero();
  }

  @Test
  void whoHoldsNothingIsNotReviewedAgain() {
    settled(1, 0);
    take();

    assertThat(lease.review(now)).isFalse();
    assertThat(lease.beginAsking(now + Duration.ofSeconds(1).toNanos())).isTrue();
    assertThat(draft().give()).isZero();
  }
}
