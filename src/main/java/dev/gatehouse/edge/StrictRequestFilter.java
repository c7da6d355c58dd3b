package dev.gatehouse.edge;

import dev.gatehouse.Exchange;
import dev.gatehouse.Failure;
import dev.gatehouse.GatewayFilter;
import dev.gatehouse.Refusal;
import dev.gatehouse.http.PathRule;
import jakarta.servlet.FilterChain;
import jakarta.servlet.FilterConfig;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Enumeration;

/**
 * Refuses requests that the gateway and a service could understand in two ways.
 *
 * <p><b>What the client sees:</b> 400 {@code path_ambiguous} for a path whose raw form could mean
 * another path than the server mapped: dot segments, {@code %2F}, {@code %5C}, {@code %00},
 * overlong UTF-8, {@code //}, segments that begin with {@code ;} or {@code %3B}, {@code ;} or an
 * encoded character in the part that the mapping matched. 405 {@code method_refused} for TRACE and
 * CONNECT. 501 {@code coding_refused} for a transfer coding other than {@code chunked} (RFC 9112
 * section 6.1). Everything else goes to the service as it was sent.
 *
 * <p><b>Place in the chain:</b> after the log, mapped to {@code /*}, before everything that looks
 * at the path.
 *
 * <p><b>Parameters:</b> none.
 *
 * <pre>{@code
 * <filter>
 *   <filter-name>refuse-ambiguous-requests</filter-name>
 *   <filter-class>dev.gatehouse.edge.StrictRequestFilter</filter-class>
 *   <async-supported>true</async-supported>
 * </filter>
 * }</pre>
 */
public final class StrictRequestFilter extends GatewayFilter {

  /** What a server makes of bytes that are no UTF-8: they cannot be sent on as they came. */
  private static final char UNREADABLE = '\ufffd';

  private String contextPath = "";

  @Override
  protected void start(dev.gatehouse.Gateway gateway, FilterConfig config) {
    contextPath = config.getServletContext().getContextPath();
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
    String method = exchange.method();
    if (method.equals("TRACE") || method.equals("CONNECT")) {
      Refusal.send(exchange, clientResponse, Failure.METHOD_REFUSED);
      return;
    }
    if (isCodedOtherwise(clientRequest)) {
      Refusal.send(exchange, clientResponse, Failure.CODING_REFUSED);
      return;
    }
    String ambiguity =
        PathRule.ambiguity(
            exchange.rawPath(), contextPath, exchange.route().prefix(), exchange.route().exact());
    if (ambiguity == null && exchange.rawPath().indexOf(UNREADABLE) >= 0) {
      // In parameters only: what else stands in a path, servers decode and refuse themselves.
      ambiguity = "unreadable_path";
    }
    String query = exchange.rawQuery();
    if (ambiguity == null && query != null && query.indexOf(UNREADABLE) >= 0) {
      ambiguity = "unreadable_query";
    }
    if (ambiguity != null) {
      Refusal.send(exchange, clientResponse, Failure.PATH_AMBIGUOUS, ambiguity, null);
      return;
    }
    chain.doFilter(clientRequest, clientResponse);
  }

  /** Jetty takes {@code gzip, chunked}, undoes the chunks, and leaves the rest as it is. */
  private static boolean isCodedOtherwise(HttpServletRequest clientRequest) {
    Enumeration<String> codings = clientRequest.getHeaders("Transfer-Encoding");
    while (codings.hasMoreElements()) {
      if (!codings.nextElement().strip().equalsIgnoreCase("chunked")) {
        return true;
      }
    }
    return false;
  }
}
