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
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
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
@SuppressWarnings("FutureReturnValueIgnored") // Failures are told where answers are heard.
final class PermitStore implements Lender, AutoCloseable {

  /** Counts what the store was asked. */
  record Counts(LongAdder questions, LongAdder batches, LongAdder losses) {
    Counts() {
      this(new LongAdder(), new LongAdder(), new LongAdder());
    }
  }

  private static final Logger LOG = LoggerFactory.getLogger(PermitStore.class);

  private static final String UP = "UP";
  private static final String NODES = RateLimiter.PREFIX + "nodes";
  private static final String SEEN = RateLimiter.PREFIX + "seen";
  private static final String LOW = RateLimiter.PREFIX + "low";
  private static final String LOW_UNTIL = RateLimiter.PREFIX + "low-until";
  private static final int LARGEST_BATCH = 100;

  /** Longer than a healthy store ever takes; shorter than clients notice that it is not. */
  private static final Duration PATIENCE = Duration.ofMillis(200);

  private static final Duration TICK = Duration.ofMillis(25);
  private static final Duration HELD_UP = TICK.multipliedBy(3);

  /** So long a quarter of a bucket is kept when half of it is gone, about. */
  private static final Duration BEAT = Duration.ofMillis(25);

  private static final Duration BEAT_WHILE_ILL_INFORMED = Duration.ofSeconds(1);
  private static final Duration BEAT_WHILE_LOST = Duration.ofMillis(250);
  private static final Duration CONNECT = Duration.ofSeconds(1);

  /** A connection on which nothing comes for so long is given up: its other end may be gone. */
  private static final Duration SILENCE = Duration.ofSeconds(3);

  /** A node that was not heard of for so long does not count. */
  private static final int NODE_SECONDS = 2;

  /** What was heard so long ago is not relied on: before the others count without this node. */
  private static final Duration STALE = Duration.ofSeconds(1);

  /** The others count a node within this time, and give less credit themselves. */
  private static final Duration NEW = Duration.ofMillis(500);

  /** So many low buckets a node is told of at a time, at most. */
  private static final int MOST_NEWS = 10_000;

  private static final int MOST_LOW = 1_000_000;

  private static final Duration LAST_WORDS = Duration.ofMillis(500);
  private static final Duration LONGEST_END = Duration.ofSeconds(5);

  /** A script, and the name by which the store knows it once it has seen it. */
  private record Script(String text, String digest) {}

  private record Question(Lease lease, Lease.Ask ask) {}

  private record Batch(int number, List<Question> questions, long sentAt) {}

  private final RedisURI uri;
  private final LongSupplier nanoTime;
  private final ScheduledThreadPoolExecutor thread;
  private final String node = Long.toHexString(ThreadLocalRandom.current().nextLong());
  private final Queue<Lease> asking = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean woken = new AtomicBoolean();
  private final List<Runnable> ticks = new CopyOnWriteArrayList<>();
  private final Counts counts = new Counts();
  private final CountDownLatch firstTry = new CountDownLatch(1);
  private final Script lend;
  private final Script count;

  private volatile boolean lost = true;
  private volatile String state = "connecting";
  private volatile int nodes = 1;

  /** The buckets of which half is gone, and until when that is so. */
  private final Map<String, Long> low = new ConcurrentHashMap<>();

  /** Whether {@link #low} has all of them, and when that was last heard. */
  private volatile boolean informed;

  private volatile long informedAt;

  private final AtomicInteger epoch = new AtomicInteger();

  // Only for the thread.
  private @Nullable RedisClient client;
  private @Nullable StatefulRedisConnection<String, String> connection;
  private long tickedAt;
  private boolean connecting;
  private long triedAt;
  private @Nullable Batch sent;
  private int batches;
  private boolean beating;
  private long beatAt;
  private long joinedAt;

  /** Times of the store: of the last news, and up to when all that followed from them was told. */
  private long newsAt;

  private long seen;
  private long seenNext;
  private long seenAfter;
  private int batchesAnswered;
  private int beats;
  private long heardAt;
  private long lostAt;
  private boolean everFound;
  private boolean closing;

