package dev.gatehouse.edge;

import dev.gatehouse.Exchange;
import dev.gatehouse.GatewayFilter;
import dev.gatehouse.config.Parameters;
import dev.gatehouse.http.AddressRange;
import dev.gatehouse.http.Forwarding;
import dev.gatehouse.http.GatewayFields;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Collections;
import java.util.List;

/**
 * Finds the address of the client behind proxies that you trust, such as a load balancer.
 *
 * <p>Without trusted proxies, and for everybody else, the client is the other end of the
 * connection, and forwarding headers that it sends are not believed. For a trusted proxy it is the
 * right-most address in {@code X-Forwarded-For} that is not a trusted proxy itself.
 *
 * <p><b>Place in the chain:</b> before everything that counts or tells by address.
 *
 * <table>
 * <caption>Parameters</caption>
 * <tr><th>init-param, setting</th><th>format</th><th>default</th></tr>
 * <tr><td>{@code trustedProxies}</td><td>addresses and CIDR blocks with commas</td><td>none</td></tr>
 * </table>
 *
 * <pre>{@code
 * <filter>
 *   <filter-name>find-client-address</filter-name>
 *   <filter-class>dev.gatehouse.edge.ClientAddressFilter</filter-class>
 *   <async-supported>true</async-supported>
 *   <init-param>
 *     <param-name>trustedProxies</param-name>
 *     <param-value>10.0.0.0/8, ::1</param-value>
 *   </init-param>
 * </filter>
 * }</pre>
 */
public final class ClientAddressFilter extends GatewayFilter {

  private List<AddressRange> trusted = List.of();

  @Override
  public void configure(Parameters parameters) {
    trusted =
        parameters
            .value("trustedProxies", "addresses and CIDR blocks with commas", AddressRange::list)
            .orElse(List.of());
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
    if (AddressRange.anyContains(trusted, exchange.peerAddress())) {
      List<String> chained =
          Collections.list(clientRequest.getHeaders(GatewayFields.FORWARDED_FOR));
      exchange.forwardedFor(Forwarding.clientAddress(exchange.peerAddress(), chained, trusted));
    }
    chain.doFilter(clientRequest, clientResponse);
  }
}
