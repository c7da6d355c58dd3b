package dev.gatehouse.limit;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.protocol.ProtocolVersion;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import io.netty.resolver.DefaultAddressResolverGroup;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The buckets that nodes share, in Redis or Valkey. One thread of its own does everything that has
 * to do with the store; at most one batch of questions is under way at a time, and what is asked
 * meanwhile goes into the next.
 */
// Failures are told where answers are heard; only the thread writes what is volatile.
@SuppressWarnings({"FutureReturnValueIgnored", "NonAtomicVolatileUpdate"})
final class PermitStore implements Lender, AutoCloseable {

  /** Counts what the store was asked. */
  record Counts(LongAdder questions, LongAdder batches, LongAdder losses) {
    Counts() {
      this(new LongAdder(), new LongAdder(), new LongAdder());
    }
  }

  private static final Logger LOG = LoggerFactory.getLogger(PermitStore.class);

  private static final String UP = "UP";
  private static final String CONNECTING = "connecting";
  private static final String NODES = RateLimiter.PREFIX + "nodes";
  private static final String HEARD = RateLimiter.PREFIX + "heard";
  private static final String LOW = RateLimiter.PREFIX + "low";
  private static final String LOW_UNTIL = RateLimiter.PREFIX + "low-until";

  /** The store answers nobody else meanwhile: about a millisecond. */
  private static final int LARGEST_BATCH = 100;

  /** A tenth of a second's worth of questions for a store in the same network. */
  private static final int MOST_WAITING = 5_000;

  /** Longer than a healthy store ever takes; shorter than clients notice that it is not. */
  private static final Duration PATIENCE = Duration.ofMillis(200);

  private static final Duration TICK = Duration.ofMillis(25);
  private static final Duration HELD_UP = TICK.multipliedBy(3);

  /** So long a quarter of a bucket is kept when half of it is gone, about. */
  private static final Duration BEAT = Duration.ofMillis(25);

  private static final Duration BEAT_WHILE_LOST = Duration.ofMillis(250);
  private static final Duration CONNECT = Duration.ofSeconds(1);

  /** A connection that was of no use for so long is given up: its other end may be another one. */
  private static final Duration USELESS = Duration.ofSeconds(3);

  /** A store that is lost again so soon is not taken for well at its first answer. */
  private static final Duration AGAIN = Duration.ofSeconds(10);

  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(4);

  /** A node that was not heard of for so long does not count. */
  private static final int NODE_SECONDS = 2;

  private static final Duration LAST_WORDS = Duration.ofMillis(500);
  private static final Duration LONGEST_END = Duration.ofSeconds(5);

  /** A script, and the name by which the store knows it once it has seen it. */
  private record Script(String text, String digest) {}

  private record Batch(int number, List<Question> questions, long sentAt) {}

  private record Question(Lease lease, Lease.Ask ask) {}

  private final StoreUrl url;
  private final LongSupplier nanoTime;
  private final ScheduledThreadPoolExecutor thread;
  private final String node = Long.toHexString(ThreadLocalRandom.current().nextLong());
  private final Queue<Lease> asking = new ConcurrentLinkedQueue<>();

  /** How many {@link #asking} has: it would have to count them. */
  private final AtomicInteger waiting = new AtomicInteger();

  private final AtomicBoolean woken = new AtomicBoolean();
  private final List<Runnable> ticks = new CopyOnWriteArrayList<>();
  private final LowBuckets low = new LowBuckets();
  private final Counts counts = new Counts();
  private final CountDownLatch firstTry = new CountDownLatch(1);
  private final Script lend = script("lend.lua");
  private final Script count = script("nodes.lua");

  private volatile boolean lost = true;
  private volatile String state = CONNECTING;
  private volatile int nodes = 1;
  private volatile int epoch;

