package dev.gatehouse.limit;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.Random;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Many nodes with one store, in a time of their own. The nodes' limiters and leases are the real
 * ones; each node's lender does with the simulated store what {@link PermitStore} does with a real
 * one. The same seed gives the same run.
 */
final class SimulatedNodes {

  private static final long TICK = Duration.ofMillis(25).toNanos();
  private static final long BEAT = Duration.ofMillis(25).toNanos();
  private static final long BEAT_WHILE_LOST = Duration.ofMillis(250).toNanos();
  private static final long AGAIN = Duration.ofSeconds(10).toNanos();
  private static final long PATIENCE = Duration.ofMillis(200).toNanos();
  private static final int NODE_SECONDS = 2;
  private static final int LARGEST_BATCH = 100;

  private static final long FIRST_OF_ALL = 1L << 40;

  /** How long a thread takes to wake up. */
  private static final long WAKING = Duration.ofNanos(20_000).toNanos();

  /** The store's clock says so when the nodes' begin: some time in the autumn of 2026. */
  private static final long STORE_CLOCK = 28_000_000_000_000L;

  /** When requests come: each time gives the next one's. */
  interface Pace {
    long next(long last);
  }

  private record Event(long at, long number, Runnable what) implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      int order = Long.compare(at, other.at);
      return order != 0 ? order : Long.compare(number, other.number);
    }
  }

  private static final class Traffic {
    private final Pace pace;
    private final IntSupplier node;
    private final IntSupplier key;
    private final long until;
    private long next;

    private Traffic(long from, long until, Pace pace, IntSupplier node, IntSupplier key) {
      this.until = until;
      this.pace = pace;
      this.node = node;
      this.key = key;
      this.next = from;
    }

    private void send(SimulatedNodes world) {
      world.request(node.getAsInt(), key.getAsInt());
      next = pace.next(next);
      if (next >= until) {
        next = Long.MAX_VALUE;
      }
    }
  }

  private final Limit limit;
  private final RateLimiter.OnLoss onLoss;
  private final long delay;
  private final Random random;
  private final CountedKey[] keys;
  private final String[] names;
  private final PriorityQueue<Event> events = new PriorityQueue<>();
  private final List<Traffic> traffics = new ArrayList<>();
  private final List<Node> nodes = new ArrayList<>();
  private final SharedBuckets store = new SharedBuckets();
  private long now;
  private long eventNumber;
  private int nodeNumber;
  private boolean storeDown;
  private long questions;
  private long batches;
  private long beats;
  private int mostNodes;

  /**
   * @param delay how long a message to the store takes on the average, and one from it
   * @param keys how many different keys there are
   */
  SimulatedNodes(
      Limit limit, RateLimiter.OnLoss onLoss, int nodes, Duration delay, int keys, long seed) {
    this.limit = limit;
    this.onLoss = onLoss;
    this.delay = delay.toNanos();
    this.random = new Random(seed);
    this.keys = new CountedKey[keys];
    this.names = new String[keys];
    for (int i = 0; i < nodes; i++) {
      join();
    }
    // All know of each other, and are informed, when it begins.
    run(Duration.ofSeconds(1));
    beats = 0;
    for (int key = 0; key < keys; key++) {
      this.keys[key] = new CountedKey(limit, now);
      this.names[key] = "caller " + key;
    }
  }

  Random random() {
    return random;
  }

  CountedKey key(int number) {
    return keys[number];
  }

  CountedKey[] keys() {
    return keys;
  }

  int nodes() {
    return nodes.size();
  }

  int mostNodes() {
    return mostNodes;
  }

  long questions() {
    return questions;
  }

  long batches() {
    return batches;
  }

  long beats() {
    return beats;
  }

  Duration time() {
    return Duration.ofNanos(now);
  }

  /** A node with an empty memory, which the store has just heard of; the last one from now on. */
  void join() {
    Node node = new Node("node-" + nodeNumber++);
    nodes.add(node);
    mostNodes = Math.max(mostNodes, nodes.size());
    node.start();
  }

  /** A node that gives nothing back, and is not heard of again. */
  void vanish(int node) {
    nodes.remove(node).dead = true;
  }

  /** A node that does nothing for a while. What comes to it meanwhile, it does all at once then. */
  void pause(int node, Duration during) {
    nodes.get(node).pausedUntil = now + during.toNanos();
  }

  /** Messages of a node to the store take longer from now on, and so do those to it. */
  void slowDown(int node, Duration batches, Duration beats) {
    nodes.get(node).slowBatches = batches.toNanos();
    nodes.get(node).slowBeats = beats.toNanos();
  }

  /** The store does what a node asks next, but its answer is lost. */
  void loseNextAnswer(int node) {
    nodes.get(node).answersToLose++;
  }

  /** What a node asks next does not reach the store. */
  void loseNextQuestion(int node) {
    nodes.get(node).questionsToLose++;
  }

  /** The store answers nobody any more. */
  void stopStore() {
    storeDown = true;
  }

  void startStore(boolean forgetful) {
    storeDown = false;
    if (forgetful) {
      store.forgetAll();
    }
  }

  boolean anyNodeIsWithoutStore() {
    return nodes.stream().anyMatch(Node::isLost);
  }

  /** Evenly. */
  Pace steadily(double perSecond) {
    double gap = 1e9 / perSecond;
    double[] at = {Double.NaN};
    return last -> {
      at[0] = (Double.isNaN(at[0]) ? last : at[0]) + gap;
      return (long) at[0];
    };
  }

  /** Independently of each other. */
  Pace atRandom(double perSecond) {
    return last -> last + (long) (-Math.log(1 - random.nextDouble()) * 1e9 / perSecond);
  }

  /** Many within a moment, then none for a while. */
  static Pace inBursts(int size, Duration pause) {
    int[] sent = {0};
    return last -> ++sent[0] % size == 0 ? last + pause.toNanos() : last + 100;
  }

  IntSupplier anyNode() {
    return () -> random.nextInt(nodes.size());
  }

  IntSupplier eachNodeInTurn() {
    int[] turn = {0};
    return () -> turn[0]++ % nodes.size();
  }

  /** Sends requests from now on. */
  void send(Duration during, Pace pace, IntSupplier node, IntSupplier key) {
    traffics.add(new Traffic(now, now + during.toNanos(), pace, node, key));
  }

  /** Has something done again and again. */
  void every(Duration pause, Runnable what) {
    after(
        pause.toNanos(),
        () -> {
          what.run();
          every(pause, what);
        });
  }

  /** Lets time pass. */
  void run(Duration during) {
    long end = now + during.toNanos();
    while (true) {
      Traffic traffic = null;
      for (Traffic each : traffics) {
        if (traffic == null || each.next < traffic.next) {
          traffic = each;
        }
      }
      Event event = events.peek();
      long eventAt = event == null ? Long.MAX_VALUE : event.at();
      long requestAt = traffic == null ? Long.MAX_VALUE : traffic.next;
      if (Math.min(eventAt, requestAt) >= end) {
        break;
      }
      now = Math.min(eventAt, requestAt);
      if (event != null && eventAt <= requestAt) {
        events.remove();
        event.what().run();
      } else if (traffic != null) {
        traffic.send(this);
      }
    }
    now = end;
    traffics.removeIf(traffic -> traffic.next >= traffic.until);
  }

  private void request(int number, int key) {
    Node node = nodes.get(number);
    if (now < node.pausedUntil) {
      // Before anything else that waits for the end of the pause.
      events.add(
          new Event(node.pausedUntil, eventNumber++ - FIRST_OF_ALL, () -> requestAt(node, key)));
    } else {
      requestAt(node, key);
    }
  }

  private void requestAt(Node node, int key) {
    if (node.dead) {
      return;
    }
    boolean first = node.isNew(key);
    RateLimiter.Outcome outcome = node.limiter.take(names[key]).outcome();
    keys[key].count(now, outcome == RateLimiter.Outcome.ALLOWED, first);
  }

  private void after(long nanos, Runnable what) {
    at(now + nanos, what);
  }

  private void at(long when, Runnable what) {
    events.add(new Event(when, eventNumber++, what));
  }

  /** Some messages take longer than others. */
  private long underWay() {
    return (long) (delay * (0.875 + random.nextDouble() / 4));
  }

  private long storeMicros() {
    return STORE_CLOCK + now / 1000;
  }

  private record Question(Lease lease, Lease.Ask ask) {}

  private record Batch(int number, List<Question> questions, int nodes, long sentAt) {}

  /** A node's limiter, and its lender, which does as {@link PermitStore} does. */
  private final class Node implements Lender {
    private final String name;
    private final RateLimiter limiter;
    private final Queue<Lease> asking = new ArrayDeque<>();
    private final long[] heardOfAt = new long[keys.length];
    private Runnable review = () -> {};
    private boolean dead;
    private long pausedUntil;
    private long slowBatches;
    private long slowBeats;
    private int answersToLose;
    private int questionsToLose;
    private long lastToStore;
    private long lastFromStore;

    // As there.
    private final LowBuckets low = new LowBuckets();
    private int known = 1;
    private int epoch = 1;
    private boolean woken;
    private boolean lost;
    private boolean beating;
    private long beatAt;
    private long foundAt;
    private int beatNumber;
    private int sentBatches;
    private int batchesAnswered;
    private @Nullable Batch sent;

    @SuppressWarnings("this-escape")
    private Node(String name) {
      this.name = name;
      Arrays.fill(heardOfAt, Long.MAX_VALUE);
      LongSupplier clock = () -> now;
      limiter = new RateLimiter("limit", limit, 1_000_000, this, onLoss, clock);
    }

    private void start() {
      low.join(now);
      beatAt = now - BEAT + random.nextLong(TICK);
      LowBuckets.Question question = low.ask(now, 0, 0, 0);
      inform(question, store.beat(name, NODE_SECONDS, question, LowBuckets.PAGE, storeMicros()));
      later(now + random.nextLong(TICK), this::tick);
    }

    /** Whether the first request for a key was so lately that no answer can have come. */
    private boolean isNew(int key) {
      if (heardOfAt[key] == Long.MAX_VALUE) {
        heardOfAt[key] = now + 2 * delay + delay / 4 + 5 * WAKING;
      }
      return now < heardOfAt[key];
    }

    /** When it is not paused. */
    private void later(long when, Runnable what) {
      at(
          when,
          () -> {
            if (now < pausedUntil) {
              later(pausedUntil, what);
            } else if (!dead) {
              what.run();
            }
          });
    }

    /** Messages do not overtake each other. */
    private void toStore(long slow, Runnable what) {
      lastToStore = Math.max(lastToStore, now + underWay() + slow);
      at(lastToStore, what);
    }

    private void fromStore(long slow, Runnable what) {
      lastFromStore = Math.max(lastFromStore, now + underWay() + slow);
      later(lastFromStore, what);
    }

    @Override
    public boolean isLost() {
      return lost;
    }

    @Override
    public int nodes() {
      return known;
    }

    @Override
    public boolean mayBeLow(String bucket) {
      return low.mayBeLow(bucket, now);
    }

    @Override
    public int epoch() {
      return epoch;
    }

    @Override
    public void onTick(Runnable told) {
      review = told;
    }

    @Override
    public void ask(Lease lease) {
      asking.add(lease);
      if (!woken) {
        woken = true;
        later(now + WAKING, this::send);
      }
    }

    private void tick() {
      if (sent != null && now - sent.sentAt() > PATIENCE) {
        unanswered();
      }
      if (beating && now - beatAt > PATIENCE) {
        beating = false;
        lose();
      }
      if (!lost) {
        review.run();
      }
      if (!beating && now - beatAt >= (lost ? BEAT_WHILE_LOST : BEAT)) {
        beat();
      }
      later(now + TICK, this::tick);
    }

    private void beat() {
      beating = true;
      beatAt = now;
      LowBuckets.Question question =
          low.ask(now, sentBatches, batchesAnswered, batchesOf(asking.size()));
      int beat = ++beatNumber;
      toStore(slowBeats, () -> beatAtStore(beat, question));
    }

    private int batchesOf(int leases) {
      return (leases + LARGEST_BATCH - 1) / LARGEST_BATCH;
    }

    private void beatAtStore(int beat, LowBuckets.Question question) {
      if (!storeDown) {
        beats++;
        SharedBuckets.News news =
            store.beat(name, NODE_SECONDS, question, LowBuckets.PAGE, storeMicros());
        fromStore(slowBeats, () -> beaten(beat, question, news));
      }
    }

    private void beaten(int beat, LowBuckets.Question question, SharedBuckets.News news) {
      if (beating && beat == beatNumber) {
        beating = false;
        if (now - beatAt <= PATIENCE) {
          found();
        }
        if (!lost) {
          inform(question, news);
        }
      }
    }

    private void inform(LowBuckets.Question question, SharedBuckets.News news) {
      int heard = Math.max(1, news.nodes());
      known = now - foundAt < AGAIN ? Math.max(known, heard) : heard;
      news.low().forEach((bucket, micros) -> low.isLow(bucket, micros, now));
      low.hear(question, news.micros(), news.next(), now);
    }

    private void found() {
      if (lost) {
        low.join(now);
        batchesAnswered = sentBatches;
        foundAt = now;
        epoch++;
        lost = false;
      }
    }

    private void lose() {
      lost = true;
      low.forget();
      dropQuestions();
    }

    private void unanswered() {
      Batch unheard = sent;
      sent = null;
      lose();
      if (unheard != null) {
        unheard.questions().forEach(question -> question.lease().unanswered(question.ask(), now));
      }
    }

    private void dropQuestions() {
      for (Lease lease = asking.poll(); lease != null; lease = asking.poll()) {
        lease.unanswered(lease.draft(now, epoch), now);
      }
    }

    private void send() {
      woken = false;
      if (sent != null) {
        return;
      }
      if (lost) {
        dropQuestions();
        return;
      }
      List<Question> drafted = new ArrayList<>();
      for (Lease lease = asking.poll();
          lease != null;
          lease = drafted.size() < LARGEST_BATCH ? asking.poll() : null) {
        drafted.add(new Question(lease, lease.draft(now, epoch)));
      }
      if (!drafted.isEmpty()) {
        Batch batch = new Batch(++sentBatches, drafted, known, now);
        sent = batch;
        if (questionsToLose > 0) {
          questionsToLose--;
        } else {
          toStore(slowBatches, () -> atStore(batch));
        }
      }
    }

    private void atStore(Batch batch) {
      if (storeDown) {
        return;
      }
      batches++;
      questions += batch.questions().size();
      List<SharedBuckets.Answer> answers = new ArrayList<>(batch.questions().size());
      for (Question question : batch.questions()) {
        Lease lease = question.lease();
        answers.add(
            store.lend(
                lease.bucket(),
                name,
                batch.nodes(),
                storeMicros(),
                question.ask(),
                lease.limit().nanosPerPermit() / 1000,
                lease.limit().burst(),
                lease.limit().debt(batch.nodes())));
      }
      if (answersToLose > 0) {
        answersToLose--;
      } else {
        fromStore(slowBatches, () -> answered(batch, answers));
      }
    }

    private void answered(Batch batch, List<SharedBuckets.Answer> answers) {
      if (sent == null || sent.number() != batch.number()) {
        return;
      }
      sent = null;
      for (int i = 0; i < answers.size(); i++) {
        SharedBuckets.Answer answer = answers.get(i);
        Lease lease = batch.questions().get(i).lease();
        low.isLow(lease.bucket(), answer.microsLow(), now);
        if (lease.answered(answer.lent(), answer.left(), answer.microsToOne() * 1000, now)) {
          asking.add(lease);
        }
      }
      batchesAnswered = batch.number();
      low.batchAnswered(batchesAnswered, batchesOf(asking.size()));
      send();
    }
  }
}
