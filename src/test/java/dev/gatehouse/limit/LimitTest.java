package dev.gatehouse.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LimitTest {

  @ParameterizedTest
  @CsvSource({
    "600/1m, 600, PT1M",
    "1/1s, 1, PT1S",
    "1/1d, 1, PT24H",
    "100000000/1s, 100000000, PT1S",
    "100000000/24h, 100000000, PT24H",
    "5/1000ms, 5, PT1S",
    "7/3s, 7, PT3S",
    "007/1s, 7, PT1S",
    "' 600 / 1m ', 600, PT1M",
    "600/1 m, 600, PT1M",
    "1/86400s, 1, PT24H",
  })
  void aLimitIsACountPerDurationAndItsBurstIsItsCount(String text, long count, Duration window) {
    assertThat(Limit.parse(text)).isEqualTo(new Limit(count, window, count));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "/",
        "600",
        "600/",
        "/1m",
        "600/1m/1",
        "600//1m",
        "600/m",
        "600/1",
        "600/1M",
        "600/1min",
        "600/minute",
        "600 per 1m",
        "600:1m",
        "0/1m",
        "-1/1m",
        "+1/1m",
        "1.5/1m",
        "1e3/1m",
        "0x10/1m",
        "1,000/1m",
        "100000001/1m",
        "999999999/1m",
        "9999999999/1m",
        "99999999999999999999999/1m",
        "\u0663/1m",
        "600/0s",
        "600/999ms",
        "600/-1m",
        "600/25h",
        "600/2d",
        "600/86401s",
        "600/86400001ms",
        "600/1500ms",
        "${x}/1m",
        "none",
      })
  void anotherLimitIsRefusedWithWhatWasExpected(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Limit.parse(text))
        .withMessage(
            "COUNT/DURATION with 1 to 100000000 and 1s to 1d in whole seconds, such as 600/1m");
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "100, 100", "007, 7", "100000000, 100000000"})
  void aCountIsANumber(String text, long count) {
    assertThat(Limit.count(text)).isEqualTo(count);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "0",
        "00",
        "-1",
        "+1",
        "1.0",
        "1 ",
        "x",
        "100000001",
        "1000000000",
        "\u0661"
      })
  void anotherCountIsRefusedWithWhatWasExpected(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Limit.count(text))
        .withMessage("a number of 1 to 100000000");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 100, 600, 100_000_000})
  void aBurstReplacesTheCountOnlyAsTheBucketsSize(long burst) {
    assertThat(Limit.parse("600/1m").withBurst(burst))
        .isEqualTo(new Limit(600, Duration.ofMinutes(1), burst));
  }

  @ParameterizedTest
  @CsvSource({
    "100000000/1s, 10",
    "100000000/1d, 864000",
    "1/1s, 1000000000",
    "1/1d, 86400000000000",
    "600/1m, 100000000",
    "3/1s, 333333333.3333333",
  })
  void permitsComeEvenly(String limit, double nanos) {
    assertThat(Limit.parse(limit).nanosPerPermit()).isEqualTo(nanos);
  }

  @Test
  void permitsMayComeFasterThanTheClockTicks() {
    Limit fastest = new Limit(Limit.MOST, Duration.ofNanos(1), 1);

    assertThat(fastest.nanosPerPermit()).isEqualTo(1e-8);
  }

  @ParameterizedTest
  @CsvSource({
    "100000000/1s, 100000000, 1000000000",
    "100000000/1s, 1, 10",
    "100000000/1d, 100000000, 86400000000000",
    "1/1d, 1, 86400000000000",
    "1/1d, 100, 8640000000000000",
    "1/1d, 100000000, 9223372036854775807",
    "600/1m, 600, 60000000000",
    "600/1m, 100, 10000000000",
    "3/1s, 1, 333333334",
    "7/3s, 2, 857142858",
    "7/3s, 7, 3000000000",
  })
  void anEmptyBucketIsFullAfterItsBurstHasComeRoundedUp(String limit, long burst, long nanos) {
    assertThat(Limit.parse(limit).withBurst(burst).nanosToFill()).isEqualTo(nanos);
  }

  @ParameterizedTest
  @CsvSource({
    "600/1m, 600, 1, 30",
    "600/1m, 600, 2, 15",
    "600/1m, 600, 3, 10",
    "600/1m, 600, 4, 7",
    "600/1m, 600, 30, 1",
    "600/1m, 600, 1000, 1",
    "600/1m, 5, 1, 5",
    "600/1m, 5, 10, 3",
    "600/1m, 1, 1, 1",
    "19/1s, 19, 1, 1",
    "20/1s, 20, 1, 1",
    "40/1s, 40, 1, 2",
    "1/1d, 1, 1, 1",
    "1/1d, 100, 1, 1",
    "100000000/1s, 100000000, 1, 5000000",
    "600/1m, 600, 0, 30",
  })
  void creditIsATwentiethOfTheCountSharedByTheNodesAndNeverMoreThanTheBurst(
      String limit, long burst, int nodes, long credit) {
    assertThat(Limit.parse(limit).withBurst(burst).credit(nodes, true)).isEqualTo(credit);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 19, 20, 21, 39, 40, 59, 60, 100, 600, 1_000, 99_999, 100_000_000})
  void theCreditOfAllNodesIsNeverMoreThanFivePercentOrOneForEach(long count) {
    for (long burst : new long[] {1, 3, count, 2 * count}) {
      Limit limit = new Limit(count, Duration.ofSeconds(1), burst);
      for (int nodes = 1; nodes <= 300; nodes++) {
        assertThat(nodes * limit.credit(nodes, true))
            .as("%s with %s nodes", limit, nodes)
            .isBetween((long) nodes, Math.max(nodes, count / 20));
      }
    }
  }
}