  PermitStore(RedisURI uri, LongSupplier nanoTime) {
    this.uri = uri;
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
    lend = script("lend.lua");
    count = script("nodes.lua");
    lostAt = nanoTime.getAsLong();
    tickedAt = lostAt;
    triedAt = lostAt - BEAT_WHILE_LOST.toNanos();
    thread.scheduleWithFixedDelay(guarded(this::tick), 0, TICK.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** What runs the client keeps objects in its threads, which only this thread gives up. */
  private RedisClient client() {
    RedisClient there = client;
    if (there != null) {
      return there;
    }
    uri.setTimeout(CONNECT);
    uri.setClientName("gatehouse");
    RedisClient made =
        RedisClient.create(
            DefaultClientResources.builder()
                .ioThreadPoolSize(2)
                .computationThreadPoolSize(2)
                // As the rest of the JVM looks names up.
                .addressResolverGroup(DefaultAddressResolverGroup.INSTANCE)
                .build(),
            uri);
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

  private static Script script(String name) {
    try (InputStream in = PermitStore.class.getResourceAsStream(name)) {
      byte[] text = Objects.requireNonNull(in, name).readAllBytes();
      return new Script(
          new String(text, StandardCharsets.UTF_8), io.lettuce.core.codec.Base16.digest(text));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A task that throws would never be run again. */
  private static Runnable guarded(Runnable task) {
    return () -> {
      try {
        task.run();
      } catch (RuntimeException e) {
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
    long now = nanoTime.getAsLong();
    if (!informed || now - informedAt > STALE.toNanos()) {
      return true;
    }
    Long until = low.get(bucket);
    return until != null && now - until < 0;
  }

  @Override
  public int epoch() {
    return epoch.get();
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
    asking.add(lease);
    if (woken.compareAndSet(false, true)) {
      run(this::send);
    }
  }

  private void run(Runnable task) {
    try {
      thread.execute(guarded(task));
    } catch (java.util.concurrent.RejectedExecutionException stopped) {
      LOG.debug("rate limits: stopped", stopped);
    }
  }

  // All from here on runs on the thread.

  private void tick() {
    long now = nanoTime.getAsLong();
    // Who was held up itself may have the answer, but has not come to read it.
    boolean heldUp = now - tickedAt > HELD_UP.toNanos();
    tickedAt = now;
    if (!heldUp && sent != null && now - sent.sentAt() > PATIENCE.toNanos()) {
      unanswered("timeout");
    }
    if (!heldUp && beating && now - beatAt > (everFound ? PATIENCE : CONNECT).toNanos()) {
      lose("timeout");
    }
    if (connection != null && beating && now - heardAt > SILENCE.toNanos()) {
      disconnect();
    }
    if (connection == null) {
      if (now - triedAt >= BEAT_WHILE_LOST.toNanos()) {
        triedAt = now;
        connect();
      }
    } else if (!beating && now - beatAt >= betweenBeats().toNanos()) {
      beat();
    }
    if (!lost) {
      ticks.forEach(Runnable::run);
    }
  }

  private Duration betweenBeats() {
    if (lost) {
      return BEAT_WHILE_LOST;
    }
    return newsAt == 0 ? BEAT_WHILE_ILL_INFORMED : BEAT;
  }

  private void connect() {
    if (connecting || closing) {
      return;
    }
    connecting = true;
    client()
        .connectAsync(StringCodec.UTF8, uri)
        .whenComplete((made, failure) -> run(() -> connected(made, failure)));
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
    tellSeen();
    this.<List<Object>>run(
            asked,
            count,
            ScriptOutputType.MULTI,
            new String[] {NODES, SEEN, LOW, LOW_UNTIL},
            node,
            String.valueOf(NODE_SECONDS),
            String.valueOf(seen),
            String.valueOf(newsAt),
            String.valueOf(MOST_NEWS))
        .whenComplete((news, failure) -> run(() -> beaten(asked, news, failure)));
  }

  /** News count as seen when what was let through without knowing them has been told. */
  private void tellSeen() {
    if (sent == null && asking.isEmpty()) {
      seen = newsAt;
      seenNext = newsAt;
    } else if (batchesAnswered - seenAfter >= 0) {
      seen = seenNext;
      seenNext = newsAt;
      seenAfter = batches + 1L + asking.size() / LARGEST_BATCH;
    }
  }

  private void beaten(
      StatefulRedisConnection<String, String> asked,
      @Nullable List<Object> news,
      @Nullable Throwable failure) {
    if (asked != connection) {
      return;
    }
    beating = false;
    long now = nanoTime.getAsLong();
    if (news == null) {
      lose(StoreFailure.of(failure));
      firstTry.countDown();
      if (!asked.isOpen()) {
        disconnect();
      }
    } else {
      heardAt = now;
      if (now - beatAt <= (everFound ? PATIENCE : CONNECT).toNanos()) {
        found(now);
      }
      if (!lost) {
        inform(news, now);
      }
    }
  }

  private void inform(List<Object> news, long now) {
    nodes = Math.max(1, ((Long) news.get(0)).intValue());
    for (int i = 3; i + 1 < news.size(); i += 2) {
      isLow((String) news.get(i), (Long) news.get(i + 1), now);
    }
    boolean all = (Long) news.get(2) == 0 && low.size() <= MOST_LOW;
    newsAt = all ? (Long) news.get(1) : 0;
    informedAt = beatAt;
    informed = all && now - joinedAt >= NEW.toNanos();
    if (informed) {
      firstTry.countDown();
    }
    if (++beats % 40 == 0) {
      low.values().removeIf(until -> now - until >= 0);
    }
  }

  private void isLow(String bucket, long micros, long now) {
    if (micros > 0) {
      low.merge(bucket, now + TimeUnit.MICROSECONDS.toNanos(micros), Math::max);
    }
  }

  private void found(long now) {
    if (lost) {
      epoch.incrementAndGet();
      state = UP;
      joinedAt = now;
      newsAt = 0;
      seen = 0;
      seenNext = 0;
      seenAfter = batches + 1L;
      lost = false;
      if (everFound) {
        LOG.info(
            "rate limits: {}:{} is back after {} ms",
            uri.getHost(),
            uri.getPort(),
            TimeUnit.NANOSECONDS.toMillis(now - lostAt));
      } else {
        LOG.info("rate limits are shared by {}:{}", uri.getHost(), uri.getPort());
      }
      everFound = true;
    }
  }

  private void lose(String why) {
    if (closing) {
      return;
    }
    if (!lost || state.equals("connecting")) {
      counts.losses().increment();
      lostAt = nanoTime.getAsLong();
      state = why;
      lost = true;
      informed = false;
      low.clear();
      LOG.warn(
          "rate limits: {}:{} is lost ({}); limits go by their onStoreLoss until it is back",
          uri.getHost(),
          uri.getPort(),
          why);
    } else {
      state = why;
    }
    dropQuestions();
  }

  private void dropQuestions() {
    for (Lease lease = asking.poll(); lease != null; lease = asking.poll()) {
      lease.unanswered(lease.draft(nanoTime.getAsLong(), epoch()));
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
    List<Question> questions = new ArrayList<>();
    List<String> keys = new ArrayList<>(List.of(SEEN, LOW, LOW_UNTIL));
    List<String> numbers = new ArrayList<>();
    numbers.add(node);
    numbers.add(String.valueOf(nodes));
    long now = nanoTime.getAsLong();
    for (Lease lease = asking.poll();
        lease != null;
        lease = questions.size() < LARGEST_BATCH ? asking.poll() : null) {
      Lease.Ask ask = lease.draft(now, epoch());
      questions.add(new Question(lease, ask));
      keys.add(lease.bucket());
      numbers.add(String.valueOf(ask.give()));
      numbers.add(String.valueOf(ask.owed()));
      numbers.add(String.valueOf(ask.want()));
      numbers.add(String.valueOf(lease.limit().nanosPerPermit() / 1000));
      numbers.add(String.valueOf(lease.limit().burst()));
      numbers.add(String.valueOf(lease.limit().debt(nodes)));
    }
    if (questions.isEmpty()) {
      return;
    }
    counts.batches().increment();
    counts.questions().add(questions.size());
    Batch batch = new Batch(++batches, questions, now);
    sent = batch;
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
    sent = null;
    batchesAnswered = batch.number();
    long now = nanoTime.getAsLong();
    heardAt = now;
    for (int i = 0; i < batch.questions().size(); i++) {
      Lease lease = batch.questions().get(i).lease();
      isLow(lease.bucket(), answers.get(4 * i + 3), now);
      if (lease.answered(
          answers.get(4 * i),
          answers.get(4 * i + 1),
          TimeUnit.MICROSECONDS.toNanos(answers.get(4 * i + 2)),
          now)) {
        asking.add(lease);
      }
    }
    send();
  }

  private void unanswered(String why) {
    Batch batch = sent;
    sent = null;
    lose(why);
    if (batch != null) {
      batch.questions().forEach(question -> question.lease().unanswered(question.ask()));
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
        LOG.warn("rate limits: the client of {}:{} does not end", uri.getHost(), uri.getPort());
        thread.shutdownNow();
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
              new String[] {NODES, SEEN, LOW, LOW_UNTIL},
              node,
              "0",
              "0",
              "1",
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
      ended.shutdown(0, LAST_WORDS.toMillis(), TimeUnit.MILLISECONDS);
      resources
          .shutdown(0, LAST_WORDS.toMillis(), TimeUnit.MILLISECONDS)
          .awaitUninterruptibly(2 * LAST_WORDS.toMillis());
    }
    thread.shutdownNow();
  }
}
