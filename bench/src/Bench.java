package bench;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import java.util.zip.ZipFile;

/** Compares the gateway's speed with that of others. README.md beside it tells how to use it. */
public final class Bench {
  private static final Path WORK = Path.of("target/bench-run").toAbsolutePath();

  private Bench() {}

  public static void main(String[] arguments) {
    Running.stopAllAtExit();
    int exitCode = 1;
    try {
      Options options = Options.of(arguments);
      exitCode = run(options, arguments) ? 0 : 1;
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage());
    } catch (Exception e) {
      e.printStackTrace();
    }
    System.exit(exitCode);
  }

  private static boolean run(Options options, String[] arguments) throws Exception {
    Path work = newFolder();
    progress("making tokens");
    Callers callers = new Callers(work.resolve("callers"));
    Contenders contenders = new Contenders(options, callers, work);
    printHeader(options, arguments);
    boolean good =
        switch (options.command) {
          case "jobs" -> new Throughput(options, contenders).run();
          case "latency" -> new Latency(options, contenders).run();
          case "idle" -> new Idle(options, contenders).run();
          case "services" -> new Services(options, contenders).run();
          case "start" -> new Start(options, contenders).run();
          default -> throw new IllegalStateException(options.command);
        };
    if (!contenders.missing().isEmpty()) {
      System.out.printf("%nNot measured: %s%n", String.join("; ", contenders.missing()));
    }
    if (!good) {
      System.out.printf("%n**There were errors: see the tables.**%n");
    }
    return good;
  }

  /** What goes on, for whoever waits; not part of the result. */
  static void progress(String format, Object... values) {
    System.err.printf(format + "%n", values);
  }

  static double median(DoubleStream values) {
    double[] sorted = values.sorted().toArray();
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  private static Path newFolder() throws IOException {
    if (Files.exists(WORK.resolve("last"))) {
      try (Stream<Path> files = Files.walk(WORK.resolve("last"))) {
        files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
      }
    }
    return Files.createDirectories(WORK.resolve("last"));
  }

  private static void printHeader(Options options, String[] arguments) throws Exception {
    System.out.printf("    bench/run %s%n%n", String.join(" ", arguments));
    List<String> lines = new ArrayList<>();
    lines.add(
        Instant.now().truncatedTo(ChronoUnit.SECONDS)
            + ", commit "
            + said("git describe --always --dirty"));
    lines.add(
        "%s, %d cores, Linux %s"
            .formatted(
                first(Files.readString(Path.of("/proc/cpuinfo")), "model name\\s*: (.*)"),
                Runtime.getRuntime().availableProcessors(),
                System.getProperty("os.version")));
    lines.add("JDK of the servers: " + said(options.jdk + "/bin/java -version"));
    lines.add(
        "gateways: -Xmx%s %s, server settings: %s, WAR: %s"
            .formatted(
                options.heap,
                String.join(" ", options.jvmOptions),
                String.join(", ", options.serverSettings),
                options.wars));
    lines.add(versions());
    lines.add(
        "wrk with %d threads and %d connections, %d rounds of %d s"
            .formatted(options.threads, options.connections, options.rounds, options.seconds));
    lines.forEach(line -> System.out.println("- " + line));
  }

  private static String versions() throws Exception {
    List<String> versions = new ArrayList<>();
    try (Stream<Path> servers = Files.list(Path.of("target/servers"))) {
      servers
          .map(folder -> folder.getFileName().toString())
          .filter(name -> name.matches("jetty-home-.*|apache-tomcat-11.*"))
          .sorted()
          .forEach(versions::add);
    }
    versions.add(first(said("nginx -v"), "(nginx/\\S+)"));
    versions.add("njs " + said("dpkg-query -W -f ${Version} libnginx-mod-http-js"));
    versions.add(first(said("haproxy -v"), "(HAProxy version \\S+)"));
    versions.add(first(said("wrk -v"), "(wrk \\S+)"));
    Path peers = Path.of("bench/peers");
    versions.add(
        jarIn(
            peers.resolve("http-proxy-servlet/target/http-proxy-servlet.war"),
            "smiley-http-proxy-servlet"));
    Path spring = peers.resolve("spring-cloud-gateway/target/spring-cloud-gateway.jar");
    versions.add(jarIn(spring, "spring-cloud-gateway-server-webflux"));
    versions.add(jarIn(spring, "spring-boot"));
    versions.removeIf(String::isBlank);
    return String.join(", ", versions);
  }

  private static String jarIn(Path file, String name) throws IOException {
    if (!Files.exists(file)) {
      return "";
    }
    try (ZipFile zip = new ZipFile(file.toFile())) {
      return zip.stream()
          .map(entry -> first(entry.getName(), "/(" + name + "-\\d[^/]*)\\.jar$"))
          .filter(version -> !version.isEmpty())
          .findFirst()
          .orElse("");
    }
  }

  /** The first line that a command says, on whichever output. */
  private static String said(String command) throws InterruptedException {
    try {
      Process process = new ProcessBuilder(command.split(" ")).redirectErrorStream(true).start();
      try (BufferedReader reader =
          new BufferedReader(new InputStreamReader(process.getInputStream()))) {
        return String.join(", ", reader.lines().limit(1).toList());
      } finally {
        process.waitFor();
      }
    } catch (IOException missing) {
      return "";
    }
  }

  private static String first(String text, String pattern) {
    Matcher matcher = Pattern.compile(pattern).matcher(text);
    return matcher.find() ? matcher.group(1) : "";
  }
}
