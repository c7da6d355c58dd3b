package dev.gatehouse.auth;

import dev.gatehouse.http.LogText;
import dev.gatehouse.metrics.Metrics;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The keys that a provider publishes, as they were when they were last fetched. */
final class KeySet {

  // Requests only look into `keys`, which is replaced as a whole. Everything else is about the next
  // fetch, of which there is one at most: it runs on a thread of ours, begun by the timer or by a
  // request that names an unknown key, and by nobody before the interval is over. So a key that a
  // set of the last interval does not have is unknown without a question, whatever names are
  // invented; nothing needs to be remembered of them.
  //
  // A set is replaced by a good one only. A key that is in both stays the same object, because the
  // tokens that it has verified are remembered with it; one that is gone is withdrawn.

  private static final Logger LOG = LoggerFactory.getLogger(KeySet.class);

  /** Fetches a key set; blocks. */
  interface Source {
    String fetch() throws KeySetException;
  }

  /** Does things on threads of their own. */
  interface Threads {

    /**
     * @throws RejectedExecutionException once the application is being stopped
     */
    void execute(Runnable task);

    /** The same, after a while, unless that is cancelled. */
    Future<?> after(Duration wait, Runnable task);
  }

  /** A set; {@code all} has the keys in the provider's order. */
  private record Keys(
      Map<PublishedKey, VerifyingKey> byPublished,
      List<VerifyingKey> all,
      Map<String, List<VerifyingKey>> byId,
      long fetched) {}

  private final String issuer;
  private final RefreshRule rule;
  private final Source source;
  private final Optional<KeySetFile> file;
  private final Function<PublishedKey, VerifyingKey> maker;
  private final Threads threads;
  private final LongSupplier nanos;
  private final Clock clock;
  private final Metrics metrics;

  private volatile @Nullable Keys keys;

  /** Guarded by this, as are the next ones: when the last fetch began. */
  private long begun;

  private boolean soon;

  /** Whether the last fetch failed; written by fetches only, which come one after the other. */
  private boolean failing;

  /** When the first fetch failed after the last good one; of a kept set, when it was fetched. */
  private @Nullable Long staleSince;

  private @Nullable CompletableFuture<Void> underWay;
  private @Nullable Future<?> next;

  /**
   * @param issuer its name for log and metrics
   * @param maker makes of a published key one that verifies the issuer's tokens
   * @param threads one for each set, which its fetch may block, and one more
   * @param nanos the time for intervals and ages, which no change of the clock touches
   * @param clock the time of day, for what is kept over restarts
   */
  KeySet(
      String issuer,
      RefreshRule rule,
      Source source,
      Optional<KeySetFile> file,
      Function<PublishedKey, VerifyingKey> maker,
      Threads threads,
      LongSupplier nanos,
      Clock clock,
      Metrics metrics) {
    this.issuer = issuer;
    this.rule = rule;
    this.source = source;
    this.file = file;
    this.maker = maker;
    this.threads = threads;
    this.nanos = nanos;
    this.clock = clock;
    this.metrics = metrics;
  }

  /** Takes up what was kept, and begins the first fetch. */
  void open() {
    metrics.keySetAge(issuer, this, KeySet::ageSeconds);
    takeUpKept();
    synchronized (this) {
      begin();
    }
  }

  /** Whether there are keys at all. */
  boolean isLoaded() {
    return keys != null;
  }

  /**
   * @param id {@code kid}; null for all keys
   */
  List<VerifyingKey> find(@Nullable String id) {
    Keys now = keys;
    if (now == null) {
      return List.of();
    }
    return id == null ? now.all : now.byId.getOrDefault(id, List.of());
  }

  /**
   * Waits for a newer set, if one is being fetched, or may be; blocks.
   *
   * @param waiters the places for all who wait; who finds none does not wait
   * @return whether a fetch has ended
   */
  boolean awaitNewer(Semaphore waiters, Duration patience) {
    CompletableFuture<Void> fetch = fetchIfAllowed();
    if (fetch == null || !waiters.tryAcquire()) {
      return false;
    }
    try {
      fetch.get(patience.toNanos(), TimeUnit.NANOSECONDS);
      return true;
    } catch (TimeoutException | ExecutionException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      waiters.release();
    }
  }

  private synchronized @Nullable CompletableFuture<Void> fetchIfAllowed() {
    if (underWay == null) {
      if (rule.mayFetch(since(begun))) {
        begin();
      } else if (!soon) {
        soon = true;
        planNext();
      }
    }
    return underWay;
  }

  private synchronized void begin() {
    CompletableFuture<Void> fetch = new CompletableFuture<>();
    begun = nanos.getAsLong();
    soon = false;
    if (next != null) {
      next.cancel(false);
      next = null;
    }
    try {
      threads.execute(() -> run(fetch));
      underWay = fetch;
    } catch (RejectedExecutionException e) {
      // The application is being stopped.
    }
  }

