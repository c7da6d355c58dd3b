package dev.gatehouse.demo;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/** A Jetty base with the gateway's WAR in it, copied from the project's {@code jetty-base}. */
record JettyBase(Path directory) {

  /**
   * Makes the copy, in place of what was at {@code directory} before. What running the original has
   * left in it (logs, an unpacked or an older WAR) stays behind.
   */
  static JettyBase copy(Path original, Path war, Path directory) throws IOException {
    delete(directory);
    Files.walkFileTree(
        original,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes)
              throws IOException {
            Path inside = original.relativize(folder);
            Files.createDirectories(directory.resolve(inside));
            return inside.equals(Path.of("logs")) || inside.equals(Path.of("work"))
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            if (!file.toString().endsWith(".war")) {
              Files.copy(file, directory.resolve(original.relativize(file)));
            }
            return FileVisitResult.CONTINUE;
          }
        });
    Files.copy(
        war, directory.resolve("webapps/gatehouse.war"), StandardCopyOption.REPLACE_EXISTING);
    return new JettyBase(directory);
  }

  private static void delete(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure)
              throws IOException {
            if (failure != null) {
              throw failure;
            }
            Files.delete(folder);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
