package bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A Tomcat 11 or a Jetty 12.1 as it comes, with a folder of its own. */
final class ServletServer {
  private final Path base;
  private final Path jdk;

  /**
   * What is deployed at the root.
   *
   * @param webXml in place of the WAR's own
   * @param settings what stands in gatehouse.properties
   */
  record Application(Path war, Optional<String> webXml, String settings) {}

  ServletServer(Path base, Path jdk) {
    this.base = base;
    this.jdk = jdk;
  }

  Running startTomcat(Application application, Optional<Path> serverSettings, List<String> jvm)
      throws IOException {
    int port = Running.freePort();
    Path home = home("apache-tomcat-11.");
    for (String folder : List.of("conf/Catalina/localhost", "logs", "temp", "webapps")) {
      Files.createDirectories(base.resolve(folder));
    }
    Path conf = base.resolve("conf");
    try (Stream<Path> files = Files.list(home.resolve("conf"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, conf.resolve(file.getFileName()));
      }
    }
    String serverXml = Files.readString(conf.resolve("server.xml"), UTF_8);
    // Without its comments, the first of each element is the one that counts.
    serverXml = serverXml.replaceAll("(?s)<!--.*?-->", "");
    // The server's own log would be a second one in the full job, and one too many in plain.
    serverXml = serverXml.replaceAll("<Valve className=\"[^\"]*AccessLogValve\"[^>]*/>", "");
    serverXml = with(serverXml, "Server.port", "-1");
    serverXml = with(serverXml, "Connector.port", "" + port);
    serverXml = with(serverXml, "Connector.address", "127.0.0.1");
    for (String line : lines(serverSettings, "tomcat.properties")) {
      int end = line.indexOf('=');
      serverXml = with(serverXml, line.substring(0, end).strip(), line.substring(end + 1).strip());
    }
    Files.writeString(conf.resolve("server.xml"), serverXml, UTF_8);
    Files.writeString(conf.resolve("gatehouse.properties"), application.settings(), UTF_8);
    String altDDName = "";
    if (application.webXml().isPresent()) {
      Path file = Files.writeString(base.resolve("web.xml"), application.webXml().get(), UTF_8);
      altDDName = " altDDName=\"" + file + "\"";
    }
    Files.writeString(
        conf.resolve("Catalina/localhost/ROOT.xml"),
        "<Context docBase=\"" + application.war() + "\"" + altDDName + "/>\n",
        UTF_8);
    return Running.start(
        base,
        port,
        Map.of(
            "JAVA_HOME", jdk.toString(),
            "JRE_HOME", jdk.toString(),
            "CATALINA_HOME", home.toString(),
            "CATALINA_BASE", base.toString(),
            "CATALINA_OPTS", String.join(" ", jvm)),
        List.of("sh", home.resolve("bin/catalina.sh").toString(), "run"));
  }

  Running startJetty(Application application, Optional<Path> serverSettings, List<String> jvm)
      throws IOException {
    int port = Running.freePort();
    Path home = home("jetty-home-12.1.");
    for (String folder : List.of("etc", "logs", "start.d", "temp", "webapps")) {
      Files.createDirectories(base.resolve(folder));
    }
    Files.writeString(
        base.resolve("start.d/modules.ini"), "--modules=server,http,ee10-deploy\n", UTF_8);
    // In a file of their own: behind ee10-deploy they would be for that environment only.
    Files.write(base.resolve("start.d/settings.ini"), lines(serverSettings, "jetty.ini"), UTF_8);
    Files.writeString(base.resolve("etc/gatehouse.properties"), application.settings(), UTF_8);
    String descriptor = "";
    if (application.webXml().isPresent()) {
      Path file = Files.writeString(base.resolve("etc/web.xml"), application.webXml().get(), UTF_8);
      descriptor = "<Set name=\"descriptor\">" + file + "</Set>";
    }
    Files.writeString(
        base.resolve("webapps/gatehouse.xml"),
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <!DOCTYPE Configure PUBLIC "-//Jetty//Configure//EN" "https://jetty.org/configure_10_0.dtd">
        <Configure class="org.eclipse.jetty.ee10.webapp.WebAppContext">
          <Set name="contextPath">/</Set>
          <Set name="war">%s</Set>
          %s
        </Configure>
        """
            .formatted(application.war(), descriptor),
        UTF_8);
    List<String> command = new ArrayList<>(List.of(jdk.resolve("bin/java").toString()));
    command.addAll(jvm);
    command.addAll(
        List.of(
            "-Djava.io.tmpdir=" + base.resolve("temp"),
            "-jar",
            home.resolve("start.jar").toString(),
            "jetty.http.host=127.0.0.1",
            "jetty.http.port=" + port));
    return Running.start(base, port, Map.of(), command);
  }

  /** Sets an attribute of the first element of a name, such as {@code Connector.port}. */
  private static String with(String xml, String name, String value) {
    String[] part = name.split("\\.", 2);
    Matcher tag = Pattern.compile("<" + part[0] + "\\b[^>]*?(?=/?>)").matcher(xml);
    if (!tag.find()) {
      throw new IllegalArgumentException("server.xml has no " + part[0]);
    }
    String others = tag.group().replaceAll("\\s" + part[1] + "=\"[^\"]*\"", "");
    return xml.substring(0, tag.start())
        + others
        + " %s=\"%s\"".formatted(part[1], value)
        + xml.substring(tag.end());
  }

  private static List<String> lines(Optional<Path> folder, String name) throws IOException {
    if (folder.isEmpty() || !Files.exists(folder.get().resolve(name))) {
      return List.of();
    }
    return Files.readAllLines(folder.get().resolve(name), UTF_8).stream()
        .filter(line -> !line.isBlank() && !line.startsWith("#"))
        .toList();
  }

  private static Path home(String prefix) throws IOException {
    try (Stream<Path> folders = Files.list(Path.of("target/servers").toAbsolutePath())) {
      return folders
          .filter(folder -> folder.getFileName().toString().startsWith(prefix))
          .findFirst()
          .orElseThrow(() -> new IllegalStateException("target/servers has no " + prefix));
    }
  }
}
