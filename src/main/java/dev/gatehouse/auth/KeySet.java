package dev.gatehouse.auth;

import dev.gatehouse.http.LogText;
import dev.gatehouse.metrics.Metrics;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The keys that a provider publishes, as they were when they were last fetched. */
final class KeySet {

  // Requests only look into `keys`, which is replaced as a whole. Everything else is about the next
  // fetch, of which there is one at most: begun by the timer or by a request that names an unknown
  // key, and by nobody before the interval is over. So a key that a set of the last interval does
  // not
  // have is unknown without a question, whatever names are invented; nothing is remembered of them.
  //
  // A set is replaced by a good one only. A key that is in both stays the same object, because the
  // tokens that it has verified are remembered with it; one that is gone is withdrawn.

  private static final Logger LOG = LoggerFactory.getLogger(KeySet.class);

  /** Begins to fetch a key set; what is foreseen to fail does so with a {@link KeySetException}. */
  interface Source {
    CompletableFuture<String> fetch();
  }

  /** What may be called off. */
  interface Task {
    void cancel();
  }

  /** Does things on threads of their own. */
  interface Threads {

    /**
     * @throws RejectedExecutionException once the application is being stopped
     */
    void execute(Runnable task);

    /** The same, after a while, unless that is cancelled. */
    Task after(Duration wait, Runnable task);
  }

  /** A set as it was fetched; another object for every fetch. */
  static final class Fetched {

    private final Map<PublishedKey, VerifyingKey> byPublished = new LinkedHashMap<>();
    private final Map<String, List<VerifyingKey>> byId = new HashMap<>();
    private final List<VerifyingKey> unnamed = new ArrayList<>();
    private final long nanos;

    private Fetched(long nanos) {
      this.nanos = nanos;
    }

    private void add(PublishedKey published, VerifyingKey key) {
      if (byPublished.putIfAbsent(published, key) == null) {
        String id = published.id();
        (id == null ? unnamed : byId.computeIfAbsent(id, first -> new ArrayList<>())).add(key);
      }
    }

    /** Whether a key has that name. */
    boolean names(String id) {
      return byId.containsKey(id);
    }

    /**
     * The keys that a token may mean.
     *
     * @param id the token's {@code kid}; null for all keys
     */
    Collection<VerifyingKey> find(@Nullable String id) {
      return id == null ? byPublished.values() : byId.getOrDefault(id, unnamed);
    }
  }

  private final String issuer;
  private final RefreshRule rule;
  private final Source source;
  private final Optional<KeySetFile> file;
  private final Function<PublishedKey, VerifyingKey> maker;
  private final Threads threads;
  private final LongSupplier nanos;
  private final Clock clock;
  private final Metrics metrics;
  private final Semaphore waiters;

  /** Whether a set is being written to the disk, which may hang. */
  private final AtomicBoolean keeping = new AtomicBoolean();

  private volatile @Nullable Fetched keys;

  /** Whether the last fetch failed; for fetches only, which come one after the other. */
  private volatile boolean failing;

  /** Guarded by this, as are the next ones: when the last fetch began. */
  private long begun;

  private boolean soon;

  /** When the first fetch failed after the last good one; of a kept set, when it was fetched. */
  private @Nullable Long staleSince;

  private @Nullable CompletableFuture<Void> underWay;
  private @Nullable Task next;

  /**
   * @param issuer its name for log and metrics
   * @param maker makes of a published key one that verifies the issuer's tokens
   * @param waiters the places of all requests that wait for this set or another
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
      Semaphore waiters,
      LongSupplier nanos,
      Clock clock,
      Metrics metrics) {
    this.issuer = issuer;
    this.rule = rule;
    this.source = source;
    this.file = file;
    this.maker = maker;
    this.threads = threads;
    this.waiters = waiters;
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

  /** The last good set; null if there is none, or it is too old. */
  @Nullable Fetched now() {
    return keys;
  }

