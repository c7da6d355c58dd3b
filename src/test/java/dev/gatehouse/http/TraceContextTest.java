package dev.gatehouse.http;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TraceContextTest {

  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final String PARENT = "00f067aa0ba902b7";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "00-" + TRACE + "-" + PARENT + "-01",
        "00-" + TRACE + "-" + PARENT + "-00",
        "00-" + TRACE + "-" + PARENT + "-ff",
        "00-00000000000000000000000000000001-0000000000000001-00",
        "01-" + TRACE + "-" + PARENT + "-01",
        "cc-" + TRACE + "-" + PARENT + "-01-what-comes-later",
        "fe-" + TRACE + "-" + PARENT + "-01-",
      })
  void aParentOfThisOrALaterVersionIsContinued(String value) {
    assertThat(TraceContext.isValid(value)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "00",
        "00-" + TRACE + "-" + PARENT,
        "00-" + TRACE + "-" + PARENT + "-0",
        "00-" + TRACE + "-" + PARENT + "-01-more",
        "00-" + TRACE + "-" + PARENT + "-010",
        "cc-" + TRACE + "-" + PARENT + "-01.more",
        "ff-" + TRACE + "-" + PARENT + "-01",
        "00-00000000000000000000000000000000-" + PARENT + "-01",
        "00-" + TRACE + "-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + PARENT + "-01",
        "00-" + TRACE + "-00F067AA0BA902B7-01",
        "0X-" + TRACE + "-" + PARENT + "-01",
        "00-" + TRACE + "-" + PARENT + "-0g",
        "00_" + TRACE + "_" + PARENT + "_01",
        " 00-" + TRACE + "-" + PARENT + "-01",
        "00-" + TRACE + "-" + PARENT + "-01 ",
        "00-" + TRACE + "-" + PARENT + "-01\r\nX: y",
        "00-g bf92f3577b34da6a3ce929d0e0e4736-" + PARENT + "-01",
      })
  void anythingElseIsNot(String value) {
    assertThat(TraceContext.isValid(value)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"0, 0, 0", "-1, -1, -1", "1, 2, 3", "-9223372036854775808, 0, 0"})
  void aNewTraceIsValidAndNotSampled(long high, long low, long parent) {
    String begun = TraceContext.begin(high, low, parent);

    assertThat(TraceContext.isValid(begun)).isTrue();
    assertThat(begun).startsWith("00-").endsWith("-00");
  }

  @Test
  void sixteenDigitsAreLowerCaseAndPadded() {
    assertThat(TraceContext.hex(0)).isEqualTo("0000000000000000");
    assertThat(TraceContext.hex(-1)).isEqualTo("ffffffffffffffff");
    assertThat(TraceContext.hex(0x0123456789abcdefL)).isEqualTo("0123456789abcdef");
  }
}
