package bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import bench.Callers.Algorithm;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** How each contender is set up and started. Its configuration is in the folder {@code bench}. */
final class Contenders {
  private static final Path CONFIGURATION = Path.of("bench").toAbsolutePath();
  private static final Pattern PLACEHOLDER = Pattern.compile("\\$\\{(\\w+)}");

  private final Options options;
  private final Callers callers;
  private final Path work;
  private final Running service;
  private final List<String> missing = new ArrayList<>();

  Contenders(Options options, Callers callers, Path work) throws Exception {
    this.options = options;
    this.callers = callers;
    this.work = work;
    this.service = startService();
  }

  Running service() {
    return service;
  }

  Callers callers() {
    return callers;
  }

  /** What could not be measured here, and why. */
  List<String> missing() {
    return missing;
  }

  Contender direct() {
    return new Contender(
        "direct", false, false, service, Optional.empty(), Optional.empty(), List.of(""));
  }

  /**
   * Starts everything that is asked for and that this machine has. Plain and large share theirs.
   */
  Map<Job, List<Contender>> start() throws Exception {
    Map<Job, List<Contender>> all = new HashMap<>();
    if (options.jobs.contains(Job.PLAIN) || options.jobs.contains(Job.LARGE)) {
      List<Contender> plain = startPlain();
      all.put(Job.PLAIN, plain);
      all.put(
          Job.LARGE,
          plain.stream()
              .filter(one -> !List.of("haproxy", "http-proxy-servlet").contains(one.name()))
              .toList());
    }
    if (options.jobs.contains(Job.FULL)) {
      all.put(Job.FULL, startFull());
    }
    all.keySet().retainAll(options.jobs);
    return all;
  }

  private List<Contender> startPlain() throws Exception {
    List<Contender> all = new ArrayList<>();
    all.add(direct());
    if (options.peers.contains("nginx") && has("nginx")) {
      all.add(peer("nginx", startNginx("nginx", "plain/nginx.conf", Map.of())));
    }
    if (options.peers.contains("haproxy") && has("haproxy")) {
      all.add(peer("haproxy", startHaproxy("haproxy", "plain/haproxy.cfg")));
    }
    if (options.peers.contains("http-proxy-servlet")) {
      all.add(startHttpProxyServlet());
    }
    for (Variant variant : variants()) {
      for (String server : List.of("tomcat", "jetty")) {
        if (options.gateways.contains(server)) {
          all.add(startGateway(server, variant, plainWebXml(), "", "plain"));
        }
      }
    }
    return all;
  }

  private List<Contender> startFull() throws Exception {
    List<Contender> all = new ArrayList<>();
    if (options.peers.contains("nginx") && has("nginx")) {
      startNginxWithNjs().ifPresent(all::add);
    }
    if (options.peers.contains("haproxy") && has("haproxy")) {
      Running server = startHaproxy("haproxy-full", "full/haproxy.cfg");
      Path log = work.resolve("haproxy-full/output.log");
      all.add(
          new Contender(
              "haproxy", false, false, server, Optional.of(Algorithm.RS256), Optional.of(log)));
    }
    if (options.peers.contains("spring")) {
      all.add(startSpringCloudGateway());
    }
    for (Variant variant : variants()) {
      for (String server : options.gateways) {
        String memory = server.endsWith("-no-memory") ? "none" : "32MiB";
        all.add(startGateway(server, variant, Optional.empty(), settings(memory), "full"));
      }
    }
    return all;
  }

  /** A gateway's WAR and the settings of its server; both may be given several times. */
  record Variant(String label, Path war, Optional<Path> serverSettings) {}

  List<Variant> variants() {
    List<Variant> variants = new ArrayList<>();
    for (Path war : options.wars) {
      for (String settings : options.serverSettings) {
        String label = "";
        if (options.wars.size() > 1) {
          label += " " + war.getFileName();
        }
        if (options.serverSettings.size() > 1) {
          label += " " + Path.of(settings).getFileName();
        }
        Optional<Path> folder =
            settings.equals("stock") ? Optional.empty() : Optional.of(Path.of(settings));
        variants.add(new Variant(label, war.toAbsolutePath(), folder));
      }
    }
    return variants;
  }

  private Running startService() throws Exception {
    if (!has("nginx")) {
      throw new IllegalStateException("nginx is needed as the service");
    }
    Path folder = newFolder("service");
    Files.write(Files.createDirectory(folder.resolve("files")).resolve("big"), new byte[1 << 20]);
    int port = Running.freePort();
    Map<String, String> values = Map.of("servicePort", "" + port, "workers", "2");
    return startNginx(folder, port, "service/nginx.conf", values, Map.of());
  }

  private Running startNginx(String name, String configuration, Map<String, String> values)
      throws Exception {
    return startNginx(newFolder(name), Running.freePort(), configuration, values, Map.of());
  }

  private Running startNginx(
      Path folder,
      int port,
      String configuration,
      Map<String, String> values,
      Map<String, String> environment)
      throws Exception {
    Files.createDirectories(folder.resolve("temp"));
    Files.writeString(folder.resolve("nginx.conf"), filled(configuration, port, values), UTF_8);
    return Running.start(
        folder,
        port,
        environment,
        List.of(
            program("nginx"),
            "-p",
            folder.toString(),
            "-c",
            folder.resolve("nginx.conf").toString(),
            "-e",
            "error.log"));
  }

