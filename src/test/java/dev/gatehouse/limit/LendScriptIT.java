package dev.gatehouse.limit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.RedisServer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The script that lends permits, in a real Redis. */
class LendScriptIT {

  private static final String KEY = "gatehouse:test";
  private static final String SEEN = "gatehouse:heard";
  private static final String LOW = "gatehouse:low";
  private static final String LOW_UNTIL = "gatehouse:low-until";
  private static final long DAY = 86_400_000_000L;
  private static final long EPOCH_SECONDS = 1_767_225_600L;

  private static RedisServer redis;
  private static String script;
  private static String count;

  @BeforeAll
  static void start() throws IOException {
    redis = RedisServer.start();
    script = script("lend.lua");
    count = script("nodes.lua");
  }

  private static String script(String name) throws IOException {
    try (InputStream in = PermitStore.class.getResourceAsStream(name)) {
      return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @AfterAll
  static void stop() {
    redis.close();
  }

  @BeforeEach
  void empty() {
    redis.command("FLUSHALL");
  }

  /**
   * A permit costs more than this test takes, so that permits are the same whole numbers however
   * the clocks differ; only the time until the next one differs, by at most the time it took.
   */
  @Test
  void itAnswersAsItsTwinInJavaDoes() {
    Random random = new Random(1);
    SharedBuckets twin = new SharedBuckets();
    long[] counts = {1, 20, 90, 140};
    long begun = now();
    for (int call = 0; call < 1500; call++) {
      String node = "n" + random.nextInt(4);
      int nodes = 1 + random.nextInt(120);
      if (random.nextInt(3) == 0) {
        // What is low was told before: all have heard of it, or nobody has.
        long seen = random.nextInt(4) == 0 ? 0 : now();
        List<String> heard = list(node, seen);
        SharedBuckets.News expected =
            twin.beat(node, 1000, new LowBuckets.Question("list", 0, seen, 0, 0), 1000, now());
        assertThat(heard.get(0)).isEqualTo(String.valueOf(expected.nodes()));
        assertThat(heard.get(2)).isEqualTo(String.valueOf(expected.next()));
        assertThat(named(heard)).isEqualTo(expected.low().keySet());
      }
      List<Question> questions = new ArrayList<>();
      int first = random.nextInt(counts.length);
      int last = first + random.nextInt(counts.length - first);
      for (int i = first; i <= last; i++) {
        questions.add(
            new Question(
                KEY + i,
                new Lease.Ask(few(random), few(random), few(random) * random.nextInt(8)),
                (double) DAY / counts[i],
                counts[i] * (1 + random.nextInt(2)),
                Math.max(nodes, counts[i] / 20)));
      }

      List<String> answers = ask(node, nodes, questions);

      long now = now();
      for (int i = 0; i < questions.size(); i++) {
        Question asked = questions.get(i);
        SharedBuckets.Answer expected =
            twin.lend(
                asked.key(),
                node,
                nodes,
                now,
                asked.ask(),
                asked.cost(),
                asked.size(),
                asked.debt());
        assertThat(answers.subList(4 * i, 4 * i + 2))
            .as("call %s, %s by %s of %s", call, asked, node, nodes)
            .containsExactly(String.valueOf(expected.lent()), String.valueOf(expected.left()));
        long slack = now - begun + 2;
        assertThat(Long.parseLong(answers.get(4 * i + 2)))
            .isBetween(expected.microsToOne() - slack, expected.microsToOne() + slack);
        assertThat(Long.parseLong(answers.get(4 * i + 3)))
            .isBetween(expected.microsLow() - slack, expected.microsLow() + slack);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "x",
        "a b c",
        "a b c d e f",
        "1 2 3 4 5",
        "1.000 x 1 1",
        "nan x 1 1 0 0",
        "inf x 1 1 0 0",
        "1e999 x 1 1 0 0",
        "1.2.3 x 1 1 0 0",
        "-5 x 1 1 0 0",
        "0x10 x 1 1 0 0",
        "99999999999999999 x 1 1 0 0 0"
      })
  void aTextThatIsNotOursIsAFullBucket(String text) {
    redis.command("SET", KEY, text);

    assertThat(lend("n1", 0, 0, 4)).containsExactly(4L, 96L, 0L, 0L);
    assertThat(lend("n1", 0, 0, 4)).containsExactly(4L, 92L, 0L, 0L);
  }

  @Test
  void aHashIsReplacedByABucket() {
    redis.command("HSET", KEY, "a", "b");

    assertThat(lend("n1", 0, 0, 4)).containsExactly(4L, 96L, 0L, 0L);
    assertThat(lend("n1", 0, 0, 4)).containsExactly(4L, 92L, 0L, 0L);
  }

  @Test
  void aBucketIsForgottenWhenItIsFullAgain() {
    lend("n1", 0, 0, 25);

    long expected = 25 * DAY / 100 / 1000;
    assertThat(Long.parseLong(redis.command("PTTL", KEY))).isBetween(expected - 60_000, expected);
  }

  @Test
  void aBucketToWhichAllWasGivenBackIsNotKept() {
    lend("n1", 0, 0, 25);
    lend("n1", 26, 0, 0);

    assertThat(redis.command("EXISTS", KEY)).isEqualTo("0");
  }

  @Test
  void aClockThatWentBackLocksNobodyOutForLongerThanTheBucketTakesToFill() {
    long future = now() + 3650 * DAY;
    redis.command("SET", KEY, future + ".000 n2 " + future + " " + future + " 0 0");

    List<Long> answer = lend("n1", 0, 0, 1);

    // One day's count of 100, and at most 5 owed; 6 until there is one.
    assertThat(answer.get(0)).isZero();
    assertThat(answer.get(1)).isEqualTo(-5);
    assertThat(-answer.get(2)).isBetween(6 * DAY / 100 - 60_000_000, 6 * DAY / 100);
    assertThat(Long.parseLong(redis.command("PTTL", KEY))).isLessThanOrEqualTo(105 * DAY / 100_000);
  }

  @Test
  void aNodeThatAsksAloneGetsAllAndOneAmongOthersItsShare() {
    assertThat(lend("n1", 0, 0, 50)).containsExactly(50L, 50L, 0L, 0L);
    // Of what is not kept.
    assertThat(lend("n2", 0, 0, 50).subList(0, 2)).containsExactly(12L, 38L);
  }

  @Test
  void aQuarterIsKeptUntilAllNodesHaveHeardThatHalfIsGone() {
    long begun = now();
    list("n1", begun);
    list("n2", begun);
    assertThat(lend("n1", 0, 0, 90).get(0)).isEqualTo(75);
    assertThat(lend("n1", 0, 0, 90).get(0)).isZero();

    List<String> heard = beat("n1", 5, begun, "news", String.valueOf(begun), 10);
    assertThat(named(heard)).containsExactly(KEY);
    list("n2", now());
    list("n1", now());

    assertThat(lend("n1", 0, 0, 90).get(0)).isEqualTo(25);
  }

  @Test
  void whatIsKeptIsNotShown() {
    list("n1", now());
    lend("n1", 0, 0, 90);

    assertThat(lend("n1", 0, 0, 1).subList(0, 3)).containsExactly(0L, 0L, 0L);
  }

  @Test
  void aBucketOfWhichHalfIsThereAgainIsNotLow() {
    assertThat(lend("n1", 0, 0, 60).get(3)).isPositive();
    assertThat(lend("n1", 20, 0, 0).get(3)).isZero();
  }

  @Test
  void aNodeHearsPageByPage() {
    for (int i = 0; i < 5; i++) {
      ask("n1", 2, List.of(new Question(KEY + i, new Lease.Ask(0, 0, 60), 1e9, 100, 5)));
    }
    for (String order : List.of("list", "news")) {
      Set<String> all = new HashSet<>();
      String from = order.equals("list") ? "0" : String.valueOf(now() - 1_000_000);
      for (int page = 0; page == 0 || (page < 5 && !from.equals("0")); page++) {
        List<String> heard = beat("n1", 5, 0, order, from, 2);
        all.addAll(named(heard));
        from = heard.get(2);
      }
      assertThat(all).as(order).hasSize(5);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {-21_000_000, -11_000_000, 60_000_000})
  void aNodeWhoseNewsAreTooOldOrOfAnotherTimeIsToldToBeginAnew(long ago) {
    lend("n1", 0, 0, 60);

    assertThat(beat("n2", 5, 0, "news", String.valueOf(now() + ago), 10))
        .element(2)
        .isEqualTo("-1");
    assertThat(named(list("n2", 0))).containsExactly(KEY);
  }

  @Test
  void whoHasHeardBeforeTheClockWentBackHasNotHeard() {
    beat("n1", 5, now() + 60_000_000, "list", "0", 10);

    assertThat(lend("n1", 0, 0, 90).get(0)).isEqualTo(75);
    assertThat(lend("n1", 0, 0, 90).subList(0, 2)).containsExactly(0L, 0L);
  }

  @Test
  void aNodeThatSaysFarewellDoesNotCount() {
    list("n1", 0);
    assertThat(list("n2", 0)).element(0).isEqualTo("2");
    assertThat(beat("n2", 0, 0, "news", "0", 0)).element(0).isEqualTo("1");
  }

  /** What a node hears that counts for a while and has heard until then. */
  private static List<String> list(String node, long heard) {
    return beat(node, 1000, heard, "list", "0", 1000);
  }

  private static List<String> beat(
      String node, int seconds, long heard, String order, String from, int most) {
    return redis.list(
        "EVAL",
        count,
        "4",
        "gatehouse:nodes",
        SEEN,
        LOW,
        LOW_UNTIL,
        node,
        String.valueOf(seconds),
        String.valueOf(heard),
        order,
        from,
        String.valueOf(most));
  }

  private static Set<String> named(List<String> news) {
    Set<String> names = new HashSet<>();
    for (int i = 3; i < news.size(); i += 2) {
      names.add(news.get(i));
    }
    return names;
  }

  private record Question(String key, Lease.Ask ask, double cost, long size, long debt) {}

  private static long few(Random random) {
    return random.nextInt(3) == 0 ? random.nextInt(12) : 0;
  }

  /** Of a bucket of 100 per day that two nodes share. */
  private static List<Long> lend(String node, long give, long owed, long want) {
    Question question =
        new Question(KEY, new Lease.Ask(give, owed, want), (double) DAY / 100, 100, 5);
    return ask(node, 2, List.of(question)).stream().map(Long::valueOf).toList();
  }

  private static List<String> ask(String node, int nodes, List<Question> questions) {
    List<String> words = new ArrayList<>(List.of("EVAL", script));
    words.add(String.valueOf(questions.size() + 3));
    words.addAll(List.of(SEEN, LOW, LOW_UNTIL));
    questions.forEach(question -> words.add(question.key()));
    words.add(node);
    words.add(String.valueOf(nodes));
    for (Question question : questions) {
      words.add(String.valueOf(question.ask().give()));
      words.add(String.valueOf(question.ask().owed()));
      words.add(String.valueOf(question.ask().want()));
      words.add(String.valueOf(question.cost()));
      words.add(String.valueOf(question.size()));
      words.add(String.valueOf(question.debt()));
    }
    return redis.list(words.toArray(String[]::new));
  }

  /** In microseconds of the server's clock, as the script counts them. */
  private static long now() {
    List<String> time = redis.list("TIME");
    return (Long.parseLong(time.get(0)) - EPOCH_SECONDS) * 1_000_000 + Long.parseLong(time.get(1));
  }
}
