package dev.gatehouse.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.regex.Pattern;

/**
 * Random paths and queries as they may follow a service's prefix, the same ones for the same seed.
 * A character is a byte.
 */
public final class RandomTargets {
  private static final String UNRESERVED =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

  /** What else may stand in a segment, but for the semicolon, which begins parameters. */
  private static final String RESERVED = "!$&'()*+,=:@";

  /** What a server or the gateway might resolve, merge, strip or decode. */
  private static final Pattern UNCLEAR_SEGMENT =
      Pattern.compile("|;.*|(\\.|%2[eE]){1,2}((;|%3[bB]).*)?");

  private static final List<String> PARAMETERS =
      List.of(";x=y", ";", ";v=1;w", ";jsessionid=0A1B", ";a=%2E%2E", ";=", ";x=..", ";a=b,c");

  private static final List<String> CHARACTERS_OF_MORE_BYTES =
      List.of("\u00e9", "\u00df", "\u20ac", "\u4e2d\u6587", "\ud83d\ude00", "\u0301", "\ufeff");

  private static final List<String> ODD =
      List.of(
          "/",
          "//",
          "/./",
          "/../",
          "/..",
          "/.",
          "/...",
          "%2e",
          "%2E%2e",
          "/%2e%2e/",
          "/.%2E",
          "%2F",
          "%2f",
          "%5C",
          "%5c",
          "\\",
          "%00",
          "%25",
          "%252e",
          "%252F",
          "%",
          "%zz",
          "%u002e",
          "%1",
          ";",
          "/;x/",
          "/;",
          "/..;/",
          "/.;a=b/",
          "/..%3b/",
          "%3B",
          "%3f",
          "%23",
          "{",
          "}",
          "|",
          "^",
          "`",
          "\"",
          "<",
          ">",
          "[",
          "]",
          "#",
          "#a/b?c",
          "?",
          "??",
          "%0d%0a",
          "%0A",
          "%01",
          "%7f",
          "\u0001",
          "\u000b",
          "\u007f",
          "\u00ff",
          "\u00c0\u00ae",
          "\u00e2\u0082",
          "\u00ed\u00a0\u0080",
          "\u00ef\u00bf\u00bd",
          "%ff",
          "%c0%ae",
          "%e2%82",
          "%ED%A0%80",
          "%EF%BF%BD",
          "%C3%a9",
          "&&",
          "==",
          "+",
          "%20",
          "%2B",
          "http://elsewhere.example/",
          ":80");

  private final Random random;

  /** Targets that are the same in every run. */
  public RandomTargets(long seed) {
    this.random = new Random(seed);
  }

  /**
   * One of the grammar of RFC 3986 that is clear to everybody: nothing in its path can be taken for
   * another path.
   */
  public String clear() {
    return path() + query();
  }

  /** One with something in it that servers or the gateway may refuse. */
  public String odd() {
    StringBuilder path = new StringBuilder(path());
    StringBuilder query = new StringBuilder(query());
    for (int i = random.nextInt(2); i >= 0; i--) {
      boolean inQuery = query.length() > 0 && random.nextBoolean();
      StringBuilder part = inQuery ? query : path;
      int from = Math.min(1, part.length());
      String odd = random.nextInt(4) == 0 ? bytes(one(CHARACTERS_OF_MORE_BYTES)) : one(ODD);
      part.insert(from + random.nextInt(part.length() - from + 1), odd);
    }
    return path.append(query).toString();
  }

  private String path() {
    StringBuilder path = new StringBuilder();
    for (int i = random.nextInt(6); i > 0; i--) {
      path.append('/').append(segment());
    }
    return path.append(random.nextInt(4) == 0 ? "/" : "").toString();
  }

  private String segment() {
    while (true) {
      StringBuilder segment = new StringBuilder();
      for (int i = length(); i > 0; i--) {
        switch (random.nextInt(12)) {
          case 0, 1 -> segment.append(one(RESERVED));
          case 2 -> segment.append(encoded(one(UNRESERVED + RESERVED + " \"#<>?[]^`{|}")));
          case 3 -> segment.append(encoded(one(CHARACTERS_OF_MORE_BYTES)));
          case 4 -> segment.append('.');
          default -> segment.append(one(UNRESERVED));
        }
      }
      if (random.nextInt(8) == 0) {
        segment.append(one(PARAMETERS));
      }
      if (!UNCLEAR_SEGMENT.matcher(segment).matches()) {
        return segment.toString();
      }
    }
  }

  /** With its question mark; empty in a third, and a question mark alone now and then. */
  private String query() {
    StringBuilder query = new StringBuilder();
    if (random.nextInt(3) > 0) {
      query.append('?');
      for (int i = random.nextInt(8) == 0 ? 0 : 2 * length(); i > 0; i--) {
        switch (random.nextInt(10)) {
          case 0, 1 -> query.append(one(RESERVED + ";/?"));
          case 2 -> query.append(encoded((byte) random.nextInt(256)));
          case 3 -> query.append(one("&="));
          default -> query.append(one(UNRESERVED));
        }
      }
    }
    return query.toString();
  }

  /** Mostly short, and some KiB now and then. */
  private int length() {
    return random.nextInt(150) == 0 ? random.nextInt(1_000) : random.nextInt(10);
  }

  private String encoded(String text) {
    StringBuilder encoded = new StringBuilder();
    for (byte octet : text.getBytes(UTF_8)) {
      encoded.append(encoded(octet));
    }
    return encoded.toString();
  }

  private String encoded(byte octet) {
    String encoded = String.format("%%%02x", octet & 0xff);
    return random.nextBoolean() ? encoded : encoded.toUpperCase(Locale.ROOT);
  }

  private static String bytes(String text) {
    return new String(text.getBytes(UTF_8), ISO_8859_1);
  }

  private String one(String characters) {
    return String.valueOf(characters.charAt(random.nextInt(characters.length())));
  }

  private String one(List<String> texts) {
    return texts.get(random.nextInt(texts.size()));
  }
}
