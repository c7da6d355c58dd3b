package dev.gatehouse.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import org.eclipse.jetty.http.HttpFields;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeliveryTest {

  @ParameterizedTest
  @CsvSource({
    "text/event-stream, true, true, true",
    "Text/Event-Stream;charset=utf-8, true, true, true",
    "text/event-streams, false, false, false",
    "application/x-ndjson, true, false, false",
    "application/ndjson ; charset=utf-8, true, false, false",
    "application/json-seq, true, false, false",
    "multipart/x-mixed-replace;boundary=a, true, false, false",
    "application/json, false, false, false",
    "application/octet-stream, false, false, false",
  })
  void whoWaitsForPartsGetsThemAtOnce(
      String type, boolean inParts, boolean quiet, boolean heartbeats) {
    assertThat(Delivery.of(HttpFields.build().add("Content-Type", type), true))
        .isEqualTo(new Delivery(inParts, quiet, heartbeats));
  }

  @Test
  void aServiceMayAskForIt() {
    HttpFields fields =
        HttpFields.build().add("Content-Type", "text/plain").add("X-Accel-Buffering", "no");

    assertThat(Delivery.of(fields, true)).isEqualTo(new Delivery(true, false, false));
  }

  @ParameterizedTest
  @CsvSource({"Content-Length, 7", "Content-Encoding, gzip"})
  void nothingIsAddedToWhatIsCountedOrCoded(String field, String value) {
    HttpFields fields =
        HttpFields.build().add("Content-Type", "text/event-stream").add(field, value);

    assertThat(Delivery.of(fields, true)).isEqualTo(new Delivery(true, true, false));
  }

  @Test
  void whatHasNoBodyHasNoParts() {
    HttpFields fields = HttpFields.build().add("Content-Type", "text/event-stream");

    assertThat(Delivery.of(fields, false)).isEqualTo(new Delivery(false, false, false));
    assertThat(Delivery.of(HttpFields.EMPTY, true)).isEqualTo(new Delivery(false, false, false));
  }
}
