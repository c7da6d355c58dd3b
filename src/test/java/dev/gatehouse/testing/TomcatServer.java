package dev.gatehouse.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The stock Tomcat 10.1 or 11 with its own {@code conf} folder, of which only the port is changed.
 */
public final class TomcatServer extends GatewayServer {
  private final String version;
  private boolean checkingTimeouts;

  /** A Tomcat that is not started yet, of the version {@code 10.1} or {@code 11}. */
  TomcatServer(String version) {
    super(
        "tomcat-" + version,
        "Starting ProtocolHandler \\[\"http-nio-127\\.0\\.0\\.1-auto-\\d+-(\\d+)\"\\]",
        "Server startup in \\[",
        "HostConfig\\.undeploy Undeploying context");
    this.version = version;
  }

  @Override
  public GatewayServer http2AsItComes() {
    return http2().configure("UpgradeProtocol.discardRequestsAndResponses", "false");
  }

  @Override
  public GatewayServer keepingConnections() {
    return configure("Connector.maxKeepAliveRequests", "-1");
  }

  @Override
  public GatewayServer redeployable() {
    return configure("Engine.backgroundProcessorDelay", "1");
  }

  /** Looks for exchanges that have timed out all the time, and not once a second. */
  public TomcatServer checkingTimeouts() {
    checkingTimeouts = true;
    return this;
  }

  @Override
  protected void prepare(Path base, boolean http2, Map<String, String> configuration)
      throws IOException {
    Files.createDirectories(base.resolve("webapps"));
    Path conf = Files.createDirectories(base.resolve("conf"));
    try (Stream<Path> files = Files.list(home().resolve("conf"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, conf.resolve(file.getFileName()));
      }
    }
    Path serverXml = conf.resolve("server.xml");
    // Without the comments, the first of each element is the one that counts.
    String text = Files.readString(serverXml, UTF_8).replaceAll("(?s)<!--.*?-->", "");
    text = with(text, "Server", "port", "-1");
    text = with(text, "Connector", "port", "0");
    text = with(text, "Connector", "address", "127.0.0.1");
    if (http2) {
      int end = text.indexOf("/>", text.indexOf("<Connector "));
      text =
          text.substring(0, end)
              + "><UpgradeProtocol className=\"org.apache.coyote.http2.Http2Protocol\""
              + " discardRequestsAndResponses=\"true\"/></Connector>"
              + text.substring(end + "/>".length());
    }
    for (Map.Entry<String, String> entry : configuration.entrySet()) {
      String[] name = entry.getKey().split("\\.", 2);
      text = with(text, name[0], name[1], entry.getValue());
    }
    Files.writeString(serverXml, text, UTF_8);
  }

  @Override
  protected Path describe(Path base, Webapp webapp, Path settings) throws IOException {
    String altDDName = "";
    if (checkingTimeouts) {
      webapp.webXml(TimeoutChecks.install(base.resolve("lib")));
    }
    if (!webapp.webXml().isEmpty()) {
      Path file = base.resolve(webapp.name() + "-web.xml");
      Files.writeString(file, fullWebXml(webapp), UTF_8);
      altDDName = " altDDName=\"" + file + "\"";
    }
    Path folder = Files.createDirectories(base.resolve("conf/Catalina/localhost"));
    return Files.writeString(
        folder.resolve(webapp.name() + ".xml"),
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <Context docBase="%s"%s>
          <Parameter name="gatehouse.config" value="%s" override="false"/>
        </Context>
        """
            .formatted(war(), altDDName, settings),
        UTF_8);
  }

  @Override
  protected List<String> command(Path base) {
    return List.of("sh", home().resolve("bin/catalina.sh").toString(), "run");
  }

  @Override
  protected Map<String, String> environment(Path base) {
    String jdk = Jdk.chosen().toString();
    return Map.of(
        "JAVA_HOME",
        jdk,
        "JRE_HOME",
        jdk,
        "CATALINA_HOME",
        home().toString(),
        "CATALINA_BASE",
        base.toString(),
        "CATALINA_OPTS",
        "-Xmx512m -XX:TieredStopAtLevel=1");
  }

  @Override
  protected List<Path> logFiles(Path base) {
    try (Stream<Path> files = Files.list(base.resolve("logs"))) {
      return files
          .filter(file -> file.getFileName().toString().matches("localhost\\..*\\.log"))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path home() {
    return located(
        "gatehouse.test.tomcat" + version, "target/servers", "apache-tomcat-" + version + ".");
  }

  /** Sets an attribute of the first element of a name. */
  private static String with(String xml, String element, String attribute, String value) {
    Matcher tag = Pattern.compile("<" + element + "\\b[^>]*?(?=/?>)").matcher(xml);
    if (!tag.find()) {
      throw new IllegalStateException("the stock server.xml has no " + element);
    }
    String others = tag.group().replaceAll("\\s" + attribute + "=\"[^\"]*\"", "");
    return xml.substring(0, tag.start())
        + others
        + " %s=\"%s\"".formatted(attribute, value)
        + xml.substring(tag.end());
  }
}
