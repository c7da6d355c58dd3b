package dev.gatehouse.demo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The project's {@code jetty-base} under a stock jetty-home. */
@Timeout(180)
class JettyBaseIT {
  private static final Duration TIME_TO_START = Duration.ofMinutes(1);
  private static final Path JETTY_HOME = Path.of(System.getProperty("gatehouse.test.jettyHome"));
  private static final Path WAR = Path.of(System.getProperty("gatehouse.test.war"));
  private static final Map<String, String> SECRET =
      Map.of("jwt.secret", "a secret of the test, longer than 32 bytes");

  private final Path directory;
  private final JettyBase base;

  JettyBaseIT(@TempDir Path directory) throws Exception {
    this.directory = directory;
    this.base = JettyBase.copy(Path.of("jetty-base"), WAR, directory.resolve("base"));
  }

  @Test
  void runsTheGatewayAtTheRootWithoutAWarning() throws Exception {
    try (JettyProcess jetty = start(SECRET)) {
      assertThat(jetty.awaitReady(TIME_TO_START)).as("%s", Files.readString(jetty.log())).isTrue();

      HttpRequest ready =
          HttpRequest.newBuilder(jetty.uri().resolve("/gateway/health/ready")).build();
      HttpResponse<String> answer = HttpClient.newHttpClient().send(ready, BodyHandlers.ofString());
      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(answer.body().strip()).isEqualTo("{\"status\":\"UP\"}");
      assertThat(answer.headers().firstValue("Server")).isEmpty();
    }
    assertThat(directory.resolve("base/logs/jetty.log"))
        .content()
        .contains("Stopped oejs.Server")
        .doesNotContainPattern("WARN|ERROR|Exception");
    assertThat(directory.resolve("base/logs/gatehouse-access.log"))
        .content()
        .contains("GET /gateway/health/ready");
  }

  @Test
  void everyLineOfItsSettingsFileIsOneThatTheGatewayTakes() throws Exception {
    Path file = directory.resolve("base/etc/gatehouse.properties");
    List<String> lines = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      // The key's file is the one thing in it that is not there.
      boolean setting = line.matches("#[A-Za-z.]+=.*") && !line.startsWith("#jwt.publicKey=");
      lines.add(setting ? line.substring(1) : line);
    }
    lines.add("jwt.secret=" + SECRET.get("jwt.secret"));
    Files.write(file, lines);

    try (JettyProcess jetty = start(Map.of())) {
      assertThat(jetty.awaitReady(TIME_TO_START)).as("%s", Files.readString(jetty.log())).isTrue();
    }
    assertThat(directory.resolve("base/logs/jetty.log"))
        .content()
        .doesNotContainPattern("WARN|ERROR|Exception");
  }

  @Test
  void endsWhenTheGatewayRefusesItsSettings() throws Exception {
    try (JettyProcess jetty = start(Map.of())) {
      assertThat(jetty.awaitReady(TIME_TO_START)).isFalse();
      assertThat(jetty.waitFor()).isNotZero();
      assertThat(jetty.log()).content(UTF_8).contains("jwt.secret");
    }
  }

  private JettyProcess start(Map<String, String> settings) throws Exception {
    return JettyProcess.start(JETTY_HOME, base, FreePorts.one(), settings);
  }
}
