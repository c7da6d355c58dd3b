package dev.gatehouse.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrailerFieldsTest {

  @ParameterizedTest
  @ValueSource(strings = {"X-Sum", "grpc-status", "Digest", "ETag", "Server-Timing", "x-used"})
  void whatTellsOfTheBodyIsPassedOn(String name) {
    assertThat(TrailerFields.passed(Map.of(name, "1"))).containsExactly(Map.entry(name, "1"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length",
        "transfer-encoding",
        "Host",
        "Connection",
        "Trailer",
        "TE",
        "Authorization",
        "Cookie",
        "Set-Cookie",
        "Content-Type",
        "Content-Encoding",
        "Cache-Control",
        "If-Match",
        "X-User-Id",
        "x_user_scopes",
        "X-Gateway",
        "X-Forwarded-For",
        "X-Request-Id",
      })
  void whatMustBeKnownBeforeTheBodyIsNot(String name) {
    assertThat(TrailerFields.passed(Map.of(name, "1", "X-Sum", "2")))
        .containsExactly(Map.entry("X-Sum", "2"));
  }

  @Test
  void theOrderIsKept() {
    Map<String, String> received = new LinkedHashMap<>();
    received.put("z", "1");
    received.put("a", "2");

    assertThat(TrailerFields.passed(received)).containsExactlyEntriesOf(received);
  }

  @Test
  void tooLongOnesAreLeftOutTogether() {
    assertThat(TrailerFields.passed(Map.of("a", "1", "b", "x".repeat(3_100)))).isEmpty();
    assertThat(TrailerFields.passed(Map.of("a", "1", "b", "x".repeat(3_000)))).hasSize(2);
  }
}
