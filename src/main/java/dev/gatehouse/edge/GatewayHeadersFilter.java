package dev.gatehouse.edge;

import dev.gatehouse.Caller;
import dev.gatehouse.Exchange;
import dev.gatehouse.Gateway;
import dev.gatehouse.GatewayFilter;
import dev.gatehouse.http.Forwarding;
import dev.gatehouse.http.GatewayFields;
import dev.gatehouse.http.IpAddress;
import dev.gatehouse.http.TraceContext;
import jakarta.servlet.FilterChain;
import jakarta.servlet.FilterConfig;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Tells the service what the gateway knows of a request.
 *
 * <p>Written into every forwarded request: {@code X-Gateway: True}; {@code X-Request-Id}; {@code
 * traceparent}, the client's if it is valid, else a new one; {@code Via: 1.1 gatehouse}, appended;
 * {@code X-Forwarded-For}, {@code -Proto}, {@code -Host}, {@code -Port}, {@code -Prefix} and {@code
 * Forwarded}, written afresh, or extended if the caller is one of the {@code trustedProxies};
 * {@code X-User-Id} and {@code X-User-Scopes} of an authenticated caller, and what {@code
 * jwt.claimHeaders} says of it. What a client sends under {@code X-User-} and the other names, in
 * any spelling, never reaches a service, even without this filter.
 *
 * <p><b>Place in the chain:</b> after authentication, which tells who is calling.
 *
 * <p><b>Parameters:</b> none.
 *
 * <pre>{@code
 * <filter>
 *   <filter-name>set-gateway-headers</filter-name>
 *   <filter-class>dev.gatehouse.edge.GatewayHeadersFilter</filter-class>
 *   <async-supported>true</async-supported>
 * </filter>
 * }</pre>
 */
public final class GatewayHeadersFilter extends GatewayFilter {

  private String contextPath = "";

  @Override
  protected void start(Gateway gateway, FilterConfig config) {
    contextPath = config.getServletContext().getContextPath();
  }

  @Override
  protected void apply(
      Exchange exchange,
      HttpServletRequest clientRequest,
      HttpServletResponse clientResponse,
      FilterChain chain)
      throws IOException, ServletException {
    exchange.tellUpstream(GatewayFields.GATEWAY, "True");
    exchange.tellUpstream(GatewayFields.REQUEST_ID, exchange.id());
    exchange.tellUpstream(
        GatewayFields.VIA, extended(clientRequest, GatewayFields.VIA, "1.1 gatehouse"));
    tellTrace(exchange, clientRequest);
    tellForwarding(exchange, clientRequest);
    Caller caller = exchange.caller();
    if (caller != null) {
      exchange.tellUpstream(caller.told());
    }
    chain.doFilter(clientRequest, clientResponse);
  }

  private static void tellTrace(Exchange exchange, HttpServletRequest clientRequest) {
    List<String> parents = Collections.list(clientRequest.getHeaders(GatewayFields.TRACEPARENT));
    if (parents.size() == 1 && TraceContext.isValid(parents.get(0))) {
      // Passed on as it is: the gateway records no span that a new parent id could name.
      exchange.tellUpstream(GatewayFields.TRACEPARENT, parents.get(0));
      String state = joined(clientRequest, GatewayFields.TRACESTATE);
      if (state != null) {
        exchange.tellUpstream(GatewayFields.TRACESTATE, state);
      }
    } else {
      ThreadLocalRandom random = ThreadLocalRandom.current();
      exchange.tellUpstream(
          GatewayFields.TRACEPARENT,
          TraceContext.begin(random.nextLong(), random.nextLong(), random.nextLong()));
    }
  }

  private void tellForwarding(Exchange exchange, HttpServletRequest clientRequest) {
    boolean trusted = exchange.callerTrusted();
    String peer = IpAddress.bare(exchange.peerAddress());
    String proto = clientRequest.getScheme();
    String host = exchange.authority();
    String port = String.valueOf(clientRequest.getServerPort());
    String prefix = contextPath + exchange.route().prefix();
    String element = Forwarding.element(peer, host, proto);
    if (!trusted) {
      exchange.tellUpstream(GatewayFields.FORWARDED_FOR, peer);
      exchange.tellUpstream(GatewayFields.FORWARDED_PROTO, proto);
      if (host != null) {
        exchange.tellUpstream(GatewayFields.FORWARDED_HOST, host);
      }
      exchange.tellUpstream(GatewayFields.FORWARDED_PORT, port);
      exchange.tellUpstream(GatewayFields.FORWARDED_PREFIX, prefix);
      exchange.tellUpstream(GatewayFields.FORWARDED, element);
      return;
    }
    exchange.tellUpstream(
        GatewayFields.FORWARDED_FOR, extended(clientRequest, GatewayFields.FORWARDED_FOR, peer));
    exchange.tellUpstream(
        GatewayFields.FORWARDED_PROTO, kept(clientRequest, GatewayFields.FORWARDED_PROTO, proto));
    String toldHost = kept(clientRequest, GatewayFields.FORWARDED_HOST, host == null ? "" : host);
    if (!toldHost.isEmpty()) {
      exchange.tellUpstream(GatewayFields.FORWARDED_HOST, toldHost);
    }
    exchange.tellUpstream(
        GatewayFields.FORWARDED_PORT, kept(clientRequest, GatewayFields.FORWARDED_PORT, port));
    String outer = kept(clientRequest, GatewayFields.FORWARDED_PREFIX, "");
    exchange.tellUpstream(
        GatewayFields.FORWARDED_PREFIX,
        (outer.endsWith("/") ? outer.substring(0, outer.length() - 1) : outer) + prefix);
    exchange.tellUpstream(
        GatewayFields.FORWARDED, extended(clientRequest, GatewayFields.FORWARDED, element));
  }

  /** What the caller said, and ours behind it. */
  private static String extended(HttpServletRequest clientRequest, String name, String ours) {
    String theirs = joined(clientRequest, name);
    return theirs == null ? ours : theirs + ", " + ours;
  }

  /** What the caller said, or ours. */
  private static String kept(HttpServletRequest clientRequest, String name, String ours) {
    String theirs = clientRequest.getHeader(name);
    return theirs == null ? ours : theirs;
  }

  private static @Nullable String joined(HttpServletRequest clientRequest, String name) {
    if (clientRequest.getHeader(name) == null) {
      return null;
    }
    List<String> values = new ArrayList<>(Collections.list(clientRequest.getHeaders(name)));
    values.removeIf(String::isBlank);
    return values.isEmpty() ? null : String.join(", ", values);
  }
}
