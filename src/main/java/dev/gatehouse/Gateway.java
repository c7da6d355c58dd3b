package dev.gatehouse;

import dev.gatehouse.config.Settings;
import dev.gatehouse.metrics.Metrics;
import jakarta.servlet.ServletContext;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What there is one of in a web application: clock, settings, metrics, and things shared by all.
 */
public final class Gateway {

  private static final Logger LOG = LoggerFactory.getLogger(Gateway.class);
  private static final String ATTRIBUTE = Gateway.class.getName();

  private final Clock clock;
  private final Settings settings;
  private final Configuration configuration;
  private final Metrics metrics;

  private final Map<String, Supplier<String>> statuses =
      Collections.synchronizedMap(new LinkedHashMap<>());

  /** Guarded by this. */
  private final Map<Class<?>, AutoCloseable> shared = new LinkedHashMap<>();

  Gateway(Clock clock, Settings settings, Configuration configuration, Metrics metrics) {
    this.clock = clock;
    this.settings = settings;
    this.configuration = configuration;
    this.metrics = metrics;
  }

  /**
   * @throws IllegalStateException if the listener GatewayLifecycle is not in web.xml
   */
  public static Gateway of(ServletContext context) {
    Gateway gateway = (Gateway) context.getAttribute(ATTRIBUTE);
    if (gateway == null) {
      throw new IllegalStateException(
          "no gateway: web.xml must name the listener " + GatewayLifecycle.class.getName());
    }
    return gateway;
  }

  void publish(ServletContext context) {
    context.setAttribute(ATTRIBUTE, this);
  }

  public Clock clock() {
    return clock;
  }

  public Settings settings() {
    return settings;
  }

  /** What all filters and servlets have read from the settings. */
  public Configuration configuration() {
    return configuration;
  }

  public Metrics metrics() {
    return metrics;
  }

  /**
   * The one object of a type that filters and servlets share; made at first use, closed at stop.
   */
  public synchronized <T extends AutoCloseable> T shared(Class<T> type, Supplier<T> maker) {
    AutoCloseable there = shared.get(type);
    if (there == null) {
      there = maker.get();
      shared.put(type, there);
    }
    return type.cast(there);
  }

  /**
   * Shows the state of something that the gateway can do without, to whoever asks whether it is
   * ready.
   *
   * @param name as the settings call it
   * @param state {@code UP}, or why not, in a word from a closed set: everybody may read it
   */
  public void report(String name, Supplier<String> state) {
    statuses.put(name, state);
  }

  /** The states by name, in the order in which they were first told of. */
  public Map<String, String> statuses() {
    Map<String, String> now = new LinkedHashMap<>();
    synchronized (statuses) {
      statuses.forEach((name, state) -> now.put(name, state.get()));
    }
    return now;
  }

  /** Closes what is shared, the youngest first. */
  synchronized void close() {
    Deque<AutoCloseable> youngestFirst = new ArrayDeque<>();
    shared.values().forEach(youngestFirst::push);
    shared.clear();
    for (AutoCloseable closeable : youngestFirst) {
      try {
        closeable.close();
      } catch (Exception e) {
        LOG.warn("cannot close {}", closeable.getClass().getSimpleName(), e);
      }
    }
  }
}
