package dev.gatehouse.admin;

import dev.gatehouse.Gateway;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Tells a supervisor or a load balancer whether the gateway lives and is ready.
 *
 * <p>{@code live} and {@code ready} below the mapping answer {@code {"status":"UP"}} once the
 * application is deployed. A service that is down does not make the gateway unready; nor does a
 * store of shared limits, whose state {@code ready} tells in its details: {@code
 * {"status":"UP","details":{"rateLimit.store":"timeout"}}}.
 */
public final class HealthServlet extends ReportServlet {

  private static final long serialVersionUID = 1L;

  public HealthServlet() {
    super("application/json");
  }

  @Override
  @Nullable String report(String rest) {
    return switch (rest) {
      case "/live" -> "{\"status\":\"UP\"}";
      case "/ready" -> ready(Gateway.of(getServletContext()).statuses());
      default -> null;
    };
  }

  /** Names and states are words of ours, in which nothing has to be escaped. */
  private static String ready(Map<String, String> statuses) {
    if (statuses.isEmpty()) {
      return "{\"status\":\"UP\"}";
    }
    return statuses.entrySet().stream()
        .map(status -> "\"" + status.getKey() + "\":\"" + status.getValue() + "\"")
        .collect(Collectors.joining(",", "{\"status\":\"UP\",\"details\":{", "}}"));
  }
}
