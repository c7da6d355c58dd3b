package bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What the command line asks for. */
final class Options {
  static final String USAGE =
      """
      bench/run [jobs|latency|idle|services|start] [option]...

        --jobs plain,full,large       which jobs (jobs only)
        --gateways tomcat,jetty,tomcat-no-memory          or none
        --peers nginx,haproxy,http-proxy-servlet,spring   or none
        --rounds 3                    every contender is measured once in each round;
                                      with 0 the set-ups are checked, and that is all
        --seconds 6                   length of one measurement
        --warm-up 20                  least seconds for each JVM, and until its rate is steady
        --threads 2, --connections 32 of wrk
        --war FILE                    another WAR than target/gatehouse.war; given several times,
                                      all of them are measured in the same run
        --jdk FOLDER                  for the servers; default: JAVA_HOME
        --heap 256m                   -Xmx of the gateways
        --peer-heap 512m              -Xmx of the peers that are Java
        --jvm-options "-XX:..."       more options for the gateways' JVMs
        --server-settings FOLDER      with jetty.ini and tomcat.properties for the gateways' servers,
                                      or "stock"; given several times, all are measured
      """;

  String command = "jobs";
  List<Job> jobs = List.of(Job.values());
  List<String> gateways = List.of("tomcat", "jetty", "tomcat-no-memory");
  List<String> peers = List.of("nginx", "haproxy", "http-proxy-servlet", "spring");
  int rounds = 3;
  int seconds = 6;
  int warmUp = 20;
  int threads = 2;
  int connections = 32;
  final List<Path> wars = new ArrayList<>();
  Path jdk = Path.of(System.getenv().getOrDefault("JAVA_HOME", System.getProperty("java.home")));
  String heap = "256m";
  String peerHeap = "512m";
  List<String> jvmOptions = List.of();
  final List<String> serverSettings = new ArrayList<>();

  static Options of(String[] arguments) {
    Options options = new Options();
    int next = 0;
    if (arguments.length > 0 && !arguments[0].startsWith("--")) {
      options.command = arguments[next++];
    }
    while (next < arguments.length) {
      String name = arguments[next++];
      if (name.equals("--help") || next == arguments.length) {
        throw new IllegalArgumentException(USAGE);
      }
      options.set(name, arguments[next++]);
    }
    if (options.wars.isEmpty()) {
      options.wars.add(Path.of("target/gatehouse.war"));
    }
    if (options.serverSettings.isEmpty()) {
      options.serverSettings.add("stock");
    }
    options.check();
    return options;
  }

  /** The same with other rounds. */
  Options with(int newRounds, int newSeconds) {
    Options copy = new Options();
    copy.warmUp = warmUp;
    copy.threads = threads;
    copy.connections = connections;
    copy.rounds = newRounds;
    copy.seconds = newSeconds;
    return copy;
  }

  private void set(String name, String value) {
    switch (name) {
      case "--jobs" ->
          jobs = list(value).stream().map(text -> Job.valueOf(text.toUpperCase())).toList();
      case "--gateways" -> gateways = value.equals("none") ? List.of() : list(value);
      case "--peers" -> peers = value.equals("none") ? List.of() : list(value);
      case "--rounds" -> rounds = Integer.parseInt(value);
      case "--seconds" -> seconds = Integer.parseInt(value);
      case "--warm-up" -> warmUp = Integer.parseInt(value);
      case "--threads" -> threads = Integer.parseInt(value);
      case "--connections" -> connections = Integer.parseInt(value);
      case "--war" -> wars.add(Path.of(value));
      case "--jdk" -> jdk = Path.of(value);
      case "--heap" -> heap = value;
      case "--peer-heap" -> peerHeap = value;
      case "--jvm-options" -> jvmOptions = List.of(value.strip().split("\\s+"));
      case "--server-settings" -> serverSettings.add(value);
      default -> throw new IllegalArgumentException("no option " + name + "\n" + USAGE);
    }
  }

  private void check() {
    Options all = new Options();
    require(
        List.of("jobs", "latency", "idle", "services", "start").contains(command),
        "no command '" + command + "'");
    for (String gateway : gateways) {
      require(all.gateways.contains(gateway), "no gateway '" + gateway + "'");
    }
    for (String peer : peers) {
      require(all.peers.contains(peer), "no peer '" + peer + "'");
    }
    for (Path war : wars) {
      require(Files.exists(war), war + " is missing");
    }
    for (String settings : serverSettings) {
      // Without this check, a misspelt folder would be measured as a stock server under its name.
      require(
          settings.equals("stock") || Files.isDirectory(Path.of(settings)),
          settings + " is no folder");
    }
    require(Files.isExecutable(jdk.resolve("bin/java")), jdk + " is no JDK");
    require(rounds >= 0 && seconds > 0, "--seconds must be above 0");
  }

  private static void require(boolean good, String problem) {
    if (!good) {
      throw new IllegalArgumentException(problem + "\n" + USAGE);
    }
  }

  private static List<String> list(String value) {
    return Arrays.stream(value.split(",")).map(String::strip).toList();
  }
}
