package dev.gatehouse.limit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.function.IntSupplier;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What many nodes let through together, in virtual time. */
class ScaleSimulationTest {

  private static final Duration LAN = Duration.ofMillis(2);

  /** How one greedy caller sends requests. */
  private enum Greed {
    ROUND_ROBIN {
      @Override
      void send(SimulatedNodes nodes, Limit limit, Duration during) {
        nodes.send(
            during,
            nodes.steadily(greedy(limit)),
            nodes.eachNodeInTurn(),
            ScaleSimulationTest::oneKey);
      }
    },
    ONE_NODE {
      @Override
      void send(SimulatedNodes nodes, Limit limit, Duration during) {
        nodes.send(during, nodes.steadily(greedy(limit)), () -> 0, ScaleSimulationTest::oneKey);
      }
    },
    RANDOM_NODES {
      @Override
      void send(SimulatedNodes nodes, Limit limit, Duration during) {
        nodes.send(
            during, nodes.atRandom(greedy(limit)), nodes.anyNode(), ScaleSimulationTest::oneKey);
      }
    },
    /** A burst to one node after the other. The first ones empty the bucket. */
    BURSTS_TO_STRANGERS {
      @Override
      void send(SimulatedNodes nodes, Limit limit, Duration during) {
        int size = (int) Math.max(20, limit.burst() / 20);
        int[] sent = {0};
        IntSupplier node = () -> sent[0]++ / size % nodes.nodes();
        nodes.send(
            during,
            SimulatedNodes.inBursts(5 * size, Duration.ofMillis(3)),
            node,
            ScaleSimulationTest::oneKey);
      }
    },
    /** One request to each node, so that all hear that there is something, then many to each. */
    FLOODS_AFTER_REST {
      @Override
      void send(SimulatedNodes nodes, Limit limit, Duration during) {
        int all = nodes.nodes();
        long most = Math.min(20_000, Math.max(10L * all, 2 * limit.burst()));
        int flood = (int) (most / all * all);
        Duration rest = Duration.ofMillis(300);
        nodes.send(
            during,
            SimulatedNodes.inBursts(all, rest),
            nodes.eachNodeInTurn(),
            ScaleSimulationTest::oneKey);
        nodes.run(Duration.ofMillis(10));
        SimulatedNodes.Pace pace =
            SimulatedNodes.inBursts(flood, rest.minusNanos((flood - all) * 100L));
        nodes.send(
            during.minusMillis(10), pace, nodes.eachNodeInTurn(), ScaleSimulationTest::oneKey);
      }
    };

    abstract void send(SimulatedNodes nodes, Limit limit, Duration during);
  }

  private static Stream<Arguments> greedyCallers() {
    return Stream.of(
            "20/1s",
            "100/1m",
            "600/1m",
            "60000/1m",
            "20000/1s",
            "600/1m burst 10",
            "60000/1m burst 100",
            "20000/1s burst 1000")
        .flatMap(
            limit ->
                Stream.of(2, 10, 100)
                    .flatMap(
                        nodes ->
                            Arrays.stream(Greed.values())
                                .map(greed -> Arguments.of(limit, nodes, greed))));
  }

  @ParameterizedTest
  @MethodSource("greedyCallers")
  void nobodyGetsMoreThanTheLimitAndItsTolerance(String text, int count, Greed greed) {
    Limit limit = limit(text);
    SimulatedNodes nodes = nodes(limit, count, LAN);

    Duration during = during(limit);
    greed.send(nodes, limit, during);
    nodes.run(during);

    // Enough to have been over it.
    assertThat(nodes.key(0).passed()).isGreaterThanOrEqualTo(limit.burst() / 3);
    assertThat(nodes.key(0).mostOverAnyWindow()).isLessThanOrEqualTo(tolerance(limit, nodes));
  }

