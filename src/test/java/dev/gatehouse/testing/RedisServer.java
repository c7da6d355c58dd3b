package dev.gatehouse.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A real Redis in a process of its own, on a free port of 127.0.0.1. It is the one that the build
 * unpacks, or the program that the system property {@code gatehouse.test.redisServer} names by its
 * path.
 */
public final class RedisServer implements AutoCloseable {
  private static final String HOST = "localhost";
  private static final String CHOICE = "gatehouse.test.redisServer";
  private static final String NIL = "(nil)";
  private static final Duration START = Duration.ofSeconds(30);
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** Longer than an answer takes within the machine. */
  private static final Duration SOON = Duration.ofMillis(300);

  private static final Pattern MAJOR_VERSION = Pattern.compile("\\bv=(\\d+)\\.");
  private static final Set<Process> CHILDREN = ConcurrentHashMap.newKeySet();

  static {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(() -> CHILDREN.forEach(Process::destroyForcibly), "kill-redis"));
  }

  /** What Redis says when it does not do what it is told. */
  private static final class ErrorReply extends IOException {
    private ErrorReply(String message) {
      super(message);
    }
  }

  private final Path folder;
  private final String password;
  private final @Nullable Certificate certificate;
  private final @Nullable SSLContext tls;
  private final int port;
  private volatile Process process;

  private RedisServer(Path folder, String password, @Nullable Certificate certificate)
      throws IOException {
    this.folder = folder;
    this.password = password;
    this.certificate = certificate;
    this.tls = certificate == null ? null : certificate.context();
    this.port = freePort();
    this.process = launch();
  }

  /** Starts one that anybody may use. */
  public static RedisServer start() {
    return withPassword("");
  }

  /** Starts one that wants a password. */
  public static RedisServer withPassword(String password) {
    try {
      return started(new RedisServer(newFolder(), password, null));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Starts one that speaks TLS and nothing else, and asks for no client's certificate. */
  public static RedisServer withTls() {
    try {
      Path folder = newFolder();
      return started(new RedisServer(folder, "", Certificate.in(folder, "dns:" + HOST)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static RedisServer started(RedisServer server) {
    server.awaitAnswer();
    return server;
  }

  /** The URL of it, with the password if it wants one. */
  public String url() {
    String scheme = certificate == null ? "redis://" : "rediss://";
    return scheme + (password.isEmpty() ? "" : ":" + password + "@") + HOST + ":" + port;
  }

  /** Whether its process is there, be it paused or not. */
  public boolean isRunning() {
    return process.isAlive();
  }

  /** The port it listens on, on 127.0.0.1. */
  public int port() {
    return port;
  }

  /** What the one that speaks TLS shows: it is for {@code localhost}, and not for 127.0.0.1. */
  public Certificate certificate() {
    if (certificate == null) {
      throw new IllegalStateException(this + " does not speak TLS");
    }
    return certificate;
  }

  /** Stops the process where it is: its port takes connections, and nothing is answered. */
  public void pause() {
    signal("STOP");
    // The signal may arrive later than the program ends that sent it.
    Awaitility.await().atMost(START).until(() -> !answers(SOON));
  }

  /** Lets a paused process go on and returns when it answers. */
  public void resume() {
    signal("CONT");
    awaitAnswer();
  }

  /** Kills the process and returns when it is gone, and all its connections with it. */
  public void kill() {
    // This ends a paused one, too.
    process.destroyForcibly();
    try {
      if (!process.waitFor(START.toSeconds(), TimeUnit.SECONDS)) {
        throw new IllegalStateException(this + " was not gone in " + START);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
    CHILDREN.remove(process);
  }

  /** Kills it, if it lives, and starts it anew: the same port and options, and no data. */
  public void restart() {
    kill();
    try {
      process = launch();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    awaitAnswer();
  }

  /**
   * Sends one command on a connection of its own; the one text of the answer. A number is a text,
   * too, and {@code (nil)} is what is not there.
   */
  public String command(String... words) {
    List<String> texts = list(words);
    if (texts.size() != 1) {
      throw new AssertionError("expected one text, not " + texts);
    }
    return texts.get(0);
  }

  /** Sends one command like {@link #command}; the texts of the answer, of lists in it, too. */
  public List<String> list(String... words) {
    try {
      return exchange(PATIENCE, words);
    } catch (ErrorReply e) {
      throw new AssertionError(String.join(" ", words) + ": " + e.getMessage(), e);
    } catch (IOException e) {
      throw new UncheckedIOException(String.join(" ", words) + ": " + e.getMessage(), e);
    }
  }

  /** What it wrote so far, before each restart, too. */
  public String log() {
    try {
      return Files.readString(logFile(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    kill();
  }

  @Override
  public String toString() {
    return "redis-" + port;
  }

  private Process launch() throws IOException {
    // Some commands write the data to this file, and a new process would read it.
    Files.deleteIfExists(folder.resolve("dump.rdb"));
    Path program = program();
    List<String> line = new ArrayList<>(List.of(program.toString()));
    line.addAll(List.of("--bind", "127.0.0.1", "--save", "", "--appendonly", "no"));
    if (certificate == null) {
      line.addAll(List.of("--port", String.valueOf(port)));
    } else {
      String pem = certificate.pem().toString();
      line.addAll(List.of("--port", "0", "--tls-port", String.valueOf(port)));
      line.addAll(List.of("--tls-cert-file", pem, "--tls-key-file", pem));
      line.addAll(List.of("--tls-auth-clients", "no"));
    }
    if (!password.isEmpty()) {
      line.addAll(List.of("--requirepass", password));
    }
    if (majorVersion(program) >= 7) {
      // Before, DEBUG SLEEP was always allowed, and nobody knew this option.
      line.addAll(List.of("--enable-debug-command", "yes"));
    }
    Process launched =
        new ProcessBuilder(line)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(Redirect.appendTo(logFile().toFile()))
            .start();
    CHILDREN.add(launched);
    return launched;
  }

  private void awaitAnswer() {
    String failure = "";
    try {
      Awaitility.await()
          .atMost(START)
          .pollInterval(Duration.ofMillis(20))
          .until(() -> !process.isAlive() || answers(SOON));
    } catch (ConditionTimeoutException e) {
      failure = " does not answer after " + START;
    }
    if (!process.isAlive()) {
      failure = " ended, exit code " + process.exitValue();
    }
    if (!failure.isEmpty()) {
      kill();
      throw new AssertionError(this + failure + ":\n" + log());
    }
  }

  /** Whether it says anything within a time, if only that it will not. */
  private boolean answers(Duration time) {
    try {
      exchange(time, "PING");
      return true;
    } catch (ErrorReply e) {
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private void signal(String name) {
    if (!process.isAlive()) {
      throw new IllegalStateException(this + " is dead");
    }
    // The shell has this command built in; as a program it may be missing.
    Program.Ended kill = Program.at(Path.of("sh")).run("-c", "kill -" + name + " " + process.pid());
    if (kill.exitCode() != 0) {
      throw new IllegalStateException("no signal: " + kill);
    }
  }

  private List<String> exchange(Duration patience, String... words) throws IOException {
    try (Socket plain = new Socket()) {
      plain.connect(
          new InetSocketAddress(InetAddress.getLoopbackAddress(), port), (int) patience.toMillis());
      plain.setSoTimeout((int) patience.toMillis());
      Socket socket = secured(plain);
      InputStream in = new BufferedInputStream(socket.getInputStream());
      OutputStream out = socket.getOutputStream();
      List<String> texts = new ArrayList<>();
      if (!password.isEmpty()) {
        send(out, "AUTH", password);
        receive(in, texts);
        texts.clear();
      }
      send(out, words);
      receive(in, texts);
      return texts;
    }
  }

  private Socket secured(Socket plain) throws IOException {
    if (tls == null) {
      return plain;
    }
    SSLSocket socket = (SSLSocket) tls.getSocketFactory().createSocket(plain, HOST, port, true);
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    socket.setSSLParameters(parameters);
    return socket;
  }

  private static void send(OutputStream out, String... words) throws IOException {
    ByteArrayOutputStream command = new ByteArrayOutputStream();
    command.writeBytes(("*" + words.length + "\r\n").getBytes(UTF_8));
    for (String word : words) {
      byte[] bytes = word.getBytes(UTF_8);
      command.writeBytes(("$" + bytes.length + "\r\n").getBytes(UTF_8));
      command.writeBytes(bytes);
      command.writeBytes("\r\n".getBytes(UTF_8));
    }
    out.write(command.toByteArray());
    out.flush();
  }

  /** Reads an answer in the protocol's version 2, and adds its texts. */
  private static void receive(InputStream in, List<String> texts) throws IOException {
    String line = line(in);
    String rest = line.substring(1);
    switch (line.charAt(0)) {
      case '+', ':' -> texts.add(rest);
      case '-' -> throw new ErrorReply(rest);
      case '$' -> texts.add(bulk(in, Integer.parseInt(rest)));
      case '*' -> {
        int length = Integer.parseInt(rest);
        if (length < 0) {
          texts.add(NIL);
        }
        for (int i = 0; i < length; i++) {
          receive(in, texts);
        }
      }
      default -> throw new IOException("no answer of Redis: " + line);
    }
  }

  private static String bulk(InputStream in, int length) throws IOException {
    if (length < 0) {
      return NIL;
    }
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length || !line(in).isEmpty()) {
      throw new EOFException("the answer broke off");
    }
    return new String(bytes, UTF_8);
  }

  private static String line(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        throw new EOFException("the connection was closed");
      }
      line.write(next);
    }
    return line.toString(UTF_8).stripTrailing();
  }

  private static Path program() throws IOException {
    String named = System.getProperty(CHOICE);
    if (named != null) {
      return Path.of(named).toAbsolutePath();
    }
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String processor = System.getProperty("os.arch");
    String ending =
        (system.startsWith("mac") ? "-darwin" : "-" + system)
            + (processor.equals("aarch64") ? "-arm64" : "-" + processor.replace("x86_64", "amd64"));
    try (Stream<Path> files =
        Files.list(GatewayServer.located("gatehouse.test.redis", "target", "servers"))) {
      return files
          .filter(file -> file.getFileName().toString().matches("redis-server-.*" + ending))
          .max(Comparator.naturalOrder())
          .orElseThrow(
              () ->
                  new IllegalStateException(
                      "no redis-server-*%s: name one by -D%s=<path>".formatted(ending, CHOICE)));
    }
  }

  private static int majorVersion(Path program) {
    Program.Ended told = Program.at(program).run("--version");
    Matcher version = MAJOR_VERSION.matcher(told.output());
    if (!version.find()) {
      throw new IllegalStateException("no version: " + told);
    }
    return Integer.parseInt(version.group(1));
  }

  /**
   * Looks below the ports that systems hand out: one of those could be a client's own by the time
   * of the restart.
   */
  private static int freePort() throws IOException {
    int free = 0;
    while (free == 0) {
      int port = ThreadLocalRandom.current().nextInt(10_000, 30_000);
      try {
        new ServerSocket(port, 1, InetAddress.getLoopbackAddress()).close();
        free = port;
      } catch (BindException taken) {
        // Another one is not.
      }
    }
    return free;
  }

  private static Path newFolder() throws IOException {
    Path parent = Files.createDirectories(Path.of("target", "it").toAbsolutePath());
    return Files.createTempDirectory(parent, "redis-");
  }

  private Path logFile() {
    return folder.resolve("redis.log");
  }
}
