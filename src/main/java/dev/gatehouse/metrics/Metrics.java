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

  /**
   * Shows how often a limit has decided so.
   *
   * @param limit the filter's name
   * @param verdict from a closed set
   */
  public void limitDecisions(String limit, String verdict, LongAdder count) {
    FunctionCounter.builder("gatehouse.limit.decisions", count, LongAdder::sum)
        .description("Requests that a limit has looked at, by what it decided.")
        .tag("limit", limit)
        .tag("verdict", verdict)
        .register(registry);
  }

  /** Shows how many keys a limit remembers, and how many it has forgotten before their time. */
  public <T> void limitKeys(String limit, T counted, ToLongFunction<T> keys, LongAdder forgotten) {
    Gauge.builder("gatehouse.limit.keys", counted, keys::applyAsLong)
        .description("Keys that a limit remembers.")
        .tag("limit", limit)
        .register(registry);
    FunctionCounter.builder("gatehouse.limit.keys.forgotten", forgotten, LongAdder::sum)
        .description("Keys that a limit forgot before their time, because there were too many.")
        .tag("limit", limit)
        .register(registry);
  }

  /** Shows whether a store of shared limits is up (1) or lost (0), and how many nodes share it. */
  public <T> void limitStore(
      String store, T counted, ToDoubleFunction<T> up, ToDoubleFunction<T> nodes) {
    Gauge.builder("gatehouse.limit.store.up", counted, up)
        .description("Whether the store of shared limits is up (1) or lost (0).")
        .tag("store", store)
        .register(registry);
    Gauge.builder("gatehouse.limit.store.nodes", counted, nodes)
        .description("Nodes that share the limits in a store, as far as was last heard.")
        .tag("store", store)
        .register(registry);
  }

  /**
   * Shows what a store of shared limits was asked.
   *
   * @param questions one for each bucket that was asked for
   * @param batches commands that they were sent in
   */
  public void limitStoreUse(
      String store, LongAdder questions, LongAdder batches, LongAdder losses) {
    storeCounter("questions", "Questions to the store of shared limits.", store, questions);
    storeCounter("batches", "Commands in which they were sent.", store, batches);
    storeCounter("losses", "How often the store was lost.", store, losses);
  }

  private void storeCounter(String name, String description, String store, LongAdder count) {
    FunctionCounter.builder("gatehouse.limit.store." + name, count, LongAdder::sum)
        .description(description)
        .tag("store", store)
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