  @ParameterizedTest
  @CsvSource({
    "600/1m, 10, 0.2", "600/1m, 100, 20", "60000/1m, 100, 0.2", "60000/1m, 100, 20",
    "20000/1s, 10, 0.2", "20000/1s, 10, 20", "20000/1s, 100, 20", "20/1s, 100, 20"
  })
  void theToleranceIsTheSameHoweverFarTheStoreIs(String text, int count, double millis) {
    Limit limit = limit(text);
    SimulatedNodes nodes = nodes(limit, count, millis(millis));

    Duration during = during(limit);
    Greed.BURSTS_TO_STRANGERS.send(nodes, limit, during);
    Greed.RANDOM_NODES.send(nodes, limit, during);
    nodes.run(during);

    assertThat(nodes.key(0).mostOverAnyWindow()).isLessThanOrEqualTo(tolerance(limit, nodes));
  }

  /** What was lent before has already been refilled: it comes on top, in a short span. */
  @ParameterizedTest
  @CsvSource({
    "20/1s, 2",
    "20/1s, 10",
    "600/1m, 10",
    "600/1m, 100",
    "60000/1m, 10",
    "60000/1m, 100",
    "20000/1s, 2",
    "20000/1s, 10",
    "20000/1s, 100"
  })
  void afterACalmTimeAFloodGetsNoMoreThanWhatWasLentBesides(String text, int count) {
    Limit limit = limit(text);
    SimulatedNodes nodes = nodes(limit, count, LAN);
    Duration calm = Duration.ofSeconds(perSecond(limit) > 5000 ? 2 : 5);
    nodes.send(
        calm, nodes.atRandom(0.8 * perSecond(limit)), nodes.anyNode(), ScaleSimulationTest::oneKey);
    nodes.run(calm);

    nodes.send(
        Duration.ofSeconds(2),
        nodes.steadily(greedy(limit)),
        nodes.eachNodeInTurn(),
        ScaleSimulationTest::oneKey);
    nodes.run(Duration.ofSeconds(2));

    double tolerance = tolerance(limit, nodes);
    double lent = perSecond(limit) * Math.min(1, limit.window().toMillis() / 16_000.0);
    assertThat(nodes.key(0).mostOver()).isLessThanOrEqualTo(tolerance);
    assertThat(nodes.key(0).mostOverAnyWindow()).isLessThanOrEqualTo(tolerance + lent);
  }

  @ParameterizedTest
  @CsvSource({
    "20/1s, 2, 2",
    "20/1s, 10, 2",
    "600/1m, 2, 2",
    "600/1m, 10, 20",
    "600/1m, 100, 2",
    "60000/1m burst 1000, 10, 2",
    "60000/1m burst 1000, 100, 2",
    "20000/1s, 2, 20",
    "20000/1s, 10, 2",
    "20000/1s, 100, 0.2",
    "20000/1s, 100, 20"
  })
  void aLimitIsUsedByWhoeverWantsTwiceAsMuch(String text, int count, double millis) {
    Limit limit = limit(text);
    SimulatedNodes nodes = nodes(limit, count, millis(millis));
    Duration warmUp = Duration.ofMillis((long) (limit.burst() / perSecond(limit) * 1500) + 1000);
    Duration measured = Duration.ofSeconds(perSecond(limit) > 5000 ? 2 : 20);
    nodes.send(
        warmUp.plus(measured),
        nodes.steadily(2 * perSecond(limit)),
        nodes.eachNodeInTurn(),
        ScaleSimulationTest::oneKey);
    nodes.run(warmUp);
    long before = nodes.key(0).passed();

    nodes.run(measured);

    assertThat(nodes.key(0).passed() - before)
        .isGreaterThanOrEqualTo((long) (0.9 * perSecond(limit) * measured.toSeconds()));
  }

