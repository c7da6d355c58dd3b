package dev.gatehouse.proxy;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BodyWriterTest {

  /** N for a line feed, R for a carriage return. */
  @ParameterizedTest
  @CsvSource({
    "data: xNN, true",
    "data: xRR, true",
    "data: xRNRN, true",
    "data: xNRN, true",
    "data: x, false",
    "data: xN, false",
    "data: xR, false",
    "data: xRN, false",
    "data: xRNR, false",
    "data: xNNx, false",
  })
  void aCommentMayFollowAnEmptyLineOnly(String stream, boolean mayFollow) {
    int tail = 0;
    for (byte b : stream.replace('N', '\n').replace('R', '\r').getBytes(US_ASCII)) {
      tail = (tail << 8) | b;
    }

    assertThat(BodyWriter.endsEvent(tail)).isEqualTo(mayFollow);
  }
}
