package dev.gatehouse.config;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Expands {@code ${key}} and {@code ${key:default}} in a value of web.xml. A default may hold
 * placeholders itself; what stands outside of them is taken literally.
 */
final class Placeholders {

  private final Function<String, @Nullable Setting> settings;
  private final List<String> sources = new ArrayList<>();
  private final List<String> missing = new ArrayList<>();

  private Placeholders(Function<String, @Nullable Setting> settings) {
    this.settings = settings;
  }

  /**
   * @param literalSource the source to report when the text holds no placeholder
   * @param settings finds the value of a key, or null
   * @throws IllegalArgumentException if a brace is not closed, or a key has neither value nor
   *     default; the message says which, but not what else stands there, which may be secret
   */
  static Setting expand(
      String text, String literalSource, Function<String, @Nullable Setting> settings) {
    Placeholders placeholders = new Placeholders(settings);
    String expanded = placeholders.expand(text);
    if (!placeholders.missing.isEmpty()) {
      throw new IllegalArgumentException(
          "no value is set for "
              + String.join(", ", placeholders.missing)
              + ", and the placeholder has no default");
    }
    String source =
        placeholders.sources.isEmpty()
            ? literalSource
            : String.join(", ", placeholders.sources.stream().distinct().toList());
    return new Setting(expanded, source);
  }

  private String expand(String text) {
    int open = text.indexOf("${");
    if (open < 0) {
      return text;
    }
    int close = closingBrace(text, open + 2);
    return text.substring(0, open)
        + value(text.substring(open + 2, close))
        + expand(text.substring(close + 1));
  }

  private String value(String inside) {
    int colon = inside.indexOf(':');
    String key = (colon < 0 ? inside : inside.substring(0, colon)).trim();
    if (key.isEmpty()) {
      throw new IllegalArgumentException("a placeholder without a key");
    }
    Setting found = settings.apply(key);
    if (found != null) {
      sources.add(found.source());
      return found.text();
    }
    if (colon < 0) {
      missing.add("'" + key + "'");
      return "";
    }
    String fallback = inside.substring(colon + 1);
    if (!fallback.contains("${")) {
      sources.add("default");
    }
    return expand(fallback);
  }

  private static int closingBrace(String text, int from) {
    int depth = 1;
    for (int i = from; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '{') {
        depth++;
      } else if (c == '}' && --depth == 0) {
        return i;
      }
    }
    throw new IllegalArgumentException("a placeholder that is not closed");
  }
}