  @ParameterizedTest
  @CsvSource({
    "100/1m, 100, 0.002", "600/1m, 2, 0.001", "600/1m, 10, 0.001", "600/1m, 100, 0.001",
    "60000/1m, 10, 0.001", "60000/1m, 100, 0.001", "20000/1s, 10, 0.001", "20000/1s, 100, 0.001"
  })
  void aCallerAtHalfTheLimitIsHardlyEverRefused(String text, int count, double share) {
    Limit limit = limit(text);
    int callers = perSecond(limit) > 100 ? 1 : 20;
    SimulatedNodes nodes = nodes(limit, count, LAN, callers);
    Duration during = Duration.ofSeconds(perSecond(limit) > 100 ? 3 : 120);
    for (int i = 0; i < callers; i++) {
      int caller = i;
      nodes.send(during, nodes.atRandom(0.5 * perSecond(limit)), nodes.anyNode(), () -> caller);
    }

    nodes.run(during);

    long requests = sum(nodes, CountedKey::requests);
    long refused = sum(nodes, key -> key.falselyRefused() + key.falselyRefusedAtFirst());
    assertThat(refused).isLessThanOrEqualTo((long) (share * requests));
  }

  @ParameterizedTest
  @CsvSource({"1000/1s, 2", "600/1m, 2", "600/1m, 10", "60000/1m, 100"})
  void whatANodeDoesNotUseAnotherOneGets(String text, int count) {
    Limit limit = limit(text);
    SimulatedNodes nodes = nodes(limit, count, LAN);
    nodes.send(Duration.ofMillis(20), nodes.steadily(1000), () -> 0, ScaleSimulationTest::oneKey);
    nodes.run(Duration.ofSeconds(2));
    long before = nodes.key(0).passed();

    Duration flood = Duration.ofSeconds(1);
    nodes.send(flood, nodes.steadily(3.0 * limit.burst()), () -> 1, ScaleSimulationTest::oneKey);
    nodes.run(flood);

    long there = limit.burst() - Math.max(0, before - (long) (2 * perSecond(limit)));
    assertThat(nodes.key(0).passed() - before).isGreaterThanOrEqualTo(there);
  }

  @ParameterizedTest
  @CsvSource({"600/1m, 10", "600/1m, 100", "60000/1m, 100", "20000/1s, 10"})
  void nodesMayComeAndGo(String text, int count) {
    Limit limit = limit(text);
    SimulatedNodes nodes = nodes(limit, count, LAN);
    // Each one that goes is replaced, with an empty memory.
    nodes.every(
        Duration.ofMillis(700),
        () -> {
          nodes.vanish(nodes.random().nextInt(nodes.nodes()));
          nodes.join();
        });
    Duration during = Duration.ofSeconds(perSecond(limit) > 5000 ? 3 : 30);
    Greed.RANDOM_NODES.send(nodes, limit, during);
    nodes.run(during);

    assertThat(nodes.key(0).passed()).isGreaterThanOrEqualTo(limit.burst());
    assertThat(nodes.key(0).mostOverAnyWindow()).isLessThanOrEqualTo(tolerance(limit, nodes));
  }

  @ParameterizedTest
  @CsvSource({"LOCAL, 1000, 3100", "ALLOW, 3900, 4100", "REFUSE, 0, 0"})
  void aLostStoreIsAnsweredAsItIsSet(RateLimiter.OnLoss onLoss, long least, long most) {
    Limit limit = limit("200/1s");
    SimulatedNodes nodes = new SimulatedNodes(limit, onLoss, 10, LAN, 1, 1);
    nodes.send(
        Duration.ofSeconds(20),
        nodes.steadily(4000),
        nodes.eachNodeInTurn(),
        ScaleSimulationTest::oneKey);
    nodes.run(Duration.ofSeconds(2));
    nodes.stopStore();
    nodes.run(Duration.ofSeconds(2));
    long before = nodes.key(0).passed();

    nodes.run(Duration.ofSeconds(1));

    assertThat(nodes.key(0).passed() - before).isBetween(least, most);
  }

