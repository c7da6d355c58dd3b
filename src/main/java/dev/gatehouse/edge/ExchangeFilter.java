package dev.gatehouse.edge;

import dev.gatehouse.Exchange;
import dev.gatehouse.Failure;
import dev.gatehouse.Gateway;
import dev.gatehouse.Refusal;
import dev.gatehouse.Route;
import dev.gatehouse.http.GatewayFields;
import dev.gatehouse.http.LogText;
import dev.gatehouse.http.TraceContext;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.FilterConfig;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletMapping;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens an exchange for each request, gives it its id, and closes it exactly once, however it ends.
 *
 * <p><b>What the client sees:</b> an {@code X-Request-Id} on every answer: its own, if it sent one
 * of 1 to 128 letters, digits, dots, underscores or dashes, else a new one. If something in the
 * chain fails unexpectedly: 500 with a problem, and the cause in the gateway's log.
 *
 * <p><b>Place in the chain:</b> first, mapped to {@code /*}: all else asks for the exchange.
 *
 * <p><b>Parameters:</b> none.
 *
 * <pre>{@code
 * <filter>
 *   <filter-name>open-exchange</filter-name>
 *   <filter-class>dev.gatehouse.edge.ExchangeFilter</filter-class>
 *   <async-supported>true</async-supported>
 * </filter>
 * }</pre>
 */
public final class ExchangeFilter implements Filter {

  private static final Logger LOG = LoggerFactory.getLogger(ExchangeFilter.class);
  private static final int LONGEST_ID = 128;
  private static final int LONGEST_CAUSE = 160;

  private final Map<String, Route> routes = new ConcurrentHashMap<>();
  private Set<String> noRouteServlets = Set.of();
  private @Nullable Gateway gateway;

  @Override
  public void init(FilterConfig config) {
    ServletContext context = config.getServletContext();
    gateway = Gateway.of(context);
    noRouteServlets =
        context.getServletRegistrations().values().stream()
            .filter(servlet -> NoRouteServlet.class.getName().equals(servlet.getClassName()))
            .map(servlet -> servlet.getName())
            .collect(Collectors.toUnmodifiableSet());
  }

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException {
    HttpServletRequest clientRequest = (HttpServletRequest) request;
    HttpServletResponse clientResponse = (HttpServletResponse) response;
    Exchange exchange = open(clientRequest);
    clientResponse.setHeader(GatewayFields.REQUEST_ID, exchange.id());
    Watched watched = new Watched(clientRequest, clientResponse, exchange);
    try {
      chain.doFilter(watched, clientResponse);
    } catch (Throwable unexpected) {
      fail(exchange, watched, clientResponse, unexpected);
      if (unexpected instanceof Error error) {
        throw error;
      }
    } finally {
      if (!watched.wentAsync) {
        exchange.close(clientResponse.getStatus());
      }
      exchange.chainLeft();
    }
  }

  private Exchange open(HttpServletRequest clientRequest) {
    Gateway current = java.util.Objects.requireNonNull(gateway);
    HttpServletMapping mapping = clientRequest.getHttpServletMapping();
    Route route =
        routes.computeIfAbsent(
            mapping.getPattern(),
            pattern ->
                Route.of(
                    mapping.getServletName(),
                    pattern,
                    !noRouteServlets.contains(mapping.getServletName())));
    Exchange exchange =
        new Exchange(id(clientRequest), current.clock().instant(), route, clientRequest);
    current.metrics().exchangeOpened();
    exchange.onEnd(
        ended -> {
          Failure failure = ended.failure();
          if (failure != null) {
            current.metrics().failed(route.servlet(), failure.code(), ended.reason());
            log(ended, failure);
          }
          current.metrics().exchangeClosed(route.servlet(), ended.status());
        });
    return exchange;
  }

  private static String id(HttpServletRequest clientRequest) {
    String sent = clientRequest.getHeader(GatewayFields.REQUEST_ID);
    if (sent != null && isSane(sent)) {
      return sent;
    }
    ThreadLocalRandom random = ThreadLocalRandom.current();
    return TraceContext.hex(random.nextLong()) + TraceContext.hex(random.nextLong());
  }

  private static boolean isSane(String id) {
    if (id.isEmpty() || id.length() > LONGEST_ID) {
      return false;
    }
    for (int i = 0; i < id.length(); i++) {
      char c = id.charAt(i);
      if (!((c >= 'a' && c <= 'z')
          || (c >= 'A' && c <= 'Z')
          || (c >= '0' && c <= '9')
          || c == '.'
          || c == '_'
          || c == '-')) {
        return false;
      }
    }
    return true;
  }

  private static void fail(
      Exchange exchange, Watched watched, HttpServletResponse clientResponse, Throwable unexpected)
      throws IOException {
    if (unexpected instanceof IOException lost) {
      // In the chain nothing is read or written but the client's connection.
      exchange.failed(Failure.CLIENT_GONE, "write", lost);
      if (clientResponse.isCommitted()) {
        throw lost;
      }
    }
    exchange.failed(Failure.INTERNAL, unexpected.getClass().getSimpleName(), unexpected);
    if (clientResponse.isCommitted()) {
      // Too late to say so: the server breaks off the answer when this leaves the chain.
      throw new IOException("failed after the answer was begun", unexpected);
    }
    Refusal.send(exchange, clientResponse, Failure.INTERNAL);
    if (watched.wentAsync && watched.isAsyncStarted()) {
      watched.getAsyncContext().complete();
    }
  }

  /** The one line in the gateway's own log for an exchange that failed. */
  private static void log(Exchange exchange, Failure failure) {
    // Why limits are not available was told once, when that began.
    if (failure.source() == Failure.Source.CLIENT || failure == Failure.LIMIT_UNAVAILABLE) {
      if (LOG.isInfoEnabled()) {
        LOG.info(
            "{} {} {} -> {} {} ({})",
            exchange.id(),
            LogText.escape(exchange.method()),
            LogText.escape(exchange.rawPath()),
            exchange.status(),
            failure.code(),
            exchange.reason());
      }
    } else {
      Throwable cause = exchange.cause();
      LOG.warn(
          "{} {} {} -> {} {} ({}), {} after {} ms: {}",
          exchange.id(),
          LogText.escape(exchange.method()),
          LogText.escape(exchange.rawPath()),
          exchange.status(),
          failure.code(),
          exchange.reason(),
          exchange.route().servlet(),
          exchange.nanos() / 1_000_000,
          cause == null ? "" : LogText.escape(shortened(cause.toString())),
          failure == Failure.INTERNAL ? cause : null);
    }
  }

  /** Jetty's messages show the whole state of a connection. */
  private static String shortened(String text) {
    return text.length() <= LONGEST_CAUSE ? text : text.substring(0, LONGEST_CAUSE) + "...";
  }

  /**
   * A request that notices when it goes asynchronous. Asking it afterwards would be too late: an
   * exchange may have gone asynchronous and ended before the chain returns.
   */
  private static final class Watched extends HttpServletRequestWrapper implements AsyncListener {

    private final HttpServletResponse clientResponse;
    private final Exchange exchange;
    private boolean wentAsync;

    private Watched(
        HttpServletRequest clientRequest, HttpServletResponse clientResponse, Exchange exchange) {
      super(clientRequest);
      this.clientResponse = clientResponse;
      this.exchange = exchange;
    }

    @Override
    public AsyncContext startAsync() {
      return watch(super.startAsync());
    }

    @Override
    public AsyncContext startAsync(ServletRequest request, ServletResponse response) {
      return watch(super.startAsync(request, response));
    }

    private AsyncContext watch(AsyncContext async) {
      if (!wentAsync) {
        wentAsync = true;
        async.addListener(this);
      }
      return async;
    }

    @Override
    public void onComplete(AsyncEvent event) {
      // Not the event's response: Tomcat gives none any more.
      close();
    }

    @Override
    public void onError(AsyncEvent event) {
      // The server lost the client, or a dispatch failed. Jetty tells nothing more of an answer
      // that was begun, so this is the end.
      exchange.failed(Failure.CLIENT_GONE, "async_error", event.getThrowable());
      if (!clientResponse.isCommitted()) {
        // In case that somebody still listens: else the server would show its own words.
        try {
          Refusal.send(exchange, clientResponse, Failure.INTERNAL);
          event.getAsyncContext().complete();
        } catch (IOException | RuntimeException nobodyListens) {
          LOG.debug("{} cannot be answered", exchange.id(), nobodyListens);
        }
      }
      close();
    }

    private void close() {
      int status = Failure.CLIENT_GONE.status();
      try {
        status = clientResponse.getStatus();
      } catch (RuntimeException takenBack) {
        LOG.debug("{} has no response any more", exchange.id(), takenBack);
      }
      exchange.close(status);
    }

    @Override
    public void onTimeout(AsyncEvent event) {
      // Where no time was set, Tomcat is stopping the application.
      if (!exchange.stop()) {
        exchange.failed(Failure.INTERNAL, "async_timeout", null);
      }
    }

    @Override
    public void onStartAsync(AsyncEvent event) {
      event.getAsyncContext().addListener(this);
    }
  }
}
