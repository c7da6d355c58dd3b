package dev.gatehouse.limit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.RedisServer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The script that lends permits, in a real Redis. */
class LendScriptIT {

  private static final String KEY = "gatehouse:test";
  private static final long DAY = 86_400_000_000L;
  private static final long EPOCH_SECONDS = 1_767_225_600L;

  private static RedisServer redis;
  private static String script;

  @BeforeAll
  static void start() throws IOException {
    redis = RedisServer.start();
    try (InputStream in = PermitStore.class.getResourceAsStream("lend.lua")) {
      script = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
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
        assertThat(answers.subList(3 * i, 3 * i + 2))
            .as("call %s, %s by %s of %s", call, asked, node, nodes)
            .containsExactly(String.valueOf(expected.lent()), String.valueOf(expected.left()));
        assertThat(Long.parseLong(answers.get(3 * i + 2)))
            .isBetween(
                expected.microsToOne() - (now - begun) - 2,
                expected.microsToOne() + (now - begun) + 2);
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
        "a b c d",
        "1 2 3",
        "nan x 1 1",
        "inf x 1 1",
        "1e999 x 1 1",
        "1.2.3 x 1 1",
        "-5 x 1 1",
        "0x10 x 1 1"
      })
  void aTextThatIsNotOursIsAFullBucket(String text) {
    redis.command("SET", KEY, text);

    assertThat(lend("n1", 0, 0, 4)).containsExactly(4L, 96L, 0L);
    assertThat(lend("n1", 0, 0, 4)).containsExactly(4L, 92L, 0L);
  }

  @Test
  void aHashIsReplacedByABucket() {
    redis.command("HSET", KEY, "a", "b");

    assertThat(lend("n1", 0, 0, 4)).containsExactly(4L, 96L, 0L);
    assertThat(lend("n1", 0, 0, 4)).containsExactly(4L, 92L, 0L);
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
    redis.command("SET", KEY, future + ".000 n2 " + future + " " + future);

    List<Long> answer = lend("n1", 0, 0, 1);

    // One day's count of 100, and at most 5 owed; 6 until there is one.
    assertThat(answer.get(0)).isZero();
    assertThat(answer.get(1)).isEqualTo(-5);
    assertThat(answer.get(2)).isBetween(6 * DAY / 100 - 60_000_000, 6 * DAY / 100);
    assertThat(Long.parseLong(redis.command("PTTL", KEY))).isLessThanOrEqualTo(105 * DAY / 100_000);
  }

  @Test
  void aNodeThatAsksAloneGetsAllAndOneAmongOthersItsShare() {
    assertThat(lend("n1", 0, 0, 50)).containsExactly(50L, 50L, 0L);
    assertThat(lend("n2", 0, 0, 50)).containsExactly(25L, 25L, 0L);
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
    words.add(String.valueOf(questions.size()));
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