  // Only for the thread.
  private @Nullable RedisClient client;
  private @Nullable StatefulRedisConnection<String, String> connection;
  private boolean connecting;
  private long triedAt;
  private long tickedAt;
  private @Nullable Batch sent;
  private int batches;
  private int batchesAnswered;
  private boolean beating;
  private long beatAt;

  /** When the store was last of use. */
  private long heardAt;

  private long lostAt;
  private long foundAt;
  private long pause;
  private boolean everFound;
  private boolean closing;

  PermitStore(StoreUrl url, LongSupplier nanoTime) {
    this.url = url;
    this.nanoTime = nanoTime;
    thread =
        new ScheduledThreadPoolExecutor(
            1,
            runnable -> {
              Thread made = new Thread(runnable, "gatehouse-limits");
              made.setDaemon(true);
              return made;
            });
    thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    lostAt = nanoTime.getAsLong();
    tickedAt = lostAt;
    triedAt = lostAt - BEAT_WHILE_LOST.toNanos();
    thread.scheduleWithFixedDelay(guarded(this::tick), 0, TICK.toMillis(), TimeUnit.MILLISECONDS);
  }

  private static Script script(String name) {
    try (InputStream in = PermitStore.class.getResourceAsStream(name)) {
      byte[] text = Objects.requireNonNull(in, name).readAllBytes();
      return new Script(
          new String(text, StandardCharsets.UTF_8), io.lettuce.core.codec.Base16.digest(text));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A task that throws would never be run again, be it for want of memory or of threads. */
  private static Runnable guarded(Runnable task) {
    return () -> {
      try {
        task.run();
      } catch (Throwable e) {
        LOG.error("rate limits: unexpected", e);
      }
    };
  }

  /** Waits for a moment until this node takes part in full, or the store is lost. */
  void awaitFirstTry() {
    try {
      // Longer than a connection may take: what comes of it is logged then.
      boolean tried = firstTry.await(2 * CONNECT.toMillis(), TimeUnit.MILLISECONDS);
      LOG.debug("rate limits: first answer of the store in time: {}", tried);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public boolean isLost() {
    return lost;
  }

  @Override
  public int nodes() {
    return nodes;
  }

  @Override
  public boolean mayBeLow(String bucket) {
    // What is postponed is in no batch that LowBuckets waits for.
    return waiting.get() >= MOST_WAITING / 2 || low.mayBeLow(bucket, nanoTime.getAsLong());
  }

  @Override
  public int epoch() {
    return epoch;
  }

  /** {@code UP}, or why the store is lost. */
  String state() {
    return state;
  }

  Counts counts() {
    return counts;
  }

  @Override
  public void onTick(Runnable review) {
    ticks.add(review);
  }

  @Override
  public void ask(Lease lease) {
    if (waiting.get() >= MOST_WAITING) {
      // Keys are invented faster than the store answers.
      lease.postponed();
      return;
    }
    add(lease);
    if (woken.compareAndSet(false, true)) {
      run(this::send);
    }
  }

  private void add(Lease lease) {
    waiting.incrementAndGet();
    asking.add(lease);
  }

  private @Nullable Lease poll() {
    Lease lease = asking.poll();
    if (lease != null) {
      waiting.decrementAndGet();
    }
    return lease;
  }

  private void run(Runnable task) {
    try {
      thread.execute(guarded(task));
    } catch (RejectedExecutionException stopped) {
      LOG.debug("rate limits: stopped", stopped);
    }
  }

  // All from here on runs on the thread, but for close().

  private void tick() {
    long now = nanoTime.getAsLong();
    // Who was held up itself may have the answer, but has not come to read it.
    boolean heldUp = now - tickedAt > HELD_UP.toNanos();
    tickedAt = now;
    if (closing) {
      return;
    }
    if (!heldUp && sent != null && now - sent.sentAt() > PATIENCE.toNanos()) {
      unanswered("timeout");
    }
    if (!heldUp && beating && now - beatAt > patience().toNanos()) {
      lose("timeout");
    }
    if (!heldUp && lost && connection != null && now - heardAt > USELESS.toNanos()) {
      disconnect();
    }
    if (!lost) {
      // Before this node says what it has heard: LowBuckets waits for what they ask for.
      ticks.forEach(Runnable::run);
    }
    if (connection == null) {
      if (now - triedAt >= BEAT_WHILE_LOST.toNanos()) {
        triedAt = now;
        connect();
      }
    } else if (!beating && now - beatAt >= (lost ? BEAT_WHILE_LOST : BEAT).toNanos()) {
      beat();
    }
    if (sent == null && !asking.isEmpty()) {
      send();
    }
  }

  /** At first there are classes to be loaded. */
  private Duration patience() {
    return everFound ? PATIENCE : CONNECT;
  }

  private void connect() {
    if (connecting) {
      return;
    }
    connecting = true;
    try {
      client()
          .connectAsync(StringCodec.UTF8, address())
          .whenComplete((made, failure) -> run(() -> connected(made, failure)));
    } catch (RuntimeException | Error e) {
      connecting = false;
      throw e;
    }
  }

  /** What runs the client keeps objects in its threads, which only this thread gives up. */
  private RedisClient client() {
    RedisClient there = client;
    if (there != null) {
      return there;
    }
    ClientResources resources =
        DefaultClientResources.builder()
            .ioThreadPoolSize(2)
            .computationThreadPoolSize(2)
            // As the rest of the JVM looks names up.
            .addressResolverGroup(DefaultAddressResolverGroup.INSTANCE)
            .build();
    RedisClient made = RedisClient.create(resources);
    made.setOptions(
        ClientOptions.builder()
            .autoReconnect(false)
            .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
            .protocolVersion(ProtocolVersion.RESP2)
            .socketOptions(SocketOptions.builder().connectTimeout(CONNECT).keepAlive(true).build())
            .build());
    client = made;
    return made;
  }

  private RedisURI address() {
    RedisURI address = url.uri();
    address.setTimeout(CONNECT);
    address.setClientName("gatehouse");
    return address;
  }

  private void connected(
      @Nullable StatefulRedisConnection<String, String> made, @Nullable Throwable failure) {
    connecting = false;
    if (made == null) {
      lose(StoreFailure.of(failure));
      firstTry.countDown();
    } else if (closing) {
      made.closeAsync();
    } else {
      connection = made;
      heardAt = nanoTime.getAsLong();
      beat();
    }
  }

  private void disconnect() {
    if (connection != null) {
      connection.closeAsync();
      connection = null;
    }
    beating = false;
  }

  /** Tells that this node lives, and hears how many do, and which buckets have become low. */
  private void beat() {
    StatefulRedisConnection<String, String> asked = connection;
    if (asked == null) {
      return;
    }
    beating = true;
    beatAt = nanoTime.getAsLong();
    LowBuckets.Question question =
        low.ask(beatAt, batches, batchesAnswered, batchesOf(waiting.get()));
    this.<List<Object>>run(
            asked,
            count,
            ScriptOutputType.MULTI,
            new String[] {NODES, HEARD, LOW, LOW_UNTIL},
            node,
            String.valueOf(NODE_SECONDS),
            String.valueOf(question.heard()),
            question.order(),
            String.valueOf(question.from()),
            String.valueOf(LowBuckets.PAGE))
        .whenComplete((answer, failure) -> run(() -> beaten(asked, question, answer, failure)));
  }

  private static int batchesOf(int leases) {
    return (leases + LARGEST_BATCH - 1) / LARGEST_BATCH;
  }

  private void beaten(
      StatefulRedisConnection<String, String> asked,
      LowBuckets.Question question,
      @Nullable List<Object> answer,
      @Nullable Throwable failure) {
    if (asked != connection) {
      return;
    }
    beating = false;
    long now = nanoTime.getAsLong();
    if (answer == null) {
      lose(StoreFailure.of(failure));
      firstTry.countDown();
      if (!asked.isOpen()) {
        disconnect();
      }
      return;
    }
    int heard = Math.max(1, ((Long) answer.get(0)).intValue());
    if (now - beatAt <= patience().toNanos()) {
      // Before requests take it for found.
      nodes = Math.max(nodes, heard);
      found(now);
    }
    if (!lost) {
      heardAt = now;
      // When all come back at once, the first to do so sees fewer than there are.
      nodes = now - foundAt < AGAIN.toNanos() ? Math.max(nodes, heard) : heard;
      for (int i = 3; i + 1 < answer.size(); i += 2) {
        low.isLow((String) answer.get(i), (Long) answer.get(i + 1), now);
      }
      low.hear(question, (Long) answer.get(1), (Long) answer.get(2), now);
      if (low.isInformed()) {
        firstTry.countDown();
      }
    }
  }

  private void found(long now) {
    if (!lost || closing || now - lostAt < pause) {
      return;
    }
    low.join(now);
    batchesAnswered = batches;
    foundAt = now;
    epoch = epoch + 1;
    state = UP;
    lost = false;
    if (everFound) {
      LOG.info(
          "rate limits: {} is back after {} ms", url, TimeUnit.NANOSECONDS.toMillis(now - lostAt));
    } else {
      LOG.info("rate limits are shared by {}", url);
    }
    everFound = true;
  }

  private void lose(String why) {
    if (closing) {
      return;
    }
    if (!lost || state.equals(CONNECTING)) {
      counts.losses().increment();
      lostAt = nanoTime.getAsLong();
      boolean again = everFound && lostAt - foundAt < AGAIN.toNanos();
      pause =
          again ? Math.min(LONGEST_PAUSE.toNanos(), Math.max(2 * pause, PATIENCE.toNanos())) : 0;
      lost = true;
      low.forget();
      LOG.warn(
          "rate limits: {} is lost ({}); limits go by their onStoreLoss until it is back",
          url,
          why);
    }
    state = why;
    dropQuestions();
  }

  private void dropQuestions() {
    for (Lease lease = poll(); lease != null; lease = poll()) {
      long now = nanoTime.getAsLong();
      lease.unanswered(lease.draft(now, epoch), now);
    }
  }

  private void send() {
    woken.set(false);
    if (sent != null) {
      return;
    }
    StatefulRedisConnection<String, String> asked = connection;
    if (lost || asked == null) {
      dropQuestions();
      return;
    }
    if (asking.isEmpty()) {
      return;
    }
    List<Question> questions = new ArrayList<>();
    List<String> keys = new ArrayList<>(List.of(HEARD, LOW, LOW_UNTIL));
    List<String> numbers = new ArrayList<>();
    numbers.add(node);
    numbers.add(String.valueOf(nodes));
    long now = nanoTime.getAsLong();
    // From here on, whatever goes wrong, the time-out answers what was taken out.
    Batch batch = new Batch(++batches, questions, now);
    sent = batch;
    for (Lease lease = poll();
        lease != null;
        lease = questions.size() < LARGEST_BATCH ? poll() : null) {
      Lease.Ask ask = lease.draft(now, epoch);
      Limit limit = lease.limit();
      questions.add(new Question(lease, ask));
      keys.add(lease.bucket());
      numbers.add(String.valueOf(ask.give()));
      numbers.add(String.valueOf(ask.owed()));
      numbers.add(String.valueOf(ask.want()));
      numbers.add(String.valueOf(limit.nanosPerPermit() / 1000));
      numbers.add(String.valueOf(limit.burst()));
      numbers.add(String.valueOf(limit.debt(nodes)));
    }
    counts.batches().increment();
    counts.questions().add(questions.size());
    this.<List<Long>>run(
            asked,
            lend,
            ScriptOutputType.MULTI,
            keys.toArray(String[]::new),
            numbers.toArray(String[]::new))
        .whenComplete((answers, failure) -> run(() -> answered(batch, answers, failure)));
  }

  private void answered(Batch batch, @Nullable List<Long> answers, @Nullable Throwable failure) {
    if (sent == null || batch.number() != sent.number()) {
      // Too late: it was given up.
      return;
    }
    if (answers == null) {
      unanswered(StoreFailure.of(failure));
      return;
    }
    long now = nanoTime.getAsLong();
    heardAt = now;
    for (int i = 0; i < batch.questions().size(); i++) {
      Lease lease = batch.questions().get(i).lease();
      low.isLow(lease.bucket(), answers.get(4 * i + 3), now);
      if (lease.answered(
          answers.get(4 * i),
          answers.get(4 * i + 1),
          TimeUnit.MICROSECONDS.toNanos(answers.get(4 * i + 2)),
          now)) {
        add(lease);
      }
    }
    sent = null;
    batchesAnswered = batch.number();
    low.batchAnswered(batchesAnswered, batchesOf(waiting.get()));
    send();
  }

  private void unanswered(String why) {
    Batch batch = sent;
    sent = null;
    lose(why);
    if (batch != null) {
      long now = nanoTime.getAsLong();
      batch.questions().forEach(question -> question.lease().unanswered(question.ask(), now));
    }
  }

  /** By its digest; by its text where the store does not know it. */
  private <T> CompletionStage<T> run(
      StatefulRedisConnection<String, String> asked,
      Script script,
      ScriptOutputType type,
      String[] keys,
      String... values) {
    RedisAsyncCommands<String, String> commands = asked.async();
    RedisFuture<T> known = commands.evalsha(script.digest(), type, keys, values);
    return known
        .handle(
            (answer, failure) ->
                failure instanceof RedisNoScriptException
                    ? commands.<T>eval(script.text(), type, keys, values)
                    : known)
        .thenCompose(future -> future);
  }

  /** Gives back what is still to be given back, takes this node out, and ends all threads. */
  @Override
  public void close() {
    run(() -> sayFarewell(nanoTime.getAsLong()));
    try {
      if (!thread.awaitTermination(LONGEST_END.toMillis(), TimeUnit.MILLISECONDS)) {
        // It goes on by itself: whoever interrupts it leaves the client's threads behind.
        LOG.warn("rate limits: the client of {} takes long to end", url);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void sayFarewell(long begun) {
    closing = true;
    StatefulRedisConnection<String, String> asked = connection;
    boolean timeLeft = nanoTime.getAsLong() - begun < LAST_WORDS.toNanos();
    if (lost || asked == null || !timeLeft) {
      end();
    } else if (sent != null || !asking.isEmpty()) {
      send();
      thread.schedule(guarded(() -> sayFarewell(begun)), 5, TimeUnit.MILLISECONDS);
    } else {
      lost = true;
      this.<List<Object>>run(
              asked,
              count,
              ScriptOutputType.MULTI,
              new String[] {NODES, HEARD, LOW, LOW_UNTIL},
              node,
              "0",
              "0",
              "news",
              "0",
              "0")
          .whenComplete((left, failure) -> run(this::end));
      thread.schedule(guarded(this::end), LAST_WORDS.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  private void end() {
    RedisClient ended = client;
    client = null;
    if (ended != null) {
      ClientResources resources = ended.getResources();
      try {
        ended
            .shutdownAsync(0, LAST_WORDS.toMillis(), TimeUnit.MILLISECONDS)
            .get(2 * LAST_WORDS.toMillis(), TimeUnit.MILLISECONDS);
      } catch (ExecutionException | TimeoutException e) {
        LOG.debug("rate limits: the client has not ended in order", e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } finally {
        resources
            .shutdown(0, LAST_WORDS.toMillis(), TimeUnit.MILLISECONDS)
            .awaitUninterruptibly(2 * LAST_WORDS.toMillis());
      }
    }
    thread.shutdownNow();
  }
}
