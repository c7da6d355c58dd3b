package dev.gatehouse;

import dev.gatehouse.config.Parameters;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The configuration that is in effect, as it was read at start; what is told of it, in the log and
 * to admins, is told from here. Secrets are masked.
 *
 * @param contextPath empty for the root
 * @param server the server's name and version
 * @param file the settings file, or null if there is none
 * @param filters by name: the Servlet API does not tell the order of their mappings
 * @param servlets by name
 */
public record Configuration(
    String contextPath,
    String server,
    @Nullable Path file,
    List<Component> filters,
    List<Component> servlets) {

  /** The parameter of a servlet that forwards to a service. */
  private static final String URL = "url";

  public Configuration {
    filters = List.copyOf(filters);
    servlets = List.copyOf(servlets);
  }

  /**
   * One filter or servlet.
   *
   * @param className empty if the server does not tell
   * @param patterns the url-patterns that it is mapped to
   * @param servletNames of a filter, the servlets that it is mapped to by their names
   * @param parameters none if it is not one of ours
   */
  public record Component(
      String name,
      String className,
      List<String> patterns,
      List<String> servletNames,
      List<Parameters.Read> parameters) {

    public Component {
      patterns = List.copyOf(patterns);
      servletNames = List.copyOf(servletNames);
      parameters = List.copyOf(parameters);
    }

    /** Where a service is; empty for what is no service. */
    public List<String> urls() {
      return parameters.stream()
          .filter(read -> read.name().equals(URL))
          .flatMap(read -> Arrays.stream(read.text().split(",", -1)))
          .map(String::strip)
          .toList();
    }
  }

  /** The servlets that forward to a service. */
  public List<Component> services() {
    return servlets.stream().filter(servlet -> !servlet.urls().isEmpty()).toList();
  }
}
