package dev.gatehouse.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The stock Jetty 12.1 with its modules {@code server,http} and those of one environment. */
public final class JettyServer extends GatewayServer {
  private static final String XML =
      """
      <?xml version="1.0" encoding="UTF-8"?>
      """;

  private final String environment;

  /** A Jetty that is not started yet, with an environment such as {@code ee10}. */
  JettyServer(String environment) {
    super(
        "jetty-" + environment,
        "Started oejs\\.ServerConnector@[^\\n]*\\{127\\.0\\.0\\.1:(\\d+)\\}",
        "Started oejs\\.Server@",
        "Stopped oeje\\w+\\.WebAppContext@");
    this.environment = environment;
  }

  @Override
  public GatewayServer redeployable() {
    return configure("jetty.deploy.scanInterval", "1");
  }

  @Override
  protected void prepare(Path base, boolean http2, Map<String, String> configuration)
      throws IOException {
    Files.createDirectories(base.resolve("webapps"));
    Path folder = Files.createDirectories(base.resolve("start.d"));
    Files.writeString(
        folder.resolve("modules.ini"),
        """
        --modules=server,http,%s-deploy%s
        """
            .formatted(environment, http2 ? ",http2c" : ""),
        UTF_8);
    // In a file of their own: behind the modules they would be for the one environment only.
    List<String> lines = new ArrayList<>();
    configuration.forEach((name, value) -> lines.add(name + "=" + value));
    Files.write(folder.resolve("configuration.ini"), lines, UTF_8);
  }

  @Override
  protected Path describe(Path base, Webapp webapp, Path settings) throws IOException {
    String override = "";
    if (!webapp.webXml().isEmpty()) {
      Path file = base.resolve(webapp.name() + "-override-web.xml");
      Files.writeString(
          file,
          XML
              + "<web-app xmlns=\"https://jakarta.ee/xml/ns/jakartaee\" version=\"6.0\">\n"
              + webapp.webXml()
              + "</web-app>\n",
          UTF_8);
      override = "<Call name=\"addOverrideDescriptor\"><Arg>" + file + "</Arg></Call>";
    }
    return Files.writeString(
        base.resolve("webapps").resolve(webapp.name() + ".xml"),
        XML
            + """
            <!DOCTYPE Configure PUBLIC "-//Jetty//Configure//EN" "https://jetty.org/configure_10_0.dtd">
            <Configure class="org.eclipse.jetty.%s.webapp.WebAppContext">
              <Set name="contextPath">%s</Set>
              <Set name="war">%s</Set>
              <Call name="setInitParameter"><Arg>gatehouse.config</Arg><Arg>%s</Arg></Call>
              %s
            </Configure>
            """
                .formatted(
                    environment,
                    webapp.context().isEmpty() ? "/" : webapp.context(),
                    war(),
                    settings,
                    override),
        UTF_8);
  }

  @Override
  protected List<String> command(Path base) {
    Path home = located("gatehouse.test.jettyHome", "target/servers", "jetty-home");
    return List.of(
        Jdk.chosen().resolve("bin/java").toString(),
        "-Xmx512m",
        "-XX:TieredStopAtLevel=1",
        "-Djava.io.tmpdir=" + base.resolve("temp"),
        "-jar",
        home.resolve("start.jar").toString(),
        "jetty.http.host=127.0.0.1",
        "jetty.http.port=0");
  }

  @Override
  protected Map<String, String> environment(Path base) {
    return Map.of();
  }

  @Override
  protected List<Path> logFiles(Path base) {
    return List.of();
  }
}
