package dev.gatehouse.admin;

import org.jspecify.annotations.Nullable;

/**
 * Tells a supervisor or a load balancer whether the gateway lives and is ready.
 *
 * <p>{@code live} and {@code ready} below the mapping answer {@code {"status":"UP"}} once the
 * application is deployed. A service that is down does not make the gateway unready.
 */
public final class HealthServlet extends ReportServlet {

  private static final long serialVersionUID = 1L;

  public HealthServlet() {
    super("application/json");
  }

  @Override
  @Nullable String report(String rest) {
    return rest.equals("/live") || rest.equals("/ready") ? "{\"status\":\"UP\"}" : null;
  }
}
