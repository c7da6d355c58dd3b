package dev.gatehouse;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;

/** Compares bodies that are too long to be shown. */
final class Bodies {
  private Bodies() {}

  static void assertSameBytes(byte[] actual, byte[] expected) {
    assertThat(actual.length).as("bytes that arrived").isEqualTo(expected.length);
    assertThat(Arrays.mismatch(actual, expected)).as("first byte that differs").isEqualTo(-1);
  }
}
