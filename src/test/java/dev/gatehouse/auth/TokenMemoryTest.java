package dev.gatehouse.auth;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.Caller;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenMemoryTest {

  private static final String TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.c2ln";

  private final VerifyingKey key = new VerifyingKey(Map.of());
  private final TokenMemory memory = new TokenMemory(1 << 20);

  private TokenVerifier.Verdict.Accepted accepted(long from, long until) {
    return new TokenVerifier.Verdict.Accepted(
        new Caller("default", "alice", List.of(), List.of(), List.of()), key, from, until);
  }

  @Test
  void aTokenIsRecalledAsItWasVerified() {
    TokenVerifier.Verdict.Accepted verdict = accepted(100, 200);
    memory.remember(TOKEN, verdict);

    assertThat(memory.recall(String.valueOf(TOKEN.toCharArray()), 150)).isSameAs(verdict);
    assertThat(memory.recall(TOKEN, 150)).isSameAs(verdict);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        TOKEN + "=",
        TOKEN + " ",
        " " + TOKEN,
        "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.c2lm",
        "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.c2l",
        "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.",
        "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjJ9.c2ln",
        "EYJHBGCIOIJIUZI1NIJ9.EYJLEHAIOJF9.C2LN",
      })
  void aTokenThatDiffersIsAnotherOne(String other) {
    memory.remember(TOKEN, accepted(100, 200));

    assertThat(memory.recall(other, 150)).isNull();
    assertThat(memory.recall(TOKEN, 150)).isNotNull();
  }

  @Test
  void tokensWithOneHashAreTwo() {
    TokenVerifier.Verdict.Accepted first = accepted(100, 200);
    TokenVerifier.Verdict.Accepted second = accepted(100, 200);
    memory.remember("a.b.Aa", first);
    assertThat("a.b.Aa".hashCode()).isEqualTo("a.b.BB".hashCode());
    assertThat(memory.recall("a.b.BB", 150)).isNull();

    memory.remember("a.b.BB", second);

    assertThat(memory.recall("a.b.Aa", 150)).isSameAs(first);
    assertThat(memory.recall("a.b.BB", 150)).isSameAs(second);
  }

  @ParameterizedTest
  @CsvSource({"99, false", "100, true", "150, true", "200, true", "201, false"})
  void aTokenIsRecalledInItsTime(long now, boolean known) {
    memory.remember(TOKEN, accepted(100, 200));

    assertThat(memory.recall(TOKEN, now) != null).isEqualTo(known);
    // Once it did not hold it is verified anew, wherever the clock goes then.
    assertThat(memory.recall(TOKEN, 150) != null).isEqualTo(known);
  }

  @Test
  void whatAWithdrawnKeyHasVerifiedIsForgotten() {
    VerifyingKey other = new VerifyingKey(Map.of());
    memory.remember(TOKEN, accepted(100, 200));
    memory.remember(
        "of.another.key",
        new TokenVerifier.Verdict.Accepted(
            new Caller("default", null, List.of(), List.of(), List.of()), other, 100, 200));

    key.withdraw();

    assertThat(memory.recall(TOKEN, 150)).isNull();
    assertThat(memory.recall("of.another.key", 150)).isNotNull();
  }

  @Test
  void ofSizeNothingIsRemembered() {
    TokenMemory none = new TokenMemory(0);
    none.remember(TOKEN, accepted(100, 200));

    assertThat(none.recall(TOKEN, 150)).isNull();
  }

  @ParameterizedTest
  @CsvSource({"100000, 32", "10000, 1000", "1000, 8192"})
  void itsSizeIsBounded(int tokens, int length) {
    for (int i = 0; i < tokens; i++) {
      memory.remember(token(i, length), accepted(100, 200));
    }

    int known = 0;
    for (int i = 0; i < tokens; i++) {
      known += memory.recall(token(i, length), 150) == null ? 0 : 1;
    }
    // Two bytes for a character, and half a KiB for the rest, are the least that each takes.
    int most = (1 << 20) / (512 + 2 * length);
    assertThat(known).isBetween(most / 3, most);
  }

  private static String token(int number, int length) {
    String digits = Integer.toString(number);
    return "x".repeat(length - digits.length()) + digits;
  }

  @Test
  void aTokenThatIsTooLargeForItIsNotRemembered() {
    TokenMemory small = new TokenMemory(1000);
    small.remember("x".repeat(8192), accepted(100, 200));
    small.remember(TOKEN, accepted(100, 200));

    assertThat(small.recall("x".repeat(8192), 150)).isNull();
    assertThat(small.recall(TOKEN, 150)).isNotNull();
  }
}
