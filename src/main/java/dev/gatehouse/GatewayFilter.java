package dev.gatehouse;

import dev.gatehouse.config.Parameters;
import dev.gatehouse.config.Problems;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.FilterConfig;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A policy of the chain. Unless it says otherwise it sees only requests that have a route: a
 * request for which there is none passes on untouched to the servlet at {@code /}, whose 404 comes
 * before the refusals of all policies.
 */
public abstract class GatewayFilter implements Filter, Configurable {

  private @Nullable Gateway gateway;

  @Override
  public void init(FilterConfig config) throws ServletException {
    Gateway current = Gateway.of(config.getServletContext());
    gateway = current;
    Problems problems = new Problems();
    configure(Parameters.of(config, current.settings(), problems));
    problems.refuse();
    start(current, config);
  }

  /** Reads the parameters; by default a filter has none. */
  @Override
  public void configure(Parameters parameters) {}

  /** Called once, after the parameters were read. */
  protected void start(Gateway gateway, FilterConfig config) throws ServletException {}

  protected final Gateway gateway() {
    if (gateway == null) {
      throw new IllegalStateException("not initialised");
    }
    return gateway;
  }

  @Override
  public final void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    HttpServletRequest clientRequest = (HttpServletRequest) request;
    Exchange exchange = Exchange.of(clientRequest);
    if (exchange.route().exists() || appliesWithoutRoute()) {
      apply(exchange, clientRequest, (HttpServletResponse) response, chain);
    } else {
      chain.doFilter(request, response);
    }
  }

  /** Whether requests that have no route pass through this filter, too. */
  protected boolean appliesWithoutRoute() {
    return false;
  }

  /** Lets the exchange go on along the chain, or refuses it. */
  protected abstract void apply(
      Exchange exchange,
      HttpServletRequest clientRequest,
      HttpServletResponse clientResponse,
      FilterChain chain)
      throws IOException, ServletException;
}
