package dev.gatehouse.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
class DemoIT {
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  private final Path directory;
  private final int port = FreePorts.inARow(1 + SampleServices.PORTS);
  private final int servicesPort = port + 1;

  DemoIT(@TempDir Path directory) {
    this.directory = directory;
  }

  @Test
  void runsUntilItIsToldToStopAndLeavesNothingBehind() throws Exception {
    try (RunningDemo demo = start(war())) {
      List<String> printed = demo.linesUntilReady();
      String token = printed.get(printed.size() - 2).substring("TOKEN=".length());

      assertThat(printed).filteredOn(line -> line.contains("curl")).hasSizeGreaterThan(8);
      assertThat(send("GET", "/api/users/profile", "", "none").statusCode()).isEqualTo(401);
      assertThat(send("GET", "/api/users/profile", "", token).body()).contains("Dana Demo");
      assertThat(send("GET", "/api/products?category=tea&maxPrice=5", "", token).body())
          .contains("Green tea")
          .doesNotContain("Oolong");
      assertThat(send("POST", "/api/orders", "{\"user\":\"demo\"}", token).statusCode())
          .isEqualTo(201);
      assertThat(send("DELETE", "/api/orders/2", "", token).statusCode()).isEqualTo(204);
      assertThat(send("GET", "/api/inventory/stock", "", token).statusCode()).isEqualTo(200);
      assertThat(send("POST", "/api/notifications", "{\"user\":\"ada\"}", token).statusCode())
          .isEqualTo(201);
      assertThat(send("GET", "/users/echo", "", token).body()).contains("\"X-Gateway\":[\"True\"]");
      assertThat(send("GET", "/api/users/fail?status=503", "", token).statusCode()).isEqualTo(503);
      assertThat(send("GET", "/gateway/metrics", "", token).statusCode()).isEqualTo(200);

      demo.terminate();
      assertThat(demo.complaints()).isEmpty();
    }
    assertThat(FreePorts.areFree(port, 1 + SampleServices.PORTS)).isTrue();
  }

  @Test
  void theGatewaysPortInUseEndsItWithOneLine() throws Exception {
    try (ServerSocket taken = new ServerSocket(port);
        RunningDemo demo = start(war())) {
      assertThat(demo.complaints())
          .containsExactly(
              "The demo cannot run: port %d is in use; -Ddemo.port=N moves the gateway's port."
                  .formatted(taken.getLocalPort()));
      assertThat(demo.exitStatus()).isEqualTo(1);
      assertThat(directory).isEmptyDirectory();
    }
  }

  @Test
  void aServicesPortInUseEndsItWithOneLine() throws Exception {
    try (ServerSocket taken = new ServerSocket(servicesPort + 3);
        RunningDemo demo = start(war())) {
      assertThat(demo.complaints())
          .singleElement()
          .asString()
          .contains("port " + taken.getLocalPort() + " is in use", "-Ddemo.services.port=N");
      assertThat(demo.exitStatus()).isEqualTo(1);
      assertThat(directory).isEmptyDirectory();
    }
  }

  @Test
  void aGatewayThatIsNotDeployedEndsItWithTheLog() throws Exception {
    Path broken = directory.resolve("broken.war");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(broken))) {
      zip.putNextEntry(new ZipEntry("WEB-INF/web.xml"));
      zip.write("<web-app><listener>".getBytes(StandardCharsets.UTF_8));
    }

    try (RunningDemo demo = start(broken)) {
      assertThat(demo.complaints())
          .anyMatch(line -> line.contains("the gateway did not become ready"))
          .anyMatch(line -> line.contains("Failed startup of context"));
      assertThat(demo.exitStatus()).isEqualTo(1);
    }
    assertThat(FreePorts.areFree(port, 1 + SampleServices.PORTS)).isTrue();
  }

  private RunningDemo start(Path war) throws IOException {
    return new RunningDemo(
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                "-Ddemo.port=" + port,
                "-Ddemo.services.port=" + servicesPort,
                "-Ddemo.war=" + war,
                "-Ddemo.jettyHome=" + System.getProperty("gatehouse.test.jettyHome"),
                "-Ddemo.jettyBase=" + Path.of("jetty-base").toAbsolutePath(),
                "-Ddemo.directory=" + directory.resolve("base"),
                Demo.class.getName())
            .start());
  }

  private static Path war() {
    return Path.of(System.getProperty("gatehouse.test.war"));
  }

  private HttpResponse<String> send(String method, String target, String body, String token)
      throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://localhost:" + port + target))
            .timeout(Duration.ofSeconds(30))
            .header("Authorization", "Bearer " + token)
            .method(
                method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
            .build();
    return CLIENT.send(request, BodyHandlers.ofString());
  }

  /** The demo in a JVM of its own. */
  private record RunningDemo(Process process) implements AutoCloseable {
    List<String> linesUntilReady() throws IOException {
      List<String> lines = new ArrayList<>();
      BufferedReader out = process.inputReader();
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        lines.add(line);
        if (line.equals("READY")) {
          return lines;
        }
      }
      throw new AssertionError("no READY, but: " + complaints());
    }

    /** What it writes to the standard error until it ends. */
    List<String> complaints() {
      return process.errorReader().lines().toList();
    }

    int exitStatus() throws InterruptedException {
      return process.waitFor();
    }

    /** As Ctrl-C does, and returns when it is gone. */
    void terminate() throws InterruptedException {
      // Process.destroy would close what it has written, too.
      process.toHandle().destroy();
      process.waitFor();
    }

    @Override
    public void close() {
      List<ProcessHandle> children = process.descendants().toList();
      process.toHandle().destroy();
      process.onExit().completeOnTimeout(process, 30, TimeUnit.SECONDS).join();
      process.destroyForcibly();
      children.forEach(ProcessHandle::destroyForcibly);
    }
  }
}
