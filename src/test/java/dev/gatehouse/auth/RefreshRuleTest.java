package dev.gatehouse.auth;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.config.Quantity;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RefreshRuleTest {

  private static RefreshRule rule(String interval) {
    return new RefreshRule(Quantity.duration(interval), Duration.ofHours(24));
  }

  @ParameterizedTest
  @CsvSource({
    "30s, 0ms, false",
    "30s, 29999ms, false",
    "30s, 30s, true",
    "30s, 3650d, true",
    "1ms, 0ms, false",
    "1ms, 1ms, true",
  })
  void betweenTwoFetchesLiesTheInterval(String interval, String sinceLast, boolean may) {
    assertThat(rule(interval).mayFetch(Quantity.duration(sinceLast))).isEqualTo(may);
  }

  @ParameterizedTest
  @CsvSource({
    // Ten intervals, five minutes at most, but never less than one interval.
    "30s, 0ms, 5m",
    "30s, 1m, 4m",
    "30s, 5m, 0ms",
    "30s, 6m, 0ms",
    "10s, 0ms, 100s",
    "1s, 4s, 6s",
    "1ms, 0ms, 10ms",
    "31s, 0ms, 5m",
    "1m, 0ms, 5m",
    "5m, 0ms, 5m",
    "6m, 0ms, 6m",
    "1h, 10m, 50m",
    "3650d, 1d, 3649d",
  })
  void aSetIsFetchedAnewWhileAllGoesWell(String interval, String sinceLast, String left) {
    assertThat(rule(interval).untilNext(Quantity.duration(sinceLast), false))
        .isEqualTo(Quantity.duration(left));
  }

  @ParameterizedTest
  @CsvSource({
    "30s, 0ms, 30s",
    "30s, 29999ms, 1ms",
    "30s, 30s, 0ms",
    "30s, 24h, 0ms",
    "1h, 10m, 50m",
    "1ms, 0ms, 1ms",
  })
  void aSetThatIsWantedSoonIsFetchedWhenTheIntervalIsOver(
      String interval, String sinceLast, String left) {
    assertThat(rule(interval).untilNext(Quantity.duration(sinceLast), true))
        .isEqualTo(Quantity.duration(left));
  }

  @ParameterizedTest
  @CsvSource({
    "24h, 0ms, 24h",
    "24h, 1h, 23h",
    "24h, 86399999ms, 1ms",
    "24h, 24h, 0ms",
    "24h, 3650d, 0ms",
    "1ms, 2ms, 0ms",
  })
  void aSetServesOnForATime(String maxStale, String stale, String left) {
    assertThat(
            new RefreshRule(Duration.ofSeconds(30), Quantity.duration(maxStale))
                .servesFor(Quantity.duration(stale)))
        .isEqualTo(Quantity.duration(left));
  }
}
