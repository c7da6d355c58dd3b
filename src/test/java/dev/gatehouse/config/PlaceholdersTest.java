package dev.gatehouse.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlaceholdersTest {

  private static final Map<String, String> SET =
      Map.of(
          "host", "users.internal",
          "port", "81",
          "empty", "",
          "tricky", "${host}",
          "brace", "}",
          "users.url", "http://u");

  private static @Nullable Setting find(String key) {
    String value = SET.get(key);
    return value == null ? null : new Setting(value, "place of " + key);
  }

  private static Setting expand(String text) {
    return Placeholders.expand(text, "web.xml", PlaceholdersTest::find);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|''|web.xml",
        "text|text|web.xml",
        "$|$|web.xml",
        "$host|$host|web.xml",
        "{host}|{host}|web.xml",
        "a}b|a}b|web.xml",
        "${host}|users.internal|place of host",
        "${ host }|users.internal|place of host",
        "${host:other}|users.internal|place of host",
        "${users.url:http://localhost:8001}|http://u|place of users.url",
        "${none:http://localhost:8001}|http://localhost:8001|default",
        "${none:}|''|default",
        "${empty:other}|''|place of empty",
        "${none:-x}|-x|default",
        "${none:a:b:c}|a:b:c|default",
        "http://${host}:${port}/x|http://users.internal:81/x|place of host, place of port",
        "${host}${host}|users.internalusers.internal|place of host",
        "${none:${host}}|users.internal|place of host",
        "${none:http://${host}:${nothing:80}}|http://users.internal:80|place of host, default",
        "${none:${nothing:deep}}|deep|default",
        "${none:{\"a\":1}}|{\"a\":1}|default",
        "${host:${nothing}}|users.internal|place of host",
        // what a value holds is not expanded again
        "${tricky}|${host}|place of tricky",
        "${brace}|}|place of brace",
        "a${none:}b|ab|default",
        "$${host}|$users.internal|place of host",
      })
  void aPlaceholderBecomesItsValueOrItsDefault(String text, String value, String source) {
    assertThat(expand(text)).isEqualTo(new Setting(value, source));
  }

  @ParameterizedTest
  @CsvSource({
    "${none}, 'none'",
    "a${none}b, 'none'",
    "${none:${nothing}}, nothing",
    "${none:x${nothing}}, nothing",
  })
  void aKeyWithNeitherValueNorDefaultIsNamed(String text, String key) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> expand(text))
        .withMessageContaining(key)
        .withMessageContaining("no value is set");
  }

  @Test
  void everyMissingKeyIsNamedAtOnce() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> expand("${one}${two}"))
        .withMessageContainingAll("'one'", "'two'");
  }

  @ParameterizedTest
  @CsvSource({
    "${host, not closed",
    "a${, not closed",
    "${host:${port}, not closed",
    "${}, without a key",
    "${ }, without a key",
    "${:x}, without a key",
  })
  void aBrokenPlaceholderIsRefused(String text, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> expand(text))
        .withMessageContaining(message);
  }
}
