package dev.gatehouse.edge;

import dev.gatehouse.Exchange;
import dev.gatehouse.Gateway;
import dev.gatehouse.GatewayFilter;
import dev.gatehouse.config.Parameters;
import jakarta.servlet.FilterChain;
import jakarta.servlet.FilterConfig;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes one line to the access log for every request, when it has ended: refusals, failures and
 * clients that went away (status 499), too.
 *
 * <p>Lines are written by a thread of their own, so a slow disk delays no request. If it falls more
 * than 65,536 lines behind, lines are dropped and counted ({@code gatehouse_log_lines_lost_total}).
 * A line is written within some milliseconds, unless so many come that the file is behind. When the
 * application stops, all lines are written.
 *
 * <p><b>Place in the chain:</b> second, mapped to {@code /*}: outside of everything that may
 * refuse.
 *
 * <table>
 * <caption>Parameters</caption>
 * <tr><th>init-param, setting</th><th>format</th><th>default</th></tr>
 * <tr><td>{@code accessLog}</td><td>path, or {@code -} for stdout</td>
 *   <td>{@code ${catalina.base}/logs/gatehouse-access.log}, else the same under
 *   {@code ${jetty.base}}, else {@code -}</td></tr>
 * <tr><td>{@code accessLog.format}</td><td>{@code combined}</td><td>{@code combined}</td></tr>
 * </table>
 *
 * <pre>{@code
 * <filter>
 *   <filter-name>write-access-log</filter-name>
 *   <filter-class>dev.gatehouse.edge.AccessLogFilter</filter-class>
 *   <async-supported>true</async-supported>
 * </filter>
 * }</pre>
 */
public final class AccessLogFilter extends GatewayFilter {

  private static final List<String> BASES = List.of("catalina.base", "jetty.base");

  private String path = "-";
  private @Nullable AccessLog log;

  @Override
  public void configure(Parameters parameters) {
    path =
        parameters.value(
            "accessLog", defaultPath(), "path, or - for stdout", AccessLogFilter::writable);
    parameters.choice("accessLog.format", "combined", "combined");
  }

  private static String writable(String text) {
    String expanded = text;
    for (String base : BASES) {
      String folder = System.getProperty(base);
      if (folder != null) {
        expanded = expanded.replace("${" + base + "}", folder);
      }
    }
    // Path.of refuses what is no path with an IllegalArgumentException of its own.
    if (expanded.contains("${")
        || (!expanded.equals("-") && !canBeWritten(Path.of(expanded).toAbsolutePath()))) {
      throw new IllegalArgumentException("the path of a file that can be written, or -");
    }
    return expanded;
  }

  private static String defaultPath() {
    for (String base : BASES) {
      String folder = System.getProperty(base);
      if (folder != null) {
        return Path.of(folder, "logs", "gatehouse-access.log").toString();
      }
    }
    return "-";
  }

  private static boolean canBeWritten(Path file) {
    if (Files.exists(file)) {
      return Files.isRegularFile(file) && Files.isWritable(file);
    }
    Path folder = file.getParent();
    while (folder != null && !Files.exists(folder)) {
      folder = folder.getParent();
    }
    return folder != null && Files.isDirectory(folder) && Files.isWritable(folder);
  }

  @Override
  protected void start(Gateway gateway, FilterConfig config) {
    AccessLog opened =
        gateway.shared(AccessLog.class, () -> new AccessLog(path, gateway.clock().getZone()));
    gateway.metrics().logLinesLost("access", opened, AccessLog::lost);
    log = opened;
  }

  @Override
  protected boolean appliesWithoutRoute() {
    return true;
  }

  @Override
  protected void apply(
      Exchange exchange,
      HttpServletRequest clientRequest,
      HttpServletResponse clientResponse,
      FilterChain chain)
      throws IOException, ServletException {
    AccessLog current = log;
    if (current != null) {
      exchange.onEnd(current::write);
    }
    chain.doFilter(clientRequest, clientResponse);
  }
}
