package bench;

import bench.FixedRate.Result;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** How long a request of the full job takes while there is half as much to do as could be done. */
final class Latency {
  private static final int PEAK_SECONDS = 4;

  private final Options options;
  private final Contenders contenders;

  Latency(Options options, Contenders contenders) {
    this.options = options;
    this.contenders = contenders;
  }

  boolean run() throws Exception {
    options.jobs = List.of(Job.FULL);
    // Half of what these can do is next to nothing for the others.
    options.peers = options.peers.stream().filter(peer -> !peer.equals("spring")).toList();
    options.gateways =
        options.gateways.stream().filter(gateway -> !gateway.endsWith("-no-memory")).toList();
    List<Contender> all = new ArrayList<>();
    all.add(contenders.direct());
    all.addAll(contenders.start().get(Job.FULL));
    Rounds peaks = new Rounds(options.with(1, PEAK_SECONDS), contenders);
    all.forEach(contender -> peaks.add(Job.FULL, contender));
    peaks.run();
    double rate =
        peaks.rows().stream()
                .mapToDouble(row -> row.median(r -> r.load().rate()))
                .min()
                .orElseThrow()
            / 2;

    Map<Contender, List<Result>> results = new LinkedHashMap<>();
    for (int round = 0; round <= options.rounds; round++) {
      for (Contender contender : all) {
        Result result =
            new FixedRate(contender, contenders.callers(), options.connections)
                .run(rate, options.seconds);
        Bench.progress("round %d, %s: p99 %.2f ms", round, contender.name(), result.millis(0.99));
        // The first round is for the compiler of this JVM.
        if (round > 0) {
          results.computeIfAbsent(contender, key -> new ArrayList<>()).add(result);
        }
      }
    }
    System.out.printf(
        Locale.ROOT,
        "%n## Job: full, %,.0f requests/s: half of the smallest peak%n%n"
            + "| contender | peak | p50 ms | p99 ms | least | most | p99.9 ms | errors |%n"
            + "|---|---:|---:|---:|---:|---:|---:|---:|%n",
        rate);
    boolean good = peaks.good();
    for (Rounds.Row peak : peaks.rows()) {
      List<Result> measured = results.get(peak.contender());
      long failures = measured.stream().mapToLong(Result::failures).sum();
      good &= failures == 0;
      System.out.printf(
          Locale.ROOT,
          "| %s | %,.0f | %.2f | %.2f | %.2f | %.2f | %.2f | %s |%n",
          peak.contender().name(),
          peak.median(round -> round.load().rate()),
          median(measured, result -> result.millis(0.5)),
          median(measured, result -> result.millis(0.99)),
          measured.stream().mapToDouble(result -> result.millis(0.99)).min().orElseThrow(),
          measured.stream().mapToDouble(result -> result.millis(0.99)).max().orElseThrow(),
          median(measured, result -> result.millis(0.999)),
          failures == 0 ? peak.errorText() : failures + " status");
    }
    System.out.printf("%nGoal: the gateway's p99 at most 3 times nginx's, or 5 ms.%n");
    return good;
  }

  private static double median(List<Result> results, ToDoubleFunction<Result> value) {
    return Bench.median(results.stream().mapToDouble(value));
  }
}
