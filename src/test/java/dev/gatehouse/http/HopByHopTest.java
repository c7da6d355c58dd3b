package dev.gatehouse.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HopByHopTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "connection",
        "keep-alive",
        "proxy-connection",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "transfer-encoding",
        "upgrade",
      })
  void fieldsOfOneConnectionAreAlwaysLeftOut(String name) {
    assertThat(HopByHop.of(List.of()).contains(name)).isTrue();
    assertThat(HopByHop.of(List.of("close")).contains(name)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "authorization",
        "cookie",
        "set-cookie",
        "content-type",
        "content-length",
        "content-encoding",
        "host",
        "expect",
        "www-authenticate",
        "via",
        "x-user-id",
        "",
      })
  void otherFieldsAreKept(String name) {
    assertThat(HopByHop.of(List.of()).contains(name)).isFalse();
    assertThat(HopByHop.of(List.of("close", "keep-alive")).contains(name)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "X-Mine",
        "x-mine",
        "X-MINE",
        "close, X-Mine",
        "X-Mine,close",
        ",,X-Mine,,",
        "  X-Mine\t,\tother ",
      })
  void aFieldNamedInConnectionIsLeftOutInAnyCase(String connection) {
    HopByHop fields = HopByHop.of(List.of(connection));

    assertThat(fields.contains("x-mine")).isTrue();
    assertThat(fields.contains("x-min")).isFalse();
    assertThat(fields.contains("")).isFalse();
  }

  @Test
  void allLinesOfConnectionCount() {
    HopByHop fields = HopByHop.of(List.of("a", "b, c", ""));

    assertThat(fields.contains("a")).isTrue();
    assertThat(fields.contains("b")).isTrue();
    assertThat(fields.contains("c")).isTrue();
  }

  @Test
  void whatSaysWhereAMessageGoesOrEndsCannotBeNamedAway() {
    HopByHop fields = HopByHop.of(List.of("Host, Content-Length, hOST, CONTENT-length"));

    assertThat(fields.contains("host")).isFalse();
    assertThat(fields.contains("content-length")).isFalse();
  }
}
