package dev.gatehouse.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/** A stock server in a process of its own, with the WAR deployed at one or more context paths. */
public abstract class GatewayServer implements AutoCloseable {
  private static final Duration START = Duration.ofSeconds(90);
  private static final Duration STOP = Duration.ofSeconds(60);
  private static final Pattern TOTAL = Pattern.compile("(?m)^Total +\\d+ +(\\d+)");
  private static final Set<Process> CHILDREN = ConcurrentHashMap.newKeySet();

  static {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(() -> CHILDREN.forEach(Process::destroyForcibly), "kill-servers"));
  }

  private final List<Webapp> webapps = new ArrayList<>();
  private final Map<String, Path> descriptors = new LinkedHashMap<>();
  private final Map<String, String> environment = new LinkedHashMap<>();
  private final String name;
  private final Pattern listening;
  private final Pattern started;
  private final Pattern undeployed;
  private final Map<String, String> configuration = new LinkedHashMap<>();
  private boolean http2;
  private Path base;
  private Process process;
  private int port;

  /**
   * A server of this name that says in its log, by {@code listening}, the port as group 1, by
   * {@code started}, that everything is deployed, and, by {@code undeployed}, that something no
   * longer is.
   */
  protected GatewayServer(String name, String listening, String started, String undeployed) {
    this.name = name;
    this.listening = Pattern.compile(listening);
    this.started = Pattern.compile(started);
    this.undeployed = Pattern.compile(undeployed);
  }

  /** Deploys the WAR once more. */
  public GatewayServer deploy(Webapp webapp) {
    webapps.add(webapp);
    return this;
  }

  /** Accepts HTTP/2 in clear text too, on the same port, set up as the documents ask for. */
  public GatewayServer http2() {
    http2 = true;
    return this;
  }

  /** The same without the settings that the documents ask for. */
  public GatewayServer http2AsItComes() {
    return http2();
  }

  /** Sets an environment variable of the server's process. */
  public GatewayServer environment(String name, String value) {
    environment.put(name, value);
    return this;
  }

  /**
   * Sets what an administrator of the server would: in Jetty a property, in Tomcat an attribute of
   * an element in {@code server.xml}, such as {@code Connector.maxHeaderCount}.
   */
  public GatewayServer configure(String name, String value) {
    configuration.put(name, value);
    return this;
  }

  /** Ends no connection because it has brought many requests, as Tomcat does after 100. */
  public GatewayServer keepingConnections() {
    return this;
  }

  /** Looks for changed descriptors all the time; no stock server does that so soon. */
  public abstract GatewayServer redeployable();

  /** Gives the server's process so much heap, such as {@code 64m}. */
  public GatewayServer heap(String size) {
    return option("-Xmx" + size);
  }

  /** Lets the server's process see so many processors, by which it sizes what it has. */
  public GatewayServer processors(int count) {
    return option("-XX:ActiveProcessorCount=" + count);
  }

  /** Lets the server's process trust what a PKCS#12 file holds, and nothing else. */
  public GatewayServer trusting(Certificate certificate) {
    return option(
        "-Djavax.net.ssl.trustStore=%s -Djavax.net.ssl.trustStorePassword=%s"
            .formatted(certificate.file(), Certificate.PASSWORD));
  }

  private GatewayServer option(String option) {
    // Of all places where a JVM looks for options, this one has the last word.
    environment.merge("_JAVA_OPTIONS", option, (set, next) -> set + " " + next);
    return this;
  }

  /** Collects the server's garbage; the bytes of all objects that are left. */
  public long liveBytes() {
    Path jcmd = Path.of(process.info().command().orElseThrow()).resolveSibling("jcmd");
    Program.Ended histogram =
        Program.at(jcmd).run(String.valueOf(process.pid()), "GC.class_histogram");
    Matcher total = TOTAL.matcher(histogram.output());
    if (!total.find()) {
      throw new IllegalStateException("no histogram: " + histogram);
    }
    return Long.parseLong(total.group(1));
  }

  /** What its process has spent so far. */
  public ProcessCounts counts() {
    return new ProcessCounts(process.pid());
  }

  /** Starts the process and returns when it listens and has tried to deploy everything. */
  public GatewayServer start() {
    try {
      base = newBase();
      for (Webapp webapp : webapps) {
        writeSettings(webapp);
      }
      prepare(base, http2, configuration);
      for (Webapp webapp : webapps) {
        descriptors.put(webapp.context(), describe(base, webapp, settingsFile(webapp)));
      }
      ProcessBuilder builder = new ProcessBuilder(command(base));
      builder.environment().keySet().removeIf(name -> name.startsWith("GATEHOUSE_"));
      builder.environment().keySet().removeAll(List.of("JAVA_OPTS", "CATALINA_OPTS", "JDK_HOME"));
      builder.environment().putAll(environment(base));
      builder.environment().putAll(environment);
      builder.directory(base.toFile());
      builder.redirectErrorStream(true).redirectOutput(console().toFile());
      process = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    CHILDREN.add(process);
    awaitStart();
    return this;
  }

  private void awaitStart() {
    try {
      Awaitility.await()
          .atMost(START)
          .pollInterval(Duration.ofMillis(100))
          .until(() -> !process.isAlive() || started.matcher(read(console())).find());
    } catch (ConditionTimeoutException e) {
      process.destroyForcibly();
      throw new IllegalStateException(this + " did not start in " + START + ":\n" + log(), e);
    }
    Matcher line = listening.matcher(read(console()));
    if (!process.isAlive() || !line.find()) {
      String how = process.isAlive() ? "" : ", exit code " + process.exitValue();
      process.destroyForcibly();
      throw new IllegalStateException(this + " did not start" + how + ":\n" + log());
    }
    port = Integer.parseInt(line.group(1));
  }

  /** The port it listens on, on 127.0.0.1. */
  public int port() {
    return port;
  }

  /** The URL of a context, without a slash at its end. */
  public String url(String context) {
    return "http://127.0.0.1:" + port + context;
  }

  /** What the server and the gateway wrote so far: standard output, standard error, log files. */
  public String log() {
    StringBuilder log = new StringBuilder(read(console()));
    for (Path file : logFiles(base)) {
      log.append("---- ").append(file.getFileName()).append('\n').append(read(file));
    }
    return log.toString();
  }

  /** The access log of the gateway at a context. */
  public Path accessLog(String context) {
    return base.resolve("logs").resolve("access-" + Webapp.at(context).name() + ".log");
  }

  /** The lines of the access log of the gateway at a context, as far as they are written. */
  public List<String> accessLogLines(String context) {
    Path file = accessLog(context);
    return Files.exists(file) ? read(file).lines().toList() : List.of();
  }

  /**
   * Touches the descriptor of a deployment, and returns when the server has stopped it and started
   * it anew, whichever it does first.
   */
  public void redeploy(String context) {
    String line = "Gatehouse at " + (context.isEmpty() ? "/" : context) + " in ";
    Pattern start = Pattern.compile(Pattern.quote(line));
    long starts = inLog(start);
    long stops = inLog(undeployed);
    try {
      Files.setLastModifiedTime(descriptors.get(context), FileTime.from(Instant.now()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Awaitility.await()
        .atMost(START)
        .pollInterval(Duration.ofMillis(100))
        .until(() -> inLog(start) > starts && inLog(undeployed) > stops && deployed(context));
  }

  private long inLog(Pattern text) {
    return text.matcher(read(console())).results().count();
  }

  /** What the JDK's {@code jcmd} tells about the process. */
  public String diagnose(String... command) {
    List<String> line = new ArrayList<>();
    line.add(Jdk.chosen().resolve("bin/jcmd").toString());
    line.add(String.valueOf(process.pid()));
    line.addAll(List.of(command));
    try {
      Process jcmd = new ProcessBuilder(line).redirectErrorStream(true).start();
      return new String(jcmd.getInputStream().readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether a gateway answers at a context. */
  public boolean deployed(String context) {
    try (RawClient client = connect()) {
      client.send(RawRequest.of("GET", context + "/gateway/health/live"));
      return client.receive().status() == 200;
    }
  }

  /** The stacks of its threads, one text for each. */
  public List<String> threads() {
    return Stream.of(diagnose("Thread.print").split("\n(?=\")"))
        .filter(stack -> stack.startsWith("\""))
        .toList();
  }

  /** A connection to it; if it has died, an exception that says so instead. */
  public RawClient connect() {
    if (!process.isAlive()) {
      throw new IllegalStateException(this + " died, exit code " + process.exitValue());
    }
    return RawClient.connect(port);
  }

  /** Asks the process to end, as a service manager does, and waits until it has. */
  public void stop() {
    process.destroy();
    try {
      if (!process.waitFor(STOP.toSeconds(), TimeUnit.SECONDS)) {
        throw new IllegalStateException(this + " did not stop in " + STOP + ":\n" + log());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    } finally {
      process.destroyForcibly();
      CHILDREN.remove(process);
    }
  }

  @Override
  public void close() {
    if (process != null && process.isAlive()) {
      stop();
    }
  }

  @Override
  public String toString() {
    return name;
  }

  /** Lays out the base directory: the stock configuration, on a free port of 127.0.0.1. */
  protected abstract void prepare(Path base, boolean http2, Map<String, String> configuration)
      throws IOException;

  /** Writes the server's descriptor of a deployment, which names the settings file. */
  protected abstract Path describe(Path base, Webapp webapp, Path settings) throws IOException;

  /** The command line that starts the server in the foreground. */
  protected abstract List<String> command(Path base);

  /** What the server wants in its environment. */
  protected abstract Map<String, String> environment(Path base);

  /** Log files that the server writes besides its output. */
  protected abstract List<Path> logFiles(Path base);

  /** The WAR under test. */
  protected static Path war() {
    return located("gatehouse.test.war", "target", "gatehouse.war");
  }

  /** A file or folder named by a system property, else the one in {@code folder} so named. */
  protected static Path located(String property, String folder, String prefix) {
    String named = System.getProperty(property);
    if (named != null) {
      return Path.of(named).toAbsolutePath();
    }
    try (Stream<Path> found = Files.list(Path.of(folder))) {
      return found
          .filter(path -> path.getFileName().toString().startsWith(prefix))
          .findFirst()
          .orElseThrow(() -> new IllegalStateException("run mvn pre-integration-test first"))
          .toAbsolutePath();
    } catch (IOException e) {
      throw new UncheckedIOException("run mvn pre-integration-test first", e);
    }
  }

  /** The WAR's own web.xml with a deployment's elements added at its end. */
  protected static String fullWebXml(Webapp webapp) throws IOException {
    try (var zip = new java.util.zip.ZipFile(war().toFile())) {
      var entry = zip.getEntry("WEB-INF/web.xml");
      String text = new String(zip.getInputStream(entry).readAllBytes(), UTF_8);
      int end = text.lastIndexOf("</web-app>");
      return text.substring(0, end) + webapp.webXml() + text.substring(end);
    }
  }

  private Path newBase() throws IOException {
    Path parent = Files.createDirectories(Path.of("target", "it").toAbsolutePath());
    Path fresh = Files.createTempDirectory(parent, this + "-");
    Files.createDirectories(fresh.resolve("logs"));
    Files.createDirectories(fresh.resolve("temp"));
    return fresh;
  }

  private void writeSettings(Webapp webapp) throws IOException {
    Properties settings = new Properties();
    settings.setProperty("accessLog", accessLog(webapp.context()).toString());
    settings.putAll(webapp.settings());
    try (Writer file = Files.newBufferedWriter(settingsFile(webapp), UTF_8)) {
      settings.store(file, null);
    }
  }

  private Path settingsFile(Webapp webapp) {
    return base.resolve(webapp.name() + ".properties");
  }

  private Path console() {
    return base.resolve("logs").resolve("console.log");
  }

  private static String read(Path file) {
    try {
      return Files.exists(file) ? new String(Files.readAllBytes(file), UTF_8) : "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