  private Optional<Contender> startNginxWithNjs() throws Exception {
    Optional<Path> modules =
        Stream.of("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules")
            .map(Path::of)
            .filter(folder -> Files.exists(folder.resolve("ngx_http_js_module.so")))
            .findFirst();
    if (modules.isEmpty()) {
      missing.add("nginx + njs: no ngx_http_js_module.so (Debian: libnginx-mod-http-js)");
      return Optional.empty();
    }
    Path folder = newFolder("nginx-njs");
    Map<String, String> values =
        Map.of(
            "modules", modules.get().toString(),
            "configuration", CONFIGURATION.resolve("full").toString());
    Running server =
        startNginx(
            folder,
            Running.freePort(),
            "full/nginx.conf",
            values,
            Map.of("JWT_SECRET", callers.secret()));
    return Optional.of(
        new Contender(
            "nginx-njs",
            false,
            false,
            server,
            Optional.of(Algorithm.HS256),
            Optional.of(folder.resolve("access.log"))));
  }

  private Running startHaproxy(String name, String configuration) throws Exception {
    Path folder = newFolder(name);
    int port = Running.freePort();
    Path file = folder.resolve("haproxy.cfg");
    Files.writeString(file, filled(configuration, port, Map.of()), UTF_8);
    return Running.start(
        folder, port, Map.of(), List.of(program("haproxy"), "-db", "-f", file.toString()));
  }

  private Contender startHttpProxyServlet() throws Exception {
    Path module = CONFIGURATION.resolve("peers/http-proxy-servlet");
    String webXml = filled("peers/http-proxy-servlet/src/main/webapp/WEB-INF/web.xml", 0, Map.of());
    Path war = module.resolve("target/http-proxy-servlet.war");
    Running server =
        new ServletServer(newFolder("http-proxy-servlet"), options.jdk)
            .startTomcat(
                new ServletServer.Application(war, Optional.of(webXml), ""),
                Optional.empty(),
                List.of("-Xmx" + options.peerHeap));
    return new Contender(
        "http-proxy-servlet", false, true, server, Optional.empty(), Optional.empty());
  }

  private Contender startSpringCloudGateway() throws Exception {
    Path folder = newFolder("spring-cloud-gateway");
    int port = Running.freePort();
    Running server =
        Running.start(
            folder,
            port,
            Map.of(),
            List.of(
                java(),
                "-Xmx" + options.peerHeap,
                "-jar",
                CONFIGURATION
                    .resolve("peers/spring-cloud-gateway/target/spring-cloud-gateway.jar")
                    .toString(),
                "--server.port=" + port,
                "--service=http://127.0.0.1:" + service.port(),
                "--publicKey=" + callers.publicKeyFile()));
    return new Contender(
        "spring", false, true, server, Optional.of(Algorithm.RS256), Optional.empty());
  }

  private static Contender peer(String name, Running server) {
    return new Contender(name, false, false, server, Optional.empty(), Optional.empty());
  }

  Optional<String> plainWebXml() throws IOException {
    return Optional.of(filled("plain/web.xml", 0, Map.of()));
  }

  /** The gateway's settings for the full job. */
  String settings(String memory) throws IOException {
    return filled("full/gatehouse.properties", 0, Map.of("memory", memory));
  }

  /**
   * Starts the gateway.
   *
   * @param server {@code tomcat} or {@code jetty}, and what else its name says
   * @param webXml in place of the WAR's own
   * @param settings what stands in gatehouse.properties
   */
  Contender startGateway(
      String server, Variant variant, Optional<String> webXml, String settings, String suffix)
      throws Exception {
    Path folder = newFolder(server + "-" + suffix + variant.label().replace(' ', '-'));
    List<String> jvm = new ArrayList<>(List.of("-Xmx" + options.heap));
    jvm.addAll(options.jvmOptions);
    ServletServer.Application application =
        new ServletServer.Application(variant.war(), webXml, settings);
    ServletServer stock = new ServletServer(folder, options.jdk);
    Running running =
        server.startsWith("tomcat")
            ? stock.startTomcat(application, variant.serverSettings(), jvm)
            : stock.startJetty(application, variant.serverSettings(), jvm);
    boolean full = webXml.isEmpty();
    return new Contender(
        server + variant.label(),
        true,
        true,
        running,
        full ? Optional.of(Algorithm.RS256) : Optional.empty(),
        full ? Optional.of(folder.resolve("logs/gatehouse-access.log")) : Optional.empty());
  }

  /** A file of the folder bench with its placeholders filled in. */
  String filled(String file, int port, Map<String, String> more) throws IOException {
    Map<String, String> values = new HashMap<>(more);
    values.put("port", "" + port);
    values.put("user", System.getProperty("user.name"));
    values.put("publicKey", callers.publicKeyFile().toString());
    if (service != null) {
      values.put("servicePort", "" + service.port());
    }
    String text = Files.readString(CONFIGURATION.resolve(file), UTF_8);
    return PLACEHOLDER
        .matcher(text)
        .replaceAll(
            found -> {
              String value = values.get(found.group(1));
              if (value == null) {
                throw new IllegalStateException(file + ": nothing to fill in " + found.group());
              }
              return Matcher.quoteReplacement(value);
            });
  }

  private Path newFolder(String name) throws IOException {
    return Files.createDirectory(work.resolve(name));
  }

  private String java() {
    return options.jdk.resolve("bin/java").toString();
  }

  private boolean has(String program) {
    if (find(program).isPresent()) {
      return true;
    }
    String problem = program + ": not on this machine";
    if (!missing.contains(problem)) {
      missing.add(problem);
    }
    return false;
  }

  static String program(String name) {
    return find(name).orElseThrow(() -> new IllegalStateException(name + " is not on the PATH"));
  }

  private static Optional<String> find(String name) {
    // Debian has servers where only root's PATH leads.
    return Stream.concat(
            Stream.of(System.getenv("PATH").split(File.pathSeparator)), Stream.of("/usr/sbin"))
        .map(folder -> Path.of(folder, name))
        .filter(Files::isExecutable)
        .map(Path::toString)
        .findFirst();
  }
}
