package dev.gatehouse.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QuantityTest {

  @ParameterizedTest
  @CsvSource({
    "0s, PT0S",
    "1ms, PT0.001S",
    "500ms, PT0.5S",
    "30s, PT30S",
    "90s, PT1M30S",
    "1m, PT1M",
    "24h, PT24H",
    "7d, PT168H",
    "3650d, PT87600H",
    "' 30s ', PT30S",
    "007s, PT7S",
  })
  void aDurationHasAUnit(String text, Duration duration) {
    assertThat(Quantity.duration(text)).isEqualTo(duration);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "30",
        "s",
        "-1s",
        "+1s",
        "1.5s",
        "1,5s",
        "1e3s",
        "0x1s",
        "30S",
        "30sec",
        "30 seconds",
        "1m30s",
        "PT30S",
        "1w",
        "1y",
        "1M",
        "1us",
        "1ns",
        "30s,",
        "30s;",
        "${x}s",
        "\u0663s",
        "3651d",
        "87601h",
        "999999999999d",
        "9999999999999999999999s",
        "none",
        "infinite",
      })
  void anotherDurationIsRefusedWithWhatWasExpected(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Quantity.duration(text))
        .withMessageContaining("duration")
        .withMessageContaining("30s");
  }

  @ParameterizedTest
  @CsvSource({
    "0B, 0",
    "1B, 1",
    "1KiB, 1024",
    "64KiB, 65536",
    "10MiB, 10485760",
    "3GiB, 3221225472",
    "8589934591GiB, 9223372035781033984",
    "' 64KiB ', 65536",
  })
  void aSizeHasAUnit(String text, long bytes) {
    assertThat(Quantity.size(text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "64",
        "KiB",
        "-1KiB",
        "1.5MiB",
        "64KB",
        "64kB",
        "64K",
        "64k",
        "64kib",
        "64KIB",
        "1M",
        "1TiB",
        "1b",
        "8589934592GiB",
        "999999999999GiB",
        "99999999999999999999B",
      })
  void anotherSizeIsRefusedWithWhatWasExpected(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Quantity.size(text))
        .withMessageContaining("size")
        .withMessageContaining("64KiB");
  }
}
