package dev.gatehouse.edge;

import dev.gatehouse.Exchange;
import dev.gatehouse.Failure;
import dev.gatehouse.Refusal;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/**
 * Answers 404 {@code no_route} where no service is mapped.
 *
 * <p>Mapped to {@code /}, it stands in for the server's own default servlet, so that nothing in the
 * WAR is served as a file; mapped to {@code *.jsp} and {@code *.jspx}, for its JSP servlet.
 *
 * <pre>{@code
 * <servlet>
 *   <servlet-name>no-route</servlet-name>
 *   <servlet-class>dev.gatehouse.edge.NoRouteServlet</servlet-class>
 *   <async-supported>true</async-supported>
 * </servlet>
 * <servlet-mapping>
 *   <servlet-name>no-route</servlet-name>
 *   <url-pattern>/</url-pattern>
 * </servlet-mapping>
 * }</pre>
 */
public final class NoRouteServlet extends HttpServlet {

  private static final long serialVersionUID = 1L;

  @Override
  protected void service(HttpServletRequest clientRequest, HttpServletResponse clientResponse)
      throws IOException {
    Refusal.send(Exchange.of(clientRequest), clientResponse, Failure.NO_ROUTE);
  }
}
