package bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * Gives contenders all that they can take, each once in a round, so that noise hits all of them.
 */
final class Rounds {
  /** Still warming up: so much faster than before. */
  private static final double FASTER = 1.03;

  private static final int SLICE_SECONDS = 3;
  private static final int WARM_UP_LIMIT_SECONDS = 60;

  private final Options options;
  private final Contenders contenders;
  private final List<Row> rows = new ArrayList<>();

  /** One measurement of one contender. */
  record Round(Load load, double cpuMicros, double rssMiB, long threads) {}

  /** One contender in one job. */
  record Row(Job job, Contender contender, List<Round> rounds, List<String> errors) {
    double median(ToDoubleFunction<Round> value) {
      return Bench.median(rounds.stream().mapToDouble(value));
    }

    double least(ToDoubleFunction<Round> value) {
      return rounds.stream().mapToDouble(value).min().orElseThrow();
    }

    double most(ToDoubleFunction<Round> value) {
      return rounds.stream().mapToDouble(value).max().orElseThrow();
    }

    Round last() {
      return rounds.get(rounds.size() - 1);
    }

    String errorText() {
      return errors.isEmpty() ? "0" : String.join("; ", errors);
    }
  }

  Rounds(Options options, Contenders contenders) {
    this.options = options;
    this.contenders = contenders;
  }

  void add(Job job, Contender contender) {
    rows.add(new Row(job, contender, new ArrayList<>(), new ArrayList<>()));
  }

  List<Row> rows() {
    return rows;
  }

  /** Checks the set-ups, warms up, and measures. */
  void run() throws IOException, InterruptedException {
    for (Row row : rows) {
      new SetUp(row.contender(), contenders.callers()).check();
      Bench.progress("%s, %s: set up well", row.job(), row.contender().name());
    }
    if (options.rounds == 0) {
      return;
    }
    for (Row row : rows) {
      warmUp(row);
    }
    for (int round = 1; round <= options.rounds; round++) {
      for (Row row : rows) {
        load(row, 1);
        Round measured = measure(row);
        row.rounds().add(measured);
        Bench.progress(
            "round %d, %s, %s: %.0f/s",
            round, row.job(), row.contender().name(), measured.load().rate());
      }
    }
    for (Row row : rows) {
      long missing = row.contender().missingInLog();
      if (missing > 0) {
        row.errors().add(missing + " not in the log");
      }
    }
  }

  /** Whether all went without an error. */
  boolean good() {
    return rows.stream().allMatch(row -> row.errors().isEmpty());
  }

  private void warmUp(Row row) throws IOException, InterruptedException {
    if (!row.contender().isJvm()) {
      load(row, 1);
      return;
    }
    double best = 0;
    int slicesSinceBest = 0;
    for (int seconds = SLICE_SECONDS; seconds <= WARM_UP_LIMIT_SECONDS; seconds += SLICE_SECONDS) {
      double rate = load(row, SLICE_SECONDS).rate();
      Bench.progress("warm-up, %s, %s: %.0f/s", row.job(), row.contender().name(), rate);
      slicesSinceBest++;
      if (rate > best * FASTER) {
        best = rate;
        slicesSinceBest = 0;
      }
      if (seconds >= options.warmUp && slicesSinceBest >= 2) {
        return;
      }
      // Under full load the compiler gets next to nothing of the cores, and may need a minute.
      Thread.sleep(1_000);
    }
  }

  private Round measure(Row row) throws IOException, InterruptedException {
    Running server = row.contender().server();
    long forwardedBefore = SetUp.requestsAt(contenders.service());
    long cpuBefore = server.cpuMicros();
    Load load = load(row, options.seconds);
    double cpu = (double) (server.cpuMicros() - cpuBefore) / load.requests();
    long forwarded = SetUp.requestsAt(contenders.service()) - forwardedBefore;
    if (forwarded < load.requests()) {
      row.errors().add((load.requests() - forwarded) + " not forwarded");
    }
    return new Round(load, cpu, server.rssKiB() / 1024.0, server.threads());
  }

  private Load load(Row row, int seconds) throws IOException, InterruptedException {
    Load load = Load.of(row.contender(), row.job(), contenders.callers(), options, seconds);
    if (!load.errors().isEmpty()) {
      row.errors().add(load.errors());
    }
    return load;
  }
}
