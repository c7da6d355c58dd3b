package dev.gatehouse.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A program of the machine that a test needs. */
public final class Program {
  private static final Duration LIMIT = Duration.ofMinutes(2);

  private final Path file;

  private Program(Path file) {
    this.file = file;
  }

  /** What a program has left behind. */
  public record Ended(int exitCode, String output, String errors) {}

  /** The program in a file. */
  public static Program at(Path file) {
    return new Program(file);
  }

  /** A program on the PATH; if it is missing, a failure that names the Debian package. */
  public static Program ofPackage(String debianPackage, String name) {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator, -1))
        .map(folder -> Path.of(folder, name))
        .filter(Files::isExecutable)
        .findFirst()
        .map(Program::new)
        .orElseThrow(
            () ->
                new IllegalStateException(
                    name + " is not on the PATH: install the Debian package " + debianPackage));
  }

  /** Runs it to its end. */
  public Ended run(String... arguments) {
    try {
      Path folder = Files.createTempDirectory("gatehouse-test-");
      Path output = folder.resolve("output");
      Path errors = folder.resolve("errors");
      Process process =
          builder(arguments).redirectOutput(output.toFile()).redirectError(errors.toFile()).start();
      try {
        if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
          throw new IllegalStateException(this + " did not end in " + LIMIT);
        }
        return new Ended(
            process.exitValue(), Files.readString(output, UTF_8), Files.readString(errors, UTF_8));
      } finally {
        process.destroyForcibly();
        for (Path left : List.of(output, errors, folder)) {
          Files.deleteIfExists(left);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Starts it; what it writes to standard error is lost. */
  public Process start(String... arguments) {
    try {
      return builder(arguments).redirectError(Redirect.DISCARD).start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private ProcessBuilder builder(String... arguments) {
    List<String> command = new ArrayList<>(List.of(file.toString()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command);
  }

  @Override
  public String toString() {
    return file.getFileName().toString();
  }
}