  /**
   * Waits for a newer set, if one is being fetched, or may be; blocks. Who finds no place does not
   * wait.
   *
   * @param seen the set that was not enough
   * @return whether there is another one now
   */
  boolean awaitNewer(@Nullable Fetched seen, Duration patience) {
    CompletableFuture<Void> fetch = keys == seen ? fetchIfAllowed() : null;
    if (fetch != null && waiters.tryAcquire()) {
      try {
        fetch.get(patience.toNanos(), TimeUnit.NANOSECONDS);
      } catch (TimeoutException | ExecutionException e) {
        // The next request with that key may find it.
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } finally {
        waiters.release();
      }
    }
    return keys != seen;
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
      next.cancel();
      next = null;
    }
    try {
      threads.execute(() -> run(fetch));
      underWay = fetch;
    } catch (RejectedExecutionException e) {
      // The application is being stopped.
    } catch (Error e) {
      // No thread could be started.
      failed(e);
      finished(false);
    }
  }

  private void run(CompletableFuture<Void> fetch) {
    CompletableFuture<String> answer;
    try {
      answer = source.fetch();
    } catch (RuntimeException | Error e) {
      answer = CompletableFuture.failedFuture(e);
    }
    var unused = answer.whenComplete((document, failure) -> ended(fetch, document, failure));
  }

  private void ended(
      CompletableFuture<Void> fetch, @Nullable String document, @Nullable Throwable failure) {
    boolean good = false;
    try {
      good = takeUp(document, failure);
    } finally {
      // Whatever has happened, there is a next one.
      finished(good);
      fetch.complete(null);
    }
    // Last: neither who waits nor the next fetch waits for the disk.
    if (good && document != null && keeping.compareAndSet(false, true)) {
      try {
        keep(document);
      } finally {
        keeping.set(false);
      }
    }
  }

  private synchronized void finished(boolean good) {
    underWay = null;
    failing = !good;
    if (failing && staleSince == null) {
      staleSince = begun;
    }
    planNext();
  }

  /** Takes what was fetched for the keys from now on; returns whether it is good. */
  private boolean takeUp(@Nullable String document, @Nullable Throwable failure) {
    if (document == null) {
      failed(failure instanceof CompletionException ? failure.getCause() : failure);
      return false;
    }
    try {
      install(PublishedKey.set(document), nanos.getAsLong(), false);
      metrics.keySetFetched(issuer, "good");
      return true;
    } catch (IllegalArgumentException e) {
      failed(new KeySetException("garbled", String.valueOf(e.getMessage())));
    } catch (RuntimeException | Error e) {
      failed(e);
    }
    return false;
  }

  /** Plans the next fetch, and before it the end of a set that is too old. */
  private synchronized void planNext() {
    if (next != null) {
      next.cancel();
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
    if (next != null) {
      // Somebody has planned anew while this one waited for the lock.
      next.cancel();
      next = null;
    }
    Fetched now = keys;
    if (now != null && staleSince != null && rule.servesFor(since(staleSince)).isZero()) {
      keys = null;
      now.byPublished.values().forEach(VerifyingKey::withdraw);
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

  /** Puts a set in place of the last one. */
  private synchronized void install(List<PublishedKey> published, long fetched, boolean kept) {
    Fetched before = keys;
    Map<PublishedKey, VerifyingKey> old = before == null ? Map.of() : before.byPublished;
    Fetched latest = new Fetched(fetched);
    for (PublishedKey key : published) {
      VerifyingKey known = old.get(key);
      latest.add(key, known == null ? maker.apply(key) : known);
    }
    keys = latest;
    staleSince = kept ? fetched : null;
    old.forEach(
        (key, verifying) -> {
          if (!latest.byPublished.containsKey(key)) {
            verifying.withdraw();
          }
        });
    if (kept || failing || !old.keySet().equals(latest.byPublished.keySet())) {
      LOG.info("keys of {}, {}: {}", issuer, kept ? "as kept" : "as fetched", names(published));
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

  private void failed(@Nullable Throwable cause) {
    metrics.keySetFetched(issuer, cause instanceof KeySetException e ? e.outcome() : "failed");
    if (!failing) {
      LOG.warn(
          "keys of {}: not fetched, {}: {}",
          issuer,
          keys != null ? "the last good ones serve on" : "there are none yet",
          LogText.escape(
              cause instanceof KeySetException
                  ? String.valueOf(cause.getMessage())
                  : String.valueOf(cause)));
    }
  }

  private void takeUpKept() {
    try {
      Optional<KeySetFile.Kept> kept = file.isPresent() ? file.get().read() : Optional.empty();
      if (kept.isPresent()) {
        Duration age = Duration.between(kept.get().fetched(), clock.instant());
        // One from a time to come was written while the clock was wrong.
        age = age.isNegative() ? Duration.ZERO : age;
        if (!rule.servesFor(age).isZero()) {
          long fetched = nanos.getAsLong() - age.toNanos();
          install(PublishedKey.set(kept.get().document()), fetched, true);
        }
      }
    } catch (IOException | IllegalArgumentException e) {
      LOG.warn("keys of {}: what was kept cannot be used: {}", issuer, e.toString());
    }
  }

  private void keep(String document) {
    if (file.isPresent()) {
      try {
        file.get().write(new KeySetFile.Kept(document, clock.instant()));
      } catch (IOException | RuntimeException e) {
        LOG.warn("keys of {}: cannot be kept for a restart: {}", issuer, e.toString());
      }
    }
  }

  private double ageSeconds() {
    Fetched now = keys;
    return now == null ? Double.NaN : since(now.nanos).toMillis() / 1000.0;
  }

  private Duration since(long then) {
    return Duration.ofNanos(nanos.getAsLong() - then);
  }
}
