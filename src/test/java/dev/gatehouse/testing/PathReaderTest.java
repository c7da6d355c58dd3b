package dev.gatehouse.testing;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PathReaderTest {
  @ParameterizedTest
  @CsvSource({
    "/a/../b, /b",
    "/a/./b/, /a/b",
    "//a///b, /a/b",
    "/a;x=y/b;z, /a/b",
    "/a/..;x/b, /b",
    "/a;/../b, /b",
    "/a\\..\\b, /b",
    "/a/%2e%2E/b, /b",
    "/a%2f..%2Fb, /b",
    "/a/..%5cb, /b",
    "/a/..%3bx/b, /b",
    "/a/..;x%2fb, /b",
    "/a/%c0%ae%c0%ae/b, /b",
    "/a/%e0%80%ae./b, /b",
    "/a/%f0%80%80%ae./b, /b",
    "/a/..%c0%afb, /b",
    "/a/..%e0%80%afb, /b",
    "/a/..%c1%9cb, /b",
    "/a/../../b, /../b",
    "/a/../b?c/../d, /b",
    "/a/../b#c/../d, /b",
    "/a%zz/%, /a%zz/%",
  })
  void whoDecodesOnceMayTakeItFor(String target, String path) {
    assertThat(PathReader.DECODING_ONCE.readings(target)).contains(path);
    assertThat(PathReader.DECODING_AGAIN.readings(target)).contains(path);
  }

  @ParameterizedTest
  @CsvSource({
    "/a/%252e%252e/b, /b",
    "/a/%25252e./b, /b",
    "/a/..%252fb, /b",
    "/a/..%255cb, /b",
    "/a/..%253bx/b, /b",
    "/a/%%32%65./b, /b",
  })
  void onlyWhoDecodesAgainMayTakeItFor(String target, String path) {
    assertThat(PathReader.DECODING_ONCE.readings(target)).doesNotContain(path);
    assertThat(PathReader.DECODING_AGAIN.readings(target)).contains(path);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/a", "/a/", "/a/b", "/a/b/..", "/a//b", "/a;x/b", "/a/...", "/a/%25"})
  void theseStayBelow(String target) {
    assertThat(PathReader.DECODING_AGAIN.staysBelow("/a", target)).isTrue();
    assertThat(PathReader.DECODING_AGAIN.staysBelow("", target)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/", "/b", "/ab", "/A", "/a/..", "/a/../a/../b", "/a/b;%2f/%2e%2e/..", "*"})
  void theseDoNot(String target) {
    assertThat(PathReader.DECODING_AGAIN.staysBelow("/a", target)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/a", "/...", "/..a", "/a/.."})
  void everythingElseIsBelowTheRoot(String target) {
    assertThat(PathReader.DECODING_AGAIN.staysBelow("", target)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/..", "/../a", "/a/../../a", "/%2e%2e/a", "/..;/a", "\\..\\a"})
  void nothingIsAboveTheRoot(String target) {
    assertThat(PathReader.DECODING_ONCE.staysBelow("", target)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "/a, false",
    "/a/b, false",
    "//a, false",
    "/b/../a, false",
    "/%61, false",
    "/ab, true",
    "/b/a, true",
    "/A, true",
  })
  void aPathIsAvoided(String target, boolean avoided) {
    assertThat(PathReader.DECODING_AGAIN.avoids("/a", target)).isEqualTo(avoided);
  }
}
