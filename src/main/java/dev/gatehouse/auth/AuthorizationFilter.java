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
 * Lets a request pass only if its token has certain scopes, or one of certain roles.
 *
 * <p><b>What the client sees:</b> 403 {@code scope_missing} with {@code error="insufficient_scope"}
 * and the scopes' names (RFC 6750). Whether a scope or a role was missing stands in the log and in
 * the metric {@code gatehouse_failures_total}.
 *
 * <p><b>Place in the chain:</b> after authentication. Map it to the paths that it protects; several
 * filters of this class may be mapped to one path, and all must agree. A path that is public for
 * authentication is refused to everybody: no token is looked at there.
 *
 * <table>
 * <caption>Parameters</caption>
 * <tr><th>init-param</th><th>format</th><th>default</th></tr>
 * <tr><td>{@code scope}</td><td>scopes with blanks; the token needs all of them</td>
 *   <td>none</td></tr>
 * <tr><td>{@code role}</td><td>roles with commas; the token needs one of them</td>
 *   <td>none</td></tr>
 * <tr><td>{@code methods}</td><td>methods with commas that this is about, HEAD with GET; others
 *   pass</td><td>all</td></tr>
 * </table>
 *
 * At least one of scope and role must be set. The claim with the roles is {@code jwt.rolesClaim}.
 *
 * <pre>{@code
 * <filter>
 *   <filter-name>authorize-order-changes</filter-name>
 *   <filter-class>dev.gatehouse.auth.AuthorizationFilter</filter-class>
 *   <async-supported>true</async-supported>
 *   <init-param>
 *     <param-name>scope</param-name>
 *     <param-value>orders:write</param-value>
 *   </init-param>
 *   <init-param>
 *     <param-name>methods</param-name>
 *     <param-value>POST, PUT, PATCH, DELETE</param-value>
 *   </init-param>
 * </filter>
 * <filter-mapping>
 *   <filter-name>authorize-order-changes</filter-name>
 *   <url-pattern>/api/orders/*</url-pattern>
 *   <url-pattern>/orders/*</url-pattern>
 * </filter-mapping>
 * }</pre>
 */
public final class AuthorizationFilter extends GatewayFilter {

  private AccessRule rule = AccessRule.NOBODY;

  @Override
  public void configure(Parameters parameters) {
    parameters.withoutSettings();
    rule =
        new AccessRule(
            parameters.value("scope", "", "scopes with blanks", AccessRule::scopes),
            parameters.value("role", "", "roles with commas", AccessRule::roles),
            parameters.value("methods", "", "methods with commas", AccessRule::methods));
    if (!parameters.isSet("scope") && !parameters.isSet("role")) {
      parameters.problem("init-params 'scope' and 'role' are missing: expected one of them");
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
    if (!rule.isAbout(exchange.method())) {
      chain.doFilter(clientRequest, clientResponse);
    } else if (caller == null) {
      Refusal.send(exchange, clientResponse, Failure.TOKEN_MISSING);
    } else if (!rule.hasScopes(caller)) {
      Refusal.scopeMissing(
          exchange, clientResponse, String.join(" ", rule.scopes()), "scope_missing");
    } else if (!rule.hasRole(caller)) {
      Refusal.scopeMissing(exchange, clientResponse, "", "role_missing");
    } else {
      chain.doFilter(clientRequest, clientResponse);
    }
  }
}
