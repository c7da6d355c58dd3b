package dev.gatehouse.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The keys of requests are tested with real servers. */
class LimitKeyTest {

  private static final String LONGEST_NAME = "x".repeat(64);

  @ParameterizedTest
  @ValueSource(
      strings = {
        "caller",
        "address",
        "service",
        "header:X-Api-Key",
        "header:x",
        "header:!#$%&'*.^_`|~-09azAZ",
        "caller+service",
        "address+service",
        "caller+address+service+header:A+header:B",
        " caller + service ",
        "caller+caller",
      })
  void aKeyIsMadeOfItsParts(String text) {
    assertThatCode(() -> LimitKey.parse(text)).doesNotThrowAnyException();
  }

  @Test
  void aHeadersNameIsNotLongerThanItNeedsToBe() {
    assertThatCode(() -> LimitKey.parse("header:" + LONGEST_NAME)).doesNotThrowAnyException();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LimitKey.parse("header:" + LONGEST_NAME + "x"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "+",
        "caller+",
        "+caller",
        "caller++service",
        "caller,service",
        "caller service",
        "Caller",
        "ip",
        "host",
        "route",
        "header",
        "header:",
        "header: X-Api-Key",
        "header:X Api",
        "header:X:Y",
        "header:X/Y",
        "header:\"X\"",
        "header:X\nY",
        "header:\u00e9",
        "Header:X",
        "caller+nobody",
        "nobody+caller",
      })
  void anotherKeyIsRefusedWithWhatWasExpected(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LimitKey.parse(text))
        .withMessage("caller, address, service, header:<name>, or several of them with +");
  }

  @Test
  void noTwoKeysHaveTheSameHash() {
    Set<String> hashes = new HashSet<>();
    int keys = 0;
    for (int i = 0; i < 50_000; i++) {
      for (String key : new String[] {"c" + i, "a" + i, "c" + i + "\n", "\nc" + i}) {
        hashes.add(LimitKey.hash(key));
        keys++;
      }
    }

    assertThat(hashes).hasSize(keys);
  }

  @ParameterizedTest
  @CsvSource({"'', 0", "x, 0", "alice, 100", "\u00e9\u20ac, 1000", "0123456789, 100000"})
  void aHashIsShortHoweverLongTheKeyIsAndTheSameEachTime(String key, int repeated) {
    String text = key + key.repeat(repeated);

    assertThat(LimitKey.hash(text))
        .matches("[A-Za-z0-9_-]{22}")
        .isEqualTo(LimitKey.hash(new String(text.toCharArray())));
  }

  @Test
  void aHashIsTheBeginningOfTheKeysSha256() {
    // FIPS 180-4: SHA-256 of "abc" begins with ba7816bf 8f01cfea 414140de 5dae2223.
    assertThat(LimitKey.hash("abc")).isEqualTo("ungWv48Bz-pBQUDeXa4iIw");
  }
}
