package dev.gatehouse.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.RandomTargets;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Whoever reads an accepted path, and in whatever order, reads the same path. */
class PathRulePropertyTest {
  private static final long SEED = 20_261_122;
  private static final int PATHS = 50_000;
  private static final List<String> PREFIXES = List.of("/api/users", "/users", "/gw/a.b", "");

  private static final List<String> PIECES =
      List.of(
          "/", "/", "/", ".", ".", "..", "%2e", "%2E", "%2f", "%2F", "%5c", "%5C", "\\", "%00", ";",
          ";x=y", "%3b", "%3B", "%25", "%", "a", "b", "%61", "api", "users", "gw", "~", "%7e", " ",
          "%20", "?", "#", "\u00e9", "%c3%a9");

  /** What a server may do to a path before it maps it: each order leads to a path of its own. */
  private static final List<List<UnaryOperator<String>>> READERS =
      List.of(
          List.of(PathRulePropertyTest::withoutParameters, PathRulePropertyTest::decoded),
          List.of(PathRulePropertyTest::decoded, PathRulePropertyTest::withoutParameters),
          List.of(PathRulePropertyTest::decoded),
          List.of(PathRulePropertyTest::withoutParameters));

  @Test
  void aClearPathIsAccepted() {
    RandomTargets targets = new RandomTargets(SEED);
    for (int i = 0; i < PATHS / 10; i++) {
      String prefix = PREFIXES.get(i % PREFIXES.size());
      String path = prefix + targets.clear().replaceFirst("\\?.*", "");
      if (!path.isEmpty()) {
        assertThat(PathRule.ambiguity(path, "", prefix, false))
            .as("seed %s: %s", SEED, path)
            .isNull();
      }
    }
  }

  @Test
  void anAcceptedPathHasTheSameSegmentsForEveryReader() {
    Random random = new Random(SEED);
    int accepted = 0;
    for (int i = 0; i < PATHS; i++) {
      String prefix = PREFIXES.get(i % PREFIXES.size());
      String path = random.nextInt(4) == 0 ? pieces(random) : prefix + "/" + pieces(random);
      if (PathRule.ambiguity(path, "", prefix, false) == null) {
        accepted++;
        List<String> sent = segments(path);
        for (List<UnaryOperator<String>> reader : READERS) {
          String read = path;
          for (UnaryOperator<String> step : reader) {
            read = step.apply(read);
          }
          assertThat(read)
              .as("seed %s: %s", SEED, path)
              .startsWith(prefix)
              .doesNotContain("\\", "\u0000");
          assertThat(segments(read))
              .as("seed %s: %s", SEED, path)
              .hasSameSizeAs(sent)
              .doesNotContain(".", "..");
        }
        for (String mapped :
            List.of(decoded(withoutParameters(path)), withoutParameters(decoded(path)))) {
          List<String> read = segments(mapped);
          assertThat(read.subList(0, read.size() - 1))
              .as("seed %s: %s", SEED, path)
              .doesNotContain("");
        }
      }
    }
    assertThat(accepted).as("seed " + SEED).isBetween(PATHS / 20, PATHS / 2);
  }

  private static String pieces(Random random) {
    StringBuilder path = new StringBuilder();
    for (int i = random.nextInt(8); i > 0; i--) {
      path.append(PIECES.get(random.nextInt(PIECES.size())));
    }
    return path.toString();
  }

  /** What stands behind each slash. */
  private static List<String> segments(String path) {
    List<String> segments = new ArrayList<>(Arrays.asList(path.split("/", -1)));
    segments.remove(0);
    return segments;
  }

  private static String withoutParameters(String path) {
    return path.replaceAll(";[^/]*", "");
  }

  private static String decoded(String path) {
    ByteArrayOutputStream decoded = new ByteArrayOutputStream();
    for (int i = 0; i < path.length(); i++) {
      char c = path.charAt(i);
      if (c == '%') {
        decoded.write(Integer.parseInt(path, i + 1, i + 3, 16));
        i += 2;
      } else {
        decoded.write(c);
      }
    }
    return decoded.toString(ISO_8859_1);
  }
}
