package dev.gatehouse.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The stock Tomcat 10.1 or 11 with its own {@code conf} folder, of which only the port is changed.
 */
public final class TomcatServer extends GatewayServer {
  private final String version;

  /** A Tomcat that is not started yet, of the version {@code 10.1} or {@code 11}. */
  TomcatServer(String version) {
    super(
        "tomcat-" + version,
        "Starting ProtocolHandler \\[\"http-nio-127\\.0\\.0\\.1-auto-\\d+-(\\d+)\"\\]",
        "Server startup in \\[");
    this.version = version;
  }

  @Override
  protected void prepare(Path base, boolean http2) throws IOException {
    Files.createDirectories(base.resolve("webapps"));
    Path conf = Files.createDirectories(base.resolve("conf"));
    try (Stream<Path> files = Files.list(home().resolve("conf"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, conf.resolve(file.getFileName()));
      }
    }
    Path serverXml = conf.resolve("server.xml");
    String upgrade =
        "<UpgradeProtocol className=\"org.apache.coyote.http2.Http2Protocol\"/></Connector>";
    String text = Files.readString(serverXml, UTF_8);
    text = replaced(text, "<Server port=\"8005\"", "<Server port=\"-1\"");
    text =
        replaced(text, "<Connector port=\"8080\"", "<Connector address=\"127.0.0.1\" port=\"0\"");
    if (http2) {
      int start = text.indexOf("<Connector address=\"127.0.0.1\"");
      int end = text.indexOf("/>", start);
      text = text.substring(0, end) + ">" + upgrade + text.substring(end + 2);
    }
    Files.writeString(serverXml, text, UTF_8);
  }

  @Override
  protected void describe(Path base, Webapp webapp, Path settings) throws IOException {
    String altDDName = "";
    if (!webapp.webXml().isEmpty()) {
      Path file = base.resolve(webapp.name() + "-web.xml");
      Files.writeString(file, fullWebXml(webapp), UTF_8);
      altDDName = " altDDName=\"" + file + "\"";
    }
    Path folder = Files.createDirectories(base.resolve("conf/Catalina/localhost"));
    Files.writeString(
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

  private static String replaced(String text, String from, String to) {
    int at = text.indexOf(from);
    if (at < 0) {
      throw new IllegalStateException("the stock server.xml has no " + from);
    }
    return text.substring(0, at) + to + text.substring(at + from.length());
  }
}
