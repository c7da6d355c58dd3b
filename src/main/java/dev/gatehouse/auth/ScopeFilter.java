package dev.gatehouse.auth;

import dev.gatehouse.Caller;
import dev.gatehouse.Exchange;
import dev.gatehouse.Failure;
import dev.gatehouse.GatewayFilter;
import dev.gatehouse.Refusal;
import dev.gatehouse.config.Parameters;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/**
 * Lets a request pass only if its token has a scope.
 *
 * <p><b>What the client sees:</b> 403 {@code scope_missing} with {@code error="insufficient_scope"}
 * and the scope's name (RFC 6750).
 *
 * <p><b>Place in the chain:</b> after authentication. Map it to the paths that it protects; for
 * several scopes use several filters of this class. A path that is public for authentication is
 * refused here all the same.
 *
 * <table>
 * <caption>Parameters</caption>
 * <tr><th>init-param</th><th>format</th><th>default</th></tr>
 * <tr><td>{@code scope}</td><td>one scope</td><td>none, required</td></tr>
 * </table>
 *
 * <pre>{@code
 * <filter>
 *   <filter-name>authorize-admin</filter-name>
 *   <filter-class>dev.gatehouse.auth.ScopeFilter</filter-class>
 *   <async-supported>true</async-supported>
 *   <init-param>
 *     <param-name>scope</param-name>
 *     <param-value>gateway:admin</param-value>
 *   </init-param>
 * </filter>
 * }</pre>
 */
public final class ScopeFilter extends GatewayFilter {

  private String scope = "";

  @Override
  public void configure(Parameters parameters) {
    parameters.withoutSettings();
    scope =
        parameters
            .value(
                "scope",
                "one scope",
                text -> {
                  if (!text.matches("[\\x21\\x23-\\x5B\\x5D-\\x7E]+")) {
                    throw new IllegalArgumentException("one scope, without blanks and quotes");
                  }
                  return text;
                })
            .orElse("");
    if (!parameters.isSet("scope")) {
      parameters.problem("init-param 'scope' is missing: expected one scope");
    }
  }

  @Override
  protected void apply(
      Exchange exchange,
      HttpServletRequest clientRequest,
      HttpServletResponse clientResponse,
      FilterChain chain)
      throws IOException, ServletException {
    Caller caller = exchange.caller();
    if (caller == null) {
      Refusal.send(exchange, clientResponse, Failure.TOKEN_MISSING);
    } else if (!caller.scopes().contains(scope)) {
      Refusal.scopeMissing(exchange, clientResponse, scope);
    } else {
      chain.doFilter(clientRequest, clientResponse);
    }
  }
}
