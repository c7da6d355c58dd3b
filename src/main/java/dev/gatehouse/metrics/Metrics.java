package dev.gatehouse.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The gateway's counts. Labels come from closed sets only: service names, statuses, failure codes
 * and reasons; never a path, an address or a subject.
 */
public final class Metrics implements AutoCloseable {

  /** What Prometheus asks for. */
  public static final String MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private static final int STATUSES = 1000;

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final LongAdder open = new LongAdder();
  private final LongAdder asking = new LongAdder();

  /** Of each service a counter per status, so that counting a request looks up no labels. */
  private final Map<String, AtomicReferenceArray<@Nullable Counter>> requests =
      new ConcurrentHashMap<>();

  private final Map<String, Counter> failures = new ConcurrentHashMap<>();

  public Metrics() {
    Gauge.builder("gatehouse.exchanges.open", open, opened -> opened.sum() - asking.sum())
        .description("Exchanges that have not ended, without those that ask for this count.")
        .register(registry);
  }

  public void exchangeOpened() {
    open.increment();
  }

  /**
   * @param service the servlet-name
   * @param status 100 to 999; another one is counted as 0
   */
  public void exchangeClosed(String service, int status) {
    AtomicReferenceArray<@Nullable Counter> ofService =
        requests.computeIfAbsent(service, name -> new AtomicReferenceArray<>(STATUSES));
    int index = status >= 100 && status < STATUSES ? status : 0;
    Counter counter = ofService.get(index);
    if (counter == null) {
      // Micrometer gives the same counter to whoever asks at the same time.
      counter =
          Counter.builder("gatehouse.requests")
              .description("Requests that have ended, by service and status.")
              .tag("service", service)
              .tag("status", String.valueOf(index))
              .register(registry);
      ofService.set(index, counter);
    }
    counter.increment();
    // Last, so that whoever sees no open exchange sees all of them counted.
    open.decrement();
  }

  /**
   * @param service the servlet-name
   * @param code the failure's code
   * @param reason its exact reason, from a closed set
   */
  public void failed(String service, String code, String reason) {
    failures
        .computeIfAbsent(
            service + ' ' + code + ' ' + reason,
            key ->
                Counter.builder("gatehouse.failures")
                    .description("Exchanges that failed, by service, code and exact reason.")
                    .tag("service", service)
                    .tag("code", code)
                    .tag("reason", reason)
                    .register(registry))
        .increment();
  }

  /**
   * Counts a request that was sent once more, because the service had closed the connection.
   *
   * @param service the servlet-name
   */
  public void sentAgain(String service) {
    Counter.builder("gatehouse.upstream.repeats")
        .description("Requests sent once more, because a pooled connection was closed.")
        .tag("service", service)
        .register(registry)
        .increment();
  }

  /**
   * Counts a fetch of a key set.
   *
   * @param issuer its name in the settings
   * @param outcome from a closed set
   */
  public void keySetFetched(String issuer, String outcome) {
    Counter.builder("gatehouse.keys.fetches")
        .description("Fetches of key sets, by issuer and outcome.")
        .tag("issuer", issuer)
        .tag("outcome", outcome)
        .register(registry)
        .increment();
  }

  /** Shows how old a key set is, in seconds; not a number if there is none. */
  public <T> void keySetAge(String issuer, T set, ToDoubleFunction<T> age) {
    Gauge.builder("gatehouse.keys.age", set, age)
        .description("Time since the key set in use was fetched.")
        .baseUnit("seconds")
        .tag("issuer", issuer)
        .register(registry);
  }

  /**
   * Shows how many tokens were looked at.
   *
   * @param how {@code recognised} or {@code examined}
   */
  public void tokensChecked(String how, LongAdder count) {
    FunctionCounter.builder("gatehouse.tokens.checked", count, LongAdder::sum)
        .description("Tokens that were recognised, or examined in full with whatever outcome.")
        .tag("how", how)
        .register(registry);
  }

  /** Shows a count of log lines that were lost because a disk or a terminal did not keep up. */
  public <T> void logLinesLost(String log, T counted, ToLongFunction<T> lost) {
    FunctionCounter.builder("gatehouse.log.lines.lost", counted, lost::applyAsLong)
        .description("Log lines that were dropped because their writer did not keep up.")
        .tag("log", log)
        .register(registry);
  }

  /** All counts in Prometheus' text format, for an exchange that is open meanwhile. */
  public String text() {
    asking.increment();
    try {
      return registry.scrape();
    } finally {
      asking.decrement();
    }
  }

  @Override
  public void close() {
    registry.close();
  }
}