  private void run(CompletableFuture<Void> fetch) {
    boolean good = false;
    try {
      String document = source.fetch();
      install(document, nanos.getAsLong());
      good = true;
      // Who waits does not wait for the disk.
      fetch.complete(null);
      metrics.keySetFetched(issuer, "good");
      keep(document);
    } catch (KeySetException e) {
      failed(e.outcome(), String.valueOf(e.getMessage()));
    } catch (RuntimeException e) {
      failed("failed", e.toString());
    } finally {
      synchronized (this) {
        underWay = null;
        failing = !good;
        staleSince = good ? null : Objects.requireNonNullElse(staleSince, begun);
        planNext();
      }
      fetch.complete(null);
    }
  }

  /** Plans the next fetch, and before it the end of a set that is too old. */
  private synchronized void planNext() {
    if (next != null) {
      next.cancel(false);
    }
    Duration wait = rule.untilNext(since(begun), soon || failing || keys == null);
    if (keys != null && staleSince != null) {
      Duration served = rule.servesFor(since(staleSince));
      wait = wait.compareTo(served) < 0 ? wait : served;
    }
    try {
      next = threads.after(wait, this::wake);
    } catch (RejectedExecutionException e) {
      // The application is being stopped.
    }
  }

  private synchronized void wake() {
    next = null;
    Keys now = keys;
    if (now != null && staleSince != null && rule.servesFor(since(staleSince)).isZero()) {
      keys = null;
      now.all.forEach(VerifyingKey::withdraw);
      LOG.error("keys of {}: not fetched for too long, they no longer serve", issuer);
    }
    if (underWay == null) {
      if (rule.untilNext(since(begun), soon || failing || keys == null).isZero()) {
        begin();
      } else {
        planNext();
      }
    }
  }

  private void install(String document, long fetched) throws KeySetException {
    List<PublishedKey> published;
    try {
      published = PublishedKey.set(document);
    } catch (IllegalArgumentException e) {
      throw new KeySetException("garbled", String.valueOf(e.getMessage()));
    }
    Keys before = keys;
    Map<PublishedKey, VerifyingKey> old = before == null ? Map.of() : before.byPublished;
    Map<PublishedKey, VerifyingKey> all = new LinkedHashMap<>();
    Map<String, List<VerifyingKey>> byId = new HashMap<>();
    for (PublishedKey key : published) {
      VerifyingKey verifying = old.containsKey(key) ? old.get(key) : maker.apply(key);
      if (all.putIfAbsent(key, Objects.requireNonNull(verifying)) == null && key.id() != null) {
        byId.computeIfAbsent(key.id(), id -> new ArrayList<>()).add(verifying);
      }
    }
    keys = new Keys(all, List.copyOf(all.values()), byId, fetched);
    old.forEach(
        (key, verifying) -> {
          if (!all.containsKey(key)) {
            verifying.withdraw();
          }
        });
    if (!old.keySet().equals(all.keySet())) {
      LOG.info("keys of {}: {}", issuer, names(published));
    } else if (failing) {
      LOG.info("keys of {}: fetched again", issuer);
    }
  }

  private static String names(List<PublishedKey> published) {
    StringBuilder names = new StringBuilder();
    for (PublishedKey key : published) {
      names.append(names.length() == 0 ? "" : ", ");
      LogText.append(names, key.id() == null ? "(without kid)" : key.id());
    }
    return names.toString();
  }

  private void failed(String outcome, String message) {
    metrics.keySetFetched(issuer, outcome);
    if (!failing) {
      LOG.warn(
          "keys of {}: not fetched, {}: {}",
          issuer,
          isLoaded() ? "the last good ones serve on" : "there are none yet",
          LogText.escape(message));
    }
  }

  private void takeUpKept() {
    try {
      Optional<KeySetFile.Kept> kept = file.isPresent() ? file.get().read() : Optional.empty();
      if (kept.isPresent()) {
        Duration age = Duration.between(kept.get().fetched(), clock.instant());
        if (!rule.servesFor(age.isNegative() ? Duration.ZERO : age).isZero()) {
          long fetched = nanos.getAsLong() - Math.max(0, age.toNanos());
          install(kept.get().document(), fetched);
          synchronized (this) {
            staleSince = fetched;
          }
        }
      }
    } catch (IOException | KeySetException e) {
      LOG.warn("keys of {}: what was kept cannot be used: {}", issuer, e.toString());
    }
  }

  private void keep(String document) {
    if (file.isPresent()) {
      try {
        file.get().write(new KeySetFile.Kept(document, clock.instant()));
      } catch (IOException e) {
        LOG.warn("keys of {}: cannot be kept for a restart: {}", issuer, e.toString());
      }
    }
  }

  private double ageSeconds() {
    Keys now = keys;
    return now == null ? Double.NaN : since(now.fetched).toMillis() / 1000.0;
  }

  private Duration since(long then) {
    return Duration.ofNanos(nanos.getAsLong() - then);
  }
}
