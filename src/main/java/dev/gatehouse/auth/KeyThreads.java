package dev.gatehouse.auth;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** The threads that fetch key sets, for the servers' own never wait for a provider's answer. */
final class KeyThreads extends ScheduledThreadPoolExecutor
    implements KeySet.Threads, AutoCloseable {

  private final Set<Limit> limits = ConcurrentHashMap.newKeySet();

  /**
   * @param sets how many sets are fetched; each may block a thread, and one is left to end that
   */
  KeyThreads(int sets) {
    super(sets + 1, threads());
    setRemoveOnCancelPolicy(true);
    setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  private static ThreadFactory threads() {
    AtomicInteger number = new AtomicInteger();
    return task -> {
      Thread thread = new Thread(task, "gatehouse-keys-" + number.incrementAndGet());
      thread.setDaemon(true);
      return thread;
    };
  }

  /** What ends something under way when it takes too long, or when the application is stopped. */
  final class Limit {

    private final Runnable action;
    private final Future<?> timer;

    private Limit(Duration time, Runnable action) {
      this.action = action;
      this.timer = after(time, action);
      limits.add(this);
    }

    /** Tells that it has ended by itself. */
    void end() {
      timer.cancel(false);
      limits.remove(this);
    }
  }

  @Override
  public Future<?> after(Duration wait, Runnable task) {
    return schedule(task, wait.toNanos(), TimeUnit.NANOSECONDS);
  }

  /**
   * Does something when a time is over, unless what is limited by it has ended.
   *
   * @throws RejectedExecutionException once the application is being stopped
   */
  Limit limit(Duration time, Runnable action) {
    return new Limit(time, action);
  }

  /** Ends all that is under way. */
  @Override
  public void close() {
    shutdownNow();
    limits.forEach(limit -> limit.action.run());
  }
}
