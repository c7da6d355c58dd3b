package dev.gatehouse.limit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Arrays;
import java.util.function.IntSupplier;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What nodes let through before the store has heard of it, in virtual time: that it never adds up
 * to more than the tolerance, and how often a caller within its limit is refused all the same.
 */
class CreditSimulationFull {

  /** How long after its first request a key is drained when the others begin, in milliseconds. */
  private static final double[] MOMENTS = {0.5, 2, 5, 10, 20, 30, 40, 60, 80, 100, 150, 200};

  private static Stream<Arguments> worlds() {
    return Stream.of(
            "20/1s", "100/1m", "600/1m", "60000/1m", "600/1m burst 100", "60000/1m burst 9")
        .flatMap(limit -> Stream.of(2, 10).map(nodes -> Arguments.of(limit, nodes)));
  }

  @ParameterizedTest
  @MethodSource("worlds")
  void creditOfAllOthersAddsNothingWhileSomeDrainTheKey(String text, int count) {
    for (double delay : new double[] {0.2, 2, 20, 75}) {
      for (int floods : new int[] {1, count / 2, count - 1}) {
        for (double moment : MOMENTS) {
          SimulatedNodes nodes = nodes(text, count, delay, 1);

          drainThenUseCredit(nodes, limit(text), floods, moment);

          assertWithin(nodes, limit(text), "%s ms, %s, at %s", delay, floods, moment);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("worlds")
  void neitherDoesItWhereMessagesOfTheOthersAreSlow(String text, int count) {
    double[][] slow = {{0, 20}, {20, 20}, {0, 75}, {75, 75}, {0, 150}, {150, 0}, {150, 150}};
    for (double[] each : slow) {
      for (int floods : new int[] {1, count - 1}) {
        for (double moment : MOMENTS) {
          SimulatedNodes nodes = nodes(text, count, 2, 1);
          for (int node = floods; node < count; node++) {
            nodes.slowDown(node, millis(each[0]), millis(each[1]));
          }
          nodes.run(millis(300));

          drainThenUseCredit(nodes, limit(text), floods, moment);

          assertWithin(nodes, limit(text), "%s, %s, at %s", Arrays.toString(each), floods, moment);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"100/1m, 2, 6", "100/1m, 10, 6", "100/1m, 10, 20", "600/1m, 2, 20", "600/1m, 10, 20"})
  void groupsToNodesThatNeverSawTheKeyAddNothing(String text, int count, int size) {
    for (double moment : MOMENTS) {
      SimulatedNodes nodes = nodes(text, count, 2, 1);
      nodes.send(millis(700), nodes.steadily(limit(text).burst() * 25.0), () -> 0, () -> 0);
      nodes.run(millis(moment));
      for (int round = 0; round < 20; round++) {
        for (int node = 1; node < count; node++) {
          group(nodes, node, size, 1);
        }
        nodes.run(millis(7));
      }
      nodes.run(millis(300));

      assertWithin(nodes, limit(text), "at %s", moment);
    }
  }

  /** More keys than go into a batch, and more than one batch of each node is waiting. */
  @ParameterizedTest
  @CsvSource({"20/1s, 2", "20/1s, 10", "100/1m, 2", "600/1m, 2"})
  void manyKeysMayBecomeLowAtOnce(String text, int count) {
    Limit limit = limit(text);
    int keys = 500;
    for (double moment : new double[] {2, 10, 20, 30, 40}) {
      SimulatedNodes nodes = nodes(text, count, 2, keys);
      int[] drained = {0};
      nodes.send(
          millis(moment + 150),
          nodes.steadily(keys * limit.burst() / 0.03),
          () -> 0,
          () -> drained[0]++ % keys);
      nodes.run(millis(moment));
      for (int node = 1; node < count; node++) {
        int each = node;
        int[] asked = {0};
        nodes.send(
            millis(100),
            nodes.steadily(keys * (limit.burst() / 4.0 / count + 1) / 0.01),
            () -> each,
            () -> asked[0]++ % keys);
      }
      nodes.run(millis(400));

      assertWithin(nodes, limit, "at %s", moment);
    }
  }

  /** What was told when it was drained first no longer holds when it is drained again. */
  @ParameterizedTest
  @MethodSource("worlds")
  void aKeyThatHasRecoveredIsDrainedAgain(String text, int count) {
    Limit limit = limit(text);
    double fill = limit.nanosToFill() / 1e6;
    for (double part = 0.4; part < 0.95; part += 0.05) {
      SimulatedNodes nodes = nodes(text, count, 2, 1);
      group(nodes, 0, (int) (limit.burst() * 0.9), fill / 190);
      nodes.run(millis(fill * part));
      group(nodes, 0, (int) limit.burst(), 0.015);
      nodes.run(millis(1));
      nodes.send(millis(100), nodes.steadily(limit.burst() * 50.0), () -> 0, () -> 0);
      nodes.run(millis(6));
      for (int node = 1; node < count; node++) {
        group(nodes, node, (int) limit.burst(), 0.1);
      }
      nodes.run(millis(400));

      assertWithin(nodes, limit, "after %s", part);
    }
  }

  @ParameterizedTest
  @MethodSource("worlds")
  void aNodeMayPauseWhileAKeyIsDrained(String text, int count) {
    Limit limit = limit(text);
    for (double pause : new double[] {250, 900, 3000, 15_000}) {
      for (double begin : new double[] {10, 100, 600, 1900}) {
        SimulatedNodes nodes = nodes(text, count, 2, 1);
        nodes.pause(count - 1, millis(pause));
        nodes.run(millis(Math.min(begin, pause / 2)));
        double rate = Math.max(2000, limit.burst());
        nodes.send(millis(pause + 600), nodes.steadily(rate), () -> 0, () -> 0);
        nodes.run(millis(pause - Math.min(begin, pause / 2) - 5));
        group(nodes, count - 1, (int) limit.burst(), 0.01);
        nodes.run(millis(200));
        group(nodes, count - 1, (int) limit.burst(), 0.01);
        nodes.run(millis(300));

        assertWithin(nodes, limit, "%s ms, %s", pause, begin);
      }
    }
  }

  /** One that was alone meanwhile gives all the credit. */
  @ParameterizedTest
  @CsvSource({"20/1s, 2", "20/1s, 10", "600/1m, 2", "600/1m, 10", "60000/1m, 2", "60000/1m, 10"})
  void allOthersMayComeBackFromAPauseWhileAKeyIsDrained(String text, int count) {
    Limit limit = limit(text);
    for (int then = 0; then < 60; then += 3) {
      SimulatedNodes nodes = nodes(text, count, 2, 1);
      for (int node = 1; node < count; node++) {
        nodes.pause(node, millis(3000));
      }
      nodes.run(millis(2980 + then));
      group(nodes, 0, (int) limit.burst() / 4 * 3 + 5, 0.015);
      nodes.run(millis(1));
      nodes.send(millis(200), nodes.steadily(limit.burst() * 100.0), () -> 0, () -> 0);
      nodes.run(millis(12));
      for (int node = 1; node < count; node++) {
        group(nodes, node, (int) limit.burst(), 0.1);
      }
      nodes.run(millis(400));

      assertWithin(nodes, limit, "at %s", then);
    }
  }

  @ParameterizedTest
  @MethodSource("worlds")
  void freshNodesAddNothing(String text, int count) {
    Limit limit = limit(text);
    for (double moment : MOMENTS) {
      SimulatedNodes nodes = nodes(text, count - 1, 2, 1);
      nodes.send(millis(moment + 700), nodes.steadily(limit.burst() * 25.0), () -> 0, () -> 0);
      nodes.run(millis(moment / 2));
      nodes.join();
      nodes.run(millis(moment / 2));
      for (int round = 0; round < 10; round++) {
        group(nodes, count - 1, (int) limit.burst(), 0.1);
        nodes.run(millis(60));
      }

      assertWithin(nodes, limit, "at %s", moment);
    }
  }

  /** Those that were there give credit for themselves alone until they have counted the others. */
  @ParameterizedTest
  @MethodSource("worlds")
  void whoWasThereBeforeFreshNodesAddsNothing(String text, int count) {
    Limit limit = limit(text);
    for (int fresh : new int[] {1, count - 1}) {
      for (double pause : new double[] {60, 120, 180, 250}) {
        for (int later = 0; later < 25; later += 5) {
          SimulatedNodes nodes = nodes(text, count - fresh, 2, 1);
          nodes.run(Duration.ofSeconds(3).plusMillis(later));
          for (int node = 0; node < count - fresh; node++) {
            nodes.pause(node, millis(pause));
          }
          nodes.run(millis(1));
          for (int node = 0; node < fresh; node++) {
            nodes.join();
          }
          // No gateway takes requests before it knows how many there are.
          nodes.run(millis(40));
          int[] turn = {0};
          nodes.send(
              millis(pause + 300),
              nodes.steadily(limit.burst() * 100.0),
              () -> count - fresh + turn[0]++ % fresh,
              () -> 0);
          nodes.run(millis(pause - 42));
          for (int node = 0; node < count - fresh; node++) {
            group(nodes, node, (int) limit.burst(), 0.1);
          }
          nodes.run(millis(500));

          assertWithin(nodes, limit, "%s fresh, %s ms, at %s", fresh, pause, later);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("worlds")
  void whatDoesNotReachTheStoreAddsNothing(String text, int count) {
    Limit limit = limit(text);
    for (double moment : new double[] {5, 150, 210, 240, 300, 400, 600, 800}) {
      SimulatedNodes nodes = nodes(text, count, 2, 1);
      nodes.loseNextQuestion(count - 1);
      group(nodes, count - 1, (int) limit.burst(), 0.01);
      nodes.run(millis(moment));
      nodes.send(millis(1200), nodes.steadily(limit.burst() * 25.0), () -> 0, () -> 0);
      nodes.run(millis(1500));

      assertWithin(nodes, limit, "at %s", moment);
    }
  }

  @ParameterizedTest
  @MethodSource("worlds")
  void whereTheStoresAnswerIsLostNothingIsAdded(String text, int count) {
    for (double moment : MOMENTS) {
      SimulatedNodes nodes = nodes(text, count, 2, 1);
      nodes.loseNextAnswer(0);
      nodes.loseNextAnswer(count - 1);

      drainThenUseCredit(nodes, limit(text), 1, moment);

      assertWithin(nodes, limit(text), "at %s", moment);
    }
  }

  /** It takes with it what nobody was told: that is all that is added. */
  @ParameterizedTest
  @CsvSource({"20/1s, 2", "600/1m, 2", "600/1m, 10", "60000/1m, 2", "60000/1m, 10"})
  void aNodeThatVanishesAddsNoMoreThanItsCredit(String text, int count) {
    Limit limit = limit(text);
    for (double moment : new double[] {1, 1000, 3000}) {
      SimulatedNodes nodes = nodes(text, count, 2, 1);
      group(nodes, count - 1, (int) limit.burst(), 0.01);
      nodes.run(millis(0.015));
      nodes.vanish(count - 1);
      nodes.run(millis(moment));
      nodes.send(millis(1000), nodes.steadily(limit.burst() * 10.0), nodes.anyNode(), () -> 0);
      nodes.run(millis(1000));

      assertThat(nodes.key(0).mostOverAnyWindow())
          .as("after %s ms", moment)
          .isLessThanOrEqualTo(tolerance(limit, nodes) + limit.credit(count, false));
    }
  }

  /** How requests of a caller come that takes half of what it may. */
  private enum Shape {
    SINGLY,
    SIX_SPREAD,
    SIX_TO_ONE;

    void send(SimulatedNodes nodes, double perSecond, int key, Duration during) {
      if (this == SINGLY) {
        nodes.send(during, nodes.atRandom(perSecond), nodes.anyNode(), () -> key);
        return;
      }
      SimulatedNodes.Pace groups = nodes.atRandom(perSecond / 6);
      int[] sent = {0};
      SimulatedNodes.Pace pace = last -> ++sent[0] % 6 == 0 ? groups.next(last) : last + 200_000;
      int[] chosen = {0};
      IntSupplier node =
          () -> {
            if (this == SIX_SPREAD || sent[0] % 6 == 0) {
              chosen[0] = nodes.random().nextInt(nodes.nodes());
            }
            return chosen[0];
          };
      nodes.send(during, pace, node, () -> key);
    }
  }

  /** Shares in percent: at a node that has not yet heard of the key, and later. */
  @ParameterizedTest
  @CsvSource({
    "20/1s, 2, SINGLY, 0, 0.5",
    "20/1s, 10, SINGLY, 0.1, 0.6",
    "20/1s, 100, SINGLY, 0.1, 0.1",
    "20/1s, 2, SIX_SPREAD, 1.1, 50.8",
    "20/1s, 10, SIX_SPREAD, 1.3, 24.4",
    "20/1s, 100, SIX_SPREAD, 1.0, 9.0",
    "20/1s, 2, SIX_TO_ONE, 3.1, 76.4",
    "20/1s, 10, SIX_TO_ONE, 17.8, 72.4",
    "20/1s, 100, SIX_TO_ONE, 70.9, 19.6",
    "100/1m, 2, SINGLY, 0, 0",
    "100/1m, 10, SINGLY, 0, 0",
    "100/1m, 100, SINGLY, 0, 0",
    "100/1m, 2, SIX_SPREAD, 0, 1.5",
    "100/1m, 10, SIX_SPREAD, 0.3, 3.0",
    "100/1m, 100, SIX_SPREAD, 1.1, 1.7",
    "100/1m, 2, SIX_TO_ONE, 0, 7.8",
    "100/1m, 10, SIX_TO_ONE, 17.1, 56.1",
    "100/1m, 100, SIX_TO_ONE, 76.5, 15.2",
    "600/1m, 2, SINGLY, 0, 0",
    "600/1m, 10, SINGLY, 0, 0",
    "600/1m, 100, SINGLY, 0, 0.1",
    "600/1m, 2, SIX_SPREAD, 0, 0",
    "600/1m, 10, SIX_SPREAD, 0, 0",
    "600/1m, 100, SIX_SPREAD, 0.3, 2.8",
    "600/1m, 2, SIX_TO_ONE, 0, 0",
    "600/1m, 10, SIX_TO_ONE, 0, 0",
    "600/1m, 100, SIX_TO_ONE, 34.2, 57.2",
    "60000/1m, 2, SINGLY, 0, 0",
    "60000/1m, 10, SINGLY, 0, 0",
    "60000/1m, 100, SINGLY, 0, 0",
    "60000/1m, 2, SIX_SPREAD, 0, 0",
    "60000/1m, 10, SIX_SPREAD, 0, 0",
    "60000/1m, 100, SIX_SPREAD, 0, 0",
    "60000/1m, 2, SIX_TO_ONE, 0, 0",
    "60000/1m, 10, SIX_TO_ONE, 0, 0",
    "60000/1m, 100, SIX_TO_ONE, 0, 0"
  })
  void aCallerAtHalfTheLimitIsRefusedSoOften(
      String text, int count, Shape shape, double first, double other) {
    Limit limit = limit(text);
    double perSecond = 1e9 / limit.nanosPerPermit();
    int callers = perSecond > 100 ? 3 : 20;
    Duration during = Duration.ofSeconds(perSecond > 100 ? 10 : perSecond > 15 ? 30 : 300);
    SimulatedNodes nodes =
        new SimulatedNodes(limit, RateLimiter.OnLoss.LOCAL, count, millis(2), callers, 1);
    for (int caller = 0; caller < callers; caller++) {
      shape.send(nodes, perSecond / 2, caller, during);
    }

    nodes.run(during);

    double requests = sum(nodes.keys(), CountedKey::requests);
    assertThat(100 * sum(nodes.keys(), CountedKey::falselyRefusedAtFirst) / requests)
        .isLessThanOrEqualTo(first);
    assertThat(100 * sum(nodes.keys(), CountedKey::falselyRefused) / requests)
        .isLessThanOrEqualTo(other);
  }

  /** One request per millisecond. */
  @ParameterizedTest
  @CsvSource({
    "100/1m, 2, false, 0.95",
    "100/1m, 10, false, 0.95",
    "100/1m, 10, true, 0.85",
    "600/1m, 2, false, 1",
    "600/1m, 10, false, 1",
    "600/1m, 2, true, 0.88",
    "600/1m, 10, true, 0.96"
  })
  void whoTakesItsBurstAtOnceGetsNearlyAllOfItAtOnce(
      String text, int count, boolean spread, double share) {
    Limit limit = limit(text);
    SimulatedNodes nodes = nodes(text, count, 2, 1);
    nodes.send(
        millis(2.0 * limit.burst()),
        nodes.steadily(1000),
        spread ? nodes.eachNodeInTurn() : () -> 0,
        () -> 0);

    nodes.run(Duration.ofMillis(limit.burst()));

    assertThat((double) nodes.key(0).passed()).isGreaterThanOrEqualTo(share * limit.burst());
    nodes.run(Duration.ofMillis(limit.burst()));
    assertThat(nodes.key(0).passed()).isGreaterThanOrEqualTo(nodes.key(0).exactPassed() - 1);
  }

  private static long sum(CountedKey[] keys, ToLongFunction<CountedKey> number) {
    return Arrays.stream(keys).mapToLong(number).sum();
  }

  private static void drainThenUseCredit(
      SimulatedNodes nodes, Limit limit, int floods, double moment) {
    int[] turn = {0};
    nodes.send(
        millis(moment + 300),
        nodes.steadily(Math.max(2000, limit.burst() * 25.0)),
        () -> turn[0]++ % floods,
        () -> 0);
    nodes.run(millis(moment));
    for (int node = floods; node < nodes.nodes(); node++) {
      group(nodes, node, (int) limit.burst(), 0.1);
    }
    nodes.run(millis(400));
  }

  private static void group(SimulatedNodes nodes, int node, int size, double millis) {
    int[] left = {size};
    long gap = (long) (millis * 1e6 / size);
    nodes.send(
        millis(millis + 1),
        last -> --left[0] <= 0 ? Long.MAX_VALUE / 2 : last + gap,
        () -> node,
        () -> 0);
  }

  private static void assertWithin(
      SimulatedNodes nodes, Limit limit, String how, Object... arguments) {
    double most =
        Arrays.stream(nodes.keys()).mapToDouble(CountedKey::mostOverAnyWindow).max().orElseThrow();
    assertThat(most).as(how, arguments).isLessThanOrEqualTo(tolerance(limit, nodes));
  }

  private static double tolerance(Limit limit, SimulatedNodes nodes) {
    // Less than one permit more: buckets hold fractions of permits, too.
    return Math.max(0.05 * limit.count(), nodes.mostNodes() - 1) + 1;
  }

  /** Where the store is lost, nothing passes: what does then is no matter of credit. */
  private static SimulatedNodes nodes(String text, int count, double delay, int keys) {
    return new SimulatedNodes(
        limit(text), RateLimiter.OnLoss.REFUSE, count, millis(delay), keys, 1);
  }

  private static Limit limit(String text) {
    String[] parts = text.split(" burst ", -1);
    Limit limit = Limit.parse(parts[0]);
    return parts.length == 1 ? limit : limit.withBurst(Limit.count(parts[1]));
  }

  private static Duration millis(double millis) {
    return Duration.ofNanos((long) (millis * 1_000_000));
  }
}
