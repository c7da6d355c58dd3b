package dev.gatehouse.demo;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A stock Jetty that runs a base in a child process, on the JDK of this one. What it prints goes to
 * a file.
 */
final class JettyProcess implements AutoCloseable {
  private static final Duration TIME_TO_STOP = Duration.ofSeconds(15);
  private static final long MILLIS_BETWEEN_LOOKS = 100;

  private final Process process;
  private final URI uri;
  private final Path log;

  private JettyProcess(Process process, URI uri, Path log) {
    this.process = process;
    this.uri = uri;
    this.log = log;
  }

  /**
   * Starts it with these settings of the gateway, and none that this process happens to have in its
   * environment.
   */
  static JettyProcess start(Path jettyHome, JettyBase base, int port, Map<String, String> settings)
      throws IOException {
    Path directory = base.directory().toAbsolutePath();
    Path log = Files.createDirectories(directory.resolve("logs")).resolve("jetty.log");
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-jar",
            jettyHome.toAbsolutePath().resolve("start.jar").toString(),
            "jetty.base=" + directory,
            "jetty.http.port=" + port);
    builder.directory(directory.toFile());
    builder.environment().keySet().removeIf(name -> name.startsWith("GATEHOUSE_"));
    settings.forEach((key, value) -> builder.environment().put(environmentVariable(key), value));
    builder.redirectErrorStream(true).redirectOutput(log.toFile());
    return new JettyProcess(builder.start(), URI.create("http://localhost:" + port), log);
  }

  URI uri() {
    return uri;
  }

  Path log() {
    return log;
  }

  /**
   * Waits until the gateway says that it is ready; false if Jetty ends before, or it takes too
   * long.
   */
  boolean awaitReady(Duration limit) throws InterruptedException {
    HttpClient client = HttpClient.newHttpClient();
    HttpRequest look =
        HttpRequest.newBuilder(uri.resolve("/gateway/health/ready"))
            .timeout(Duration.ofSeconds(5))
            .build();
    long deadline = System.nanoTime() + limit.toNanos();
    while (System.nanoTime() < deadline) {
      try {
        if (client.send(look, BodyHandlers.discarding()).statusCode() == 200) {
          return true;
        }
      } catch (IOException notYet) {
        // Nobody listens before the gateway is deployed.
      }
      if (process.waitFor(MILLIS_BETWEEN_LOOKS, TimeUnit.MILLISECONDS)) {
        return false;
      }
    }
    return false;
  }

  /** Waits until it ends by itself, and returns its exit status. */
  int waitFor() throws InterruptedException {
    return process.waitFor();
  }

  /**
   * The last lines that say something; stack frames, of which a failed start prints some hundred,
   * do not count.
   */
  List<String> logTail(int lines) throws IOException {
    List<String> all =
        Files.readString(log, Charset.defaultCharset())
            .lines()
            .filter(line -> !line.startsWith("\tat ") && !line.startsWith("\t... "))
            .toList();
    return all.subList(Math.max(0, all.size() - lines), all.size());
  }

  /** Stops it, gently and then by force; returns when it is gone. */
  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(TIME_TO_STOP.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  private static String environmentVariable(String key) {
    return "GATEHOUSE_" + key.replaceAll("[.-]", "_").toUpperCase(Locale.ROOT);
  }
}
