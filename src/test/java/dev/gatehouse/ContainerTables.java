package dev.gatehouse;

import static java.util.Objects.requireNonNull;

import dev.gatehouse.testing.GatewayServer;
import dev.gatehouse.testing.RunningGateway;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The tables of docs/containers.md. */
final class ContainerTables {
  private static final Path DOCUMENT = Path.of("docs/containers.md");
  private static final String TOMCAT = "Tomcat 10.1, 11";
  private static final String JETTY = "Jetty 12.1";
  private static final String CONNECTOR = "Tomcat: Connector";
  private static final String PROPERTY = "Jetty: property";

  private ContainerTables() {}

  /** The rows of the table of requests. */
  static List<Map<String, String>> requests() {
    return MarkdownTable.below("## Requests and answers", DOCUMENT).rowsByHead();
  }

  /** The rows of the table of time-outs. */
  static List<Map<String, String>> timeouts() {
    return MarkdownTable.below("## Time-outs", DOCUMENT).rowsByHead();
  }

  /** The head of the column about a server. */
  static String server(RunningGateway gateway) {
    return gateway.inJetty() ? JETTY : TOMCAT;
  }

  /** What the rows are about: their first cells. */
  static List<String> subjects(List<Map<String, String>> rows) {
    return rows.stream().map(ContainerTables::subject).toList();
  }

  /** Does what a row is about; a row that no probe knows is an error. */
  static Function<RunningGateway, String> probe(
      Map<String, Function<RunningGateway, String>> probes, Map<String, String> row) {
    Function<RunningGateway, String> probe = probes.get(subject(row));
    if (probe == null) {
      throw new AssertionError("no probe for the row " + subject(row));
    }
    return probe;
  }

  /** Sets what a row says that lets its request through; false if there is nothing. */
  static boolean loosens(Map<String, String> row, boolean jetty, GatewayServer server) {
    String cell = requireNonNull(row.get(jetty ? PROPERTY : CONNECTOR));
    Matcher setting =
        Pattern.compile(jetty ? "`([\\w.]+)=(\\S+)`" : "`(\\w+)=\"([^\"]+)\"`").matcher(cell);
    if (setting.matches()) {
      server.configure((jetty ? "" : "Connector.") + setting.group(1), setting.group(2));
      return true;
    }
    if (!cell.isEmpty()) {
      throw new AssertionError("no setting: " + cell);
    }
    return false;
  }

  private static String subject(Map<String, String> row) {
    return row.values().iterator().next();
  }
}
