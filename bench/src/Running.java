package bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A server that runs, with all of its processes, on a port of 127.0.0.1. */
final class Running implements AutoCloseable {
  /** Guards itself; once it is stopping, nothing is started any more. */
  private static final Set<Process> STARTED = new HashSet<>();

  private static boolean stopping;

  /** What the kernel counts CPU time in, for programs: always a hundredth of a second. */
  private static final long TICK_MICROS = 10_000;

  private final Process process;
  private final int port;
  private final Path log;

  private Running(Process process, int port, Path log) {
    this.process = process;
    this.port = port;
    this.log = log;
  }

  /** Has every process ended with this one, however it ends. */
  static void stopAllAtExit() {
    Runtime.getRuntime().addShutdownHook(new Thread(Running::stopAll));
  }

  /** Starts a program whose output goes to two files of a folder. */
  static Running start(Path folder, int port, Map<String, String> environment, List<String> command)
      throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
    // What is set for others must not change what is measured.
    builder.environment().keySet().removeIf(name -> name.startsWith("GATEHOUSE_"));
    builder
        .environment()
        .keySet()
        .removeAll(Set.of("JAVA_OPTS", "CATALINA_OPTS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS"));
    builder.environment().putAll(environment);
    builder.redirectOutput(folder.resolve("output.log").toFile());
    builder.redirectError(folder.resolve("errors.log").toFile());
    return new Running(started(builder), port, folder.resolve("errors.log"));
  }

  /** Runs a program to its end and tells what it wrote to its standard output. */
  static String output(List<String> command) throws IOException, InterruptedException {
    Process process = started(new ProcessBuilder(command).redirectError(Redirect.INHERIT));
    try {
      String output = new String(process.getInputStream().readAllBytes(), UTF_8);
      if (process.waitFor() != 0) {
        throw new IOException(command + " failed: " + output);
      }
      return output;
    } finally {
      forget(process);
    }
  }

  private static Process started(ProcessBuilder builder) throws IOException {
    synchronized (STARTED) {
      if (stopping) {
        throw new IOException("stopping");
      }
      Process process = builder.start();
      STARTED.add(process);
      return process;
    }
  }

  private static void stopAll() {
    synchronized (STARTED) {
      stopping = true;
      stop(List.copyOf(STARTED));
    }
  }

  private static void forget(Process process) {
    synchronized (STARTED) {
      STARTED.remove(process);
    }
  }

  int port() {
    return port;
  }

  long pid() {
    return process.pid();
  }

  boolean ended() {
    return !process.isAlive();
  }

  /** What it has said, for a message when it does not work. */
  String lastWords() throws IOException {
    StringBuilder words = new StringBuilder();
    for (Path file : List.of(log, log.resolveSibling("output.log"))) {
      List<String> lines = Files.readAllLines(file, UTF_8);
      words.append(file).append(":\n");
      lines
          .subList(Math.max(0, lines.size() - 30), lines.size())
          .forEach(line -> words.append("  ").append(line).append('\n'));
    }
    return words.toString();
  }

  /** User and system time of all its processes since they began. */
  long cpuMicros() throws IOException {
    long ticks = 0;
    for (long pid : pids()) {
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"), UTF_8);
      // The name before the last parenthesis may hold spaces.
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
      ticks += Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
    }
    return ticks * TICK_MICROS;
  }

  /** Resident memory of all its processes. */
  long rssKiB() throws IOException {
    return sumOfStatus("VmRSS:");
  }

  /** Threads of all its processes. */
  long threads() throws IOException {
    return sumOfStatus("Threads:");
  }

  private long sumOfStatus(String name) throws IOException {
    long sum = 0;
    for (long pid : pids()) {
      for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"), UTF_8)) {
        if (line.startsWith(name)) {
          sum += Long.parseLong(line.replaceAll("\\D", ""));
        }
      }
    }
    return sum;
  }

  private List<Long> pids() {
    return Stream.concat(Stream.of(process.toHandle()), process.descendants())
        .filter(ProcessHandle::isAlive)
        .map(ProcessHandle::pid)
        .toList();
  }

  @Override
  public void close() {
    stop(List.of(process));
    forget(process);
  }

  private static void stop(List<Process> processes) {
    List<ProcessHandle> children = processes.stream().flatMap(Process::descendants).toList();
    processes.forEach(Process::destroy);
    for (Process process : processes) {
      try {
        if (!process.waitFor(10, TimeUnit.SECONDS)) {
          process.destroyForcibly();
        }
      } catch (InterruptedException e) {
        process.destroyForcibly();
      }
    }
    children.forEach(ProcessHandle::destroyForcibly);
  }

  /** A port that nobody listens on, for a program that must be told its port. */
  static int freePort() {
    // Below those that the system gives to outgoing connections, so that none takes it meanwhile.
    for (int attempt = 0; attempt < 1_000; attempt++) {
      int port = ThreadLocalRandom.current().nextInt(20_000, 30_000);
      try (ServerSocket probe = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return probe.getLocalPort();
      } catch (IOException inUse) {
        // The next one.
      }
    }
    throw new IllegalStateException("no free port");
  }
}