  @ParameterizedTest
  @CsvSource({
    "LOCAL, false",
    "LOCAL, true",
    "ALLOW, false",
    "ALLOW, true",
    "REFUSE, false",
    "REFUSE, true"
  })
  void theLimitHoldsAgainWhenTheStoreIsBack(RateLimiter.OnLoss onLoss, boolean forgetful) {
    Limit limit = limit("200/1s");
    SimulatedNodes nodes = new SimulatedNodes(limit, onLoss, 10, LAN, 1, 1);
    nodes.send(
        Duration.ofSeconds(20),
        nodes.steadily(4000),
        nodes.eachNodeInTurn(),
        ScaleSimulationTest::oneKey);
    nodes.run(Duration.ofSeconds(2));
    nodes.stopStore();
    nodes.run(Duration.ofSeconds(3));
    nodes.startStore(forgetful);
    nodes.run(Duration.ofSeconds(1));
    assertThat(nodes.anyNodeIsWithoutStore()).isFalse();
    long before = nodes.key(0).passed();

    nodes.run(Duration.ofSeconds(5));

    assertThat(nodes.key(0).passed() - before)
        .isBetween((long) (0.9 * 5 * 200), (long) (5 * 200 + tolerance(limit, nodes)));
  }

  /** Two million requests per second, by callers of whom a few send most. */
  @Test
  void aHundredNodesWithTwentyThousandRequestsPerSecondEach() {
    Limit limit = limit("20000/1s");
    int callers = 200;
    SimulatedNodes nodes = nodes(limit, 100, LAN, callers);
    int[] popular = zipf(callers);
    int[] sent = {0};
    IntSupplier caller = () -> popular[sent[0]++ % popular.length];
    nodes.send(Duration.ofSeconds(1), nodes.steadily(2_000_000), nodes.anyNode(), caller);

    nodes.run(Duration.ofSeconds(1));

    double tolerance = tolerance(limit, nodes);
    assertThat(nodes.keys())
        .allSatisfy(
            key -> {
              assertThat(key.mostOverAnyWindow()).isLessThanOrEqualTo(tolerance);
              assertThat(key.passed()).isGreaterThan((long) (0.9 * key.exactPassed()));
            });
    assertThat(nodes.questions()).isLessThan(550_000);
    assertThat(nodes.batches()).isLessThan(27_000);
    assertThat(nodes.beats()).isLessThan(4_200);
  }

  private static int oneKey() {
    return 0;
  }

  private static int[] zipf(int callers) {
    double[] upTo = new double[callers];
    double sum = 0;
    for (int i = 0; i < callers; i++) {
      sum += 1.0 / (i + 1);
      upTo[i] = sum;
    }
    Random random = new Random(1);
    int[] drawn = new int[1 << 18];
    for (int i = 0; i < drawn.length; i++) {
      int found = Arrays.binarySearch(upTo, random.nextDouble() * sum);
      drawn[i] = Math.min(callers - 1, found < 0 ? -found - 1 : found);
    }
    return drawn;
  }

  private static long sum(SimulatedNodes nodes, ToLongFunction<CountedKey> number) {
    return Arrays.stream(nodes.keys()).mapToLong(number).sum();
  }

  private static SimulatedNodes nodes(Limit limit, int count, Duration delay) {
    return nodes(limit, count, delay, 1);
  }

  private static SimulatedNodes nodes(Limit limit, int count, Duration delay, int keys) {
    return new SimulatedNodes(limit, RateLimiter.OnLoss.LOCAL, count, delay, keys, 1);
  }

  /**
   * @param text such as {@code 600/1m burst 10}
   */
  private static Limit limit(String text) {
    String[] parts = text.split(" burst ", -1);
    Limit limit = Limit.parse(parts[0]);
    return parts.length == 1 ? limit : limit.withBurst(Limit.count(parts[1]));
  }

  private static double perSecond(Limit limit) {
    return 1e9 / limit.nanosPerPermit();
  }

  /** So much that the bucket is soon empty, and stays so. */
  private static double greedy(Limit limit) {
    return Math.max(3 * perSecond(limit), limit.burst() / 2.0);
  }

  /** Shorter where there are more requests. */
  private static Duration during(Limit limit) {
    return Duration.ofSeconds(perSecond(limit) > 5000 ? 2 : perSecond(limit) > 500 ? 4 : 60);
  }

  private static Duration millis(double millis) {
    return Duration.ofNanos((long) (millis * 1_000_000));
  }

  private static double tolerance(Limit limit, SimulatedNodes nodes) {
    // What is counted in doubles is not exact.
    return Math.max(0.05 * limit.count(), nodes.mostNodes() - 1) + 0.001;
  }
}
