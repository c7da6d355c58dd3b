package dev.gatehouse.limit;

import dev.gatehouse.Exchange;
import dev.gatehouse.Failure;
import dev.gatehouse.Gateway;
import dev.gatehouse.GatewayFilter;
import dev.gatehouse.Refusal;
import dev.gatehouse.config.Parameters;
import jakarta.servlet.FilterChain;
import jakarta.servlet.FilterConfig;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Lets callers pass only so often, or only so many requests at the same time.
 *
 * <p><b>What the client sees:</b> on every answer behind this filter {@code RateLimit-Policy} and
 * {@code RateLimit} (draft-ietf-httpapi-ratelimit-headers-10): what is allowed, how much of it is
 * left ({@code r}), and after how many seconds there is more ({@code t}). Over the limit: 429
 * {@code rate_limited} with {@code Retry-After}.
 *
 * <p>A limit is a bucket of {@code burst} permits that is refilled evenly, {@code COUNT} per {@code
 * DURATION}: in no time span of that duration more than {@code COUNT} and {@code burst} together
 * pass, and in the long run {@code COUNT} per {@code DURATION}.
 *
 * <p>With {@code store} the nodes of a gateway share their buckets. They are lent permits ahead of
 * need, so that no request waits for the store; all together they let through at most 5 % of {@code
 * COUNT} more, or one request per further node, whichever is more.
 *
 * <p><b>Place in the chain:</b> by {@code address} before authentication, because to check a
 * signature is the dearest thing that a stranger can make the gateway do; by {@code caller} behind
 * it, because only then the caller is known. Each limit is a filter of its own.
 *
 * <table>
 * <caption>Parameters</caption>
 * <tr><th>init-param</th><th>format</th><th>default</th></tr>
 * <tr><td>{@code limit}</td><td>{@code COUNT/DURATION}, whole seconds, 1s to 1d; empty: no limit</td>
 *   <td>none</td></tr>
 * <tr><td>{@code burst}</td><td>how many may pass at once</td><td>COUNT</td></tr>
 * <tr><td>{@code concurrent}</td><td>how many may be under way at the same time, on each node; an
 *   event stream is one for as long as it lasts; empty: no limit</td><td>none</td></tr>
 * <tr><td>{@code key}</td><td>what is counted together: {@code caller}, {@code address} (IPv6: its
 *   /64), {@code service}, {@code header:<name>}, or several with {@code +}. The address stands in
 *   for a caller or a header that a request does not have</td><td>{@code caller}</td></tr>
 * <tr><td>{@code except}</td><td>servlet-names with commas that are not limited</td>
 *   <td>{@code health}</td></tr>
 * <tr><td>{@code dryRun}</td><td>{@code true}: refuse nothing, say nothing, only count</td>
 *   <td>{@code false}</td></tr>
 * <tr><td>{@code keys}</td><td>how many keys are remembered at most; beyond it, those that were
 *   seldom seen are forgotten</td><td>{@code 100000}</td></tr>
 * <tr><td>{@code store}, setting {@code rateLimit.store}</td>
 *   <td>{@code local}, {@code redis://…}, {@code rediss://…}</td><td>{@code local}</td></tr>
 * <tr><td>{@code onStoreLoss}, setting {@code rateLimit.onStoreLoss}</td><td>{@code local} (each
 *   node counts for itself), {@code allow} (everything passes), {@code refuse} (503 {@code
 *   limit_unavailable})</td><td>{@code local}</td></tr>
 * </table>
 *
 * <pre>{@code
 * <filter>
 *   <filter-name>limit-orders</filter-name>
 *   <filter-class>dev.gatehouse.limit.RateLimitFilter</filter-class>
 *   <async-supported>true</async-supported>
 *   <init-param>
 *     <param-name>limit</param-name>
 *     <param-value>600/1m</param-value>
 *   </init-param>
 *   <init-param>
 *     <param-name>key</param-name>
 *     <param-value>caller+service</param-value>
 *   </init-param>
 * </filter>
 * <filter-mapping>
 *   <filter-name>limit-orders</filter-name>
 *   <url-pattern>/api/orders/*</url-pattern>
 *   <url-pattern>/orders/*</url-pattern>
 * </filter-mapping>
 * }</pre>
 */
public final class RateLimitFilter extends GatewayFilter {

  private static final String POLICY = "RateLimit-Policy";
  private static final String STATE = "RateLimit";
  private static final long MOST_KEYS = 100_000_000;

  private Optional<Limit> limit = Optional.empty();
  private int concurrent;
  private LimitKey key = LimitKey.parse("caller");
  private Set<String> except = Set.of();
  private boolean dryRun;
  private long keys;
  private Optional<StoreUrl> store = Optional.empty();
  private RateLimiter.OnLoss onLoss = RateLimiter.OnLoss.LOCAL;

  private @Nullable RateLimiter limiter;
  private @Nullable ConcurrentRequests underWay;
  private String passed = "";
  private String ratePolicy = "";
  private String rateState = "";
  private String secondsPerPermit = "";
  private String concurrentPolicy = "";
  private String concurrentState = "";
  private List<String> rateName = List.of();
  private List<String> concurrentName = List.of();

  private final LongAdder allowed = new LongAdder();
  private final LongAdder refused = new LongAdder();
  private final LongAdder unavailable = new LongAdder();

  @Override
  public void configure(Parameters parameters) {
    parameters.withoutSettings();
    limit = parameters.value("limit", "COUNT/DURATION", Limit::parse);
    Optional<Long> burst = parameters.value("burst", "number", Limit::count);
    concurrent = parameters.value("concurrent", "number", Limit::count).orElse(0L).intValue();
    key =
        parameters.value(
            "key", "caller", "caller, address, service, header:<name>, with +", LimitKey::parse);
    except = parameters.servlets("except", "health");
    dryRun = parameters.choice("dryRun", "false", "true", "false").equals("true");
    keys = parameters.value("keys", "100000", "number", RateLimitFilter::keys);
    parameters.keysUnder("rateLimit.");
    store =
        parameters.value(
            "store",
            "local",
            "local, redis://…, rediss://…",
            RateLimitFilter::store,
            StoreUrl::shown);
    onLoss =
        RateLimiter.OnLoss.valueOf(
            parameters
                .choice("onStoreLoss", "local", "local", "allow", "refuse")
                .toUpperCase(Locale.ROOT));
    if (burst.isPresent() && !parameters.isWritten("limit")) {
      parameters.problem("init-param 'burst' says nothing without 'limit'");
    }
    if (!parameters.isWritten("limit") && !parameters.isWritten("concurrent")) {
      parameters.problem(
          "init-params 'limit' and 'concurrent' are missing: expected one of them, or both");
    }
    limit = limit.map(rate -> burst.map(rate::withBurst).orElse(rate));
  }

  private static long keys(String text) {
    long number = text.matches("\\d{1,9}") ? Long.parseLong(text) : 0;
    if (number < 1 || number > MOST_KEYS) {
      throw new IllegalArgumentException("a number of 1 to " + MOST_KEYS);
    }
    return number;
  }

  private static Optional<StoreUrl> store(String text) {
    return text.equals("local") ? Optional.empty() : Optional.of(StoreUrl.parse(text));
  }

  @Override
  protected void start(Gateway gateway, FilterConfig config) throws ServletException {
    String name = config.getFilterName();
    passed = RateLimitFilter.class.getName() + "." + name;
    String shown = name.replaceAll("[^A-Za-z0-9_.:/-]", "_");
    if (limit.isPresent()) {
      Limit rate = limit.get();
      PermitStore shared =
          store
              .map(url -> gateway.shared(PermitStores.class, PermitStores::new).at(url, gateway))
              .orElse(null);
      limiter = new RateLimiter(name, rate, keys, shared, onLoss, System::nanoTime);
      rateName = List.of(shown);
      rateState = '"' + shown + "\";r=";
      ratePolicy = '"' + shown + "\";q=" + rate.count() + ";w=" + seconds(rate.window().toNanos());
      secondsPerPermit = ";t=" + seconds((long) rate.nanosPerPermit());
      gateway.metrics().limitKeys(name, limiter, RateLimiter::keys, limiter.forgotten());
    }
    if (concurrent > 0) {
      underWay = new ConcurrentRequests(concurrent);
      String second = shown + (limit.isPresent() ? "-concurrent" : "");
      concurrentName = List.of(second);
      concurrentState = '"' + second + "\";r=";
      concurrentPolicy = '"' + second + "\";q=" + concurrent + ";qu=\"concurrent-requests\"";
    }
    if (limit.isPresent() || concurrent > 0) {
      gateway.metrics().limitDecisions(name, "allowed", allowed);
      gateway.metrics().limitDecisions(name, dryRun ? "would_refuse" : "refused", refused);
      gateway.metrics().limitDecisions(name, "unavailable", unavailable);
    }
  }

  @Override
  public void destroy() {
    if (limiter != null) {
      limiter.close();
    }
  }

  @Override
  protected void apply(
      Exchange exchange,
      HttpServletRequest clientRequest,
      HttpServletResponse clientResponse,
      FilterChain chain)
      throws IOException, ServletException {
    RateLimiter rate = limiter;
    ConcurrentRequests running = underWay;
    if ((rate == null && running == null) || except.contains(exchange.route().servlet())) {
      chain.doFilter(clientRequest, clientResponse);
      return;
    }
    if (clientRequest.getAttribute(passed) != null) {
      // Jetty has a filter for each of its mappings that match.
      chain.doFilter(clientRequest, clientResponse);
      return;
    }
    clientRequest.setAttribute(passed, passed);
    String counted = key.of(exchange, clientRequest);
    int free = running == null ? 0 : running.begin(counted);
    if (running != null && free >= 0) {
      exchange.onEnd(ended -> running.end(counted));
    }
    RateLimiter.Verdict verdict = free < 0 || rate == null ? null : rate.take(counted);
    boolean passes = free >= 0 && (verdict == null || verdict.isAllowed());
    if (passes) {
      allowed.increment();
    } else {
      (verdict == null || verdict.isRefused() ? refused : unavailable).increment();
    }
    if (!dryRun) {
      if (running != null) {
        tell(exchange, clientResponse, POLICY, concurrentPolicy);
        tell(exchange, clientResponse, STATE, concurrentState + Math.max(0, free));
      }
      if (rate != null) {
        tell(exchange, clientResponse, POLICY, ratePolicy);
      }
      if (verdict != null) {
        // Else how much is left was not asked: that would take a permit.
        tell(exchange, clientResponse, STATE, rateState(verdict));
      }
    }
    if (passes || dryRun) {
      chain.doFilter(clientRequest, clientResponse);
    } else if (verdict == null) {
      Refusal.rateLimited(exchange, clientResponse, "concurrent", 1, concurrentName);
    } else if (verdict.isRefused()) {
      Refusal.rateLimited(
          exchange, clientResponse, "rate", seconds(verdict.nanosToNext()), rateName);
    } else {
      Refusal.send(exchange, clientResponse, Failure.LIMIT_UNAVAILABLE);
    }
  }

  private String rateState(RateLimiter.Verdict verdict) {
    return verdict.isAllowed()
        ? rateState + verdict.remaining() + secondsPerPermit
        : rateState + "0;t=" + seconds(verdict.nanosToNext());
  }

  private static void tell(
      Exchange exchange, HttpServletResponse clientResponse, String field, String value) {
    exchange.tellClient(field, value);
    clientResponse.addHeader(field, value);
  }

  /** Whole seconds, rounded up, at least one: whoever came at once would come in vain. */
  private static long seconds(long nanos) {
    return Math.max(1, TimeUnit.NANOSECONDS.toSeconds(nanos + TimeUnit.SECONDS.toNanos(1) - 1));
  }
}
