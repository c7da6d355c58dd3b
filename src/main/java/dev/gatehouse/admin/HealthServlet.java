package dev.gatehouse.admin;

import dev.gatehouse.Exchange;
import dev.gatehouse.Failure;
import dev.gatehouse.Refusal;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * Tells a supervisor or a load balancer whether the gateway lives and is ready.
 *
 * <p>{@code live} and {@code ready} below the mapping answer {@code {"status":"UP"}} once the
 * application is deployed. A service that is down does not make the gateway unready.
 */
public final class HealthServlet extends HttpServlet {

  private static final long serialVersionUID = 1L;
  private static final byte[] UP = "{\"status\":\"UP\"}\n".getBytes(StandardCharsets.UTF_8);

  @Override
  protected void doGet(HttpServletRequest clientRequest, HttpServletResponse clientResponse)
      throws IOException {
    Exchange exchange = Exchange.of(clientRequest);
    String path = exchange.rawPath();
    if (!path.endsWith("/live") && !path.endsWith("/ready")) {
      Refusal.send(exchange, clientResponse, Failure.NO_ROUTE);
      return;
    }
    clientResponse.setContentType("application/json");
    clientResponse.setHeader("Cache-Control", "no-store");
    clientResponse.setContentLength(UP.length);
    clientResponse.getOutputStream().write(UP);
    exchange.sent(UP.length);
  }
}
