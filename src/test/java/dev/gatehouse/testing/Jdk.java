package dev.gatehouse.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.stream.Stream;

/** Finds the JDK that the servers run on. */
final class Jdk {
  private static final String CHOICE = "gatehouse.test.jdk";

  private Jdk() {}

  /**
   * The home of the JDK that the system property {@code gatehouse.test.jdk} names by its path or
   * its version, else of the one that the tests run on.
   */
  static Path chosen() {
    Path own = Path.of(System.getProperty("java.home"));
    String choice = System.getProperty(CHOICE, own.toString());
    return choice.matches("\\d+") ? ofVersion(choice, own) : Path.of(choice);
  }

  /**
   * The home of a JDK of a version: the one that {@code gatehouse.test.jdk<version>} names, else
   * the tests' own, else one in a folder next to it. There is no going on without.
   */
  static Path ofVersion(String version, Path own) {
    String property = CHOICE + version;
    String named = System.getProperty(property);
    if (named != null) {
      if (!isVersion(Path.of(named), version)) {
        throw new IllegalStateException(property + ": " + named + " is no JDK " + version);
      }
      return Path.of(named);
    }
    try (Stream<Path> next = Files.list(own.toRealPath().getParent())) {
      return Stream.concat(Stream.of(own), next.sorted())
          .filter(home -> isVersion(home, version))
          .findFirst()
          .orElseThrow(
              () ->
                  new IllegalStateException(
                      "no JDK %s next to %s: name one by -D%s=<path>"
                          .formatted(version, own, property)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isVersion(Path home, String version) {
    Path release = home.resolve("release");
    if (!Files.exists(release) || !Files.isExecutable(home.resolve("bin/java"))) {
      return false;
    }
    try {
      Properties told = new Properties();
      told.load(new StringReader(Files.readString(release, UTF_8)));
      return told.getProperty("JAVA_VERSION", "").matches("\"" + version + "\\b.*");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
