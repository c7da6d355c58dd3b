package bench;

import bench.Rounds.Round;
import bench.Rounds.Row;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** How much each contender does in each job, and how that compares. */
final class Throughput {
  private final Options options;
  private final Contenders contenders;
  private final Rounds rounds;

  /** What is compared with what, and how many times as fast it is to be. */
  private record Goal(Job job, Job againstJob, String against, double first, double goal) {
    String title() {
      return against.equals(ITSELF) ? "itself, " + againstJob : against;
    }
  }

  private static final String ITSELF = "itself";

  private static final List<Goal> GOALS =
      List.of(
          new Goal(Job.FULL, Job.FULL, "haproxy", 1.3, 1.5),
          new Goal(Job.FULL, Job.FULL, "nginx-njs", 0.85, 1.0),
          new Goal(Job.FULL, Job.FULL, "spring", 8, 10),
          new Goal(Job.FULL, Job.PLAIN, ITSELF, 0.85, 0.9),
          new Goal(Job.PLAIN, Job.PLAIN, "http-proxy-servlet", 1.15, 1.3),
          new Goal(Job.PLAIN, Job.PLAIN, "nginx", 0.45, 0.6),
          new Goal(Job.LARGE, Job.LARGE, "nginx", 0.6, 0.8),
          new Goal(Job.PLAIN, Job.PLAIN, "tomcat", 0.85, 0.85),
          new Goal(Job.FULL, Job.FULL, "tomcat", 0.85, 0.85),
          new Goal(Job.LARGE, Job.LARGE, "tomcat", 0.85, 0.85));

  Throughput(Options options, Contenders contenders) {
    this.options = options;
    this.contenders = contenders;
    this.rounds = new Rounds(options, contenders);
  }

  /** Measures everything and prints the tables; tells whether all went without an error. */
  boolean run() throws Exception {
    Map<Job, List<Contender>> all = contenders.start();
    for (Job job : options.jobs) {
      all.get(job).forEach(contender -> rounds.add(job, contender));
    }
    rounds.run();
    if (options.rounds > 0) {
      options.jobs.forEach(this::printJob);
      printRatios();
    }
    return rounds.good();
  }

  private void printJob(Job job) {
    boolean large = job == Job.LARGE;
    System.out.printf("%n## Job: %s%n%n", job);
    System.out.printf(
        "| contender | %s | least | most | CPU \u00b5s/request | p50 ms | p99 ms | RSS MiB |"
            + " errors |%n",
        large ? "MiB/s" : "requests/s");
    System.out.println("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for (Row row : rounds.rows()) {
      if (row.job() == job) {
        ToDoubleFunction<Round> speed = speed(job);
        System.out.printf(
            Locale.ROOT,
            "| %s | %,.0f | %,.0f | %,.0f | %.1f | %.2f | %.2f | %.0f | %s |%n",
            row.contender().name(),
            row.median(speed),
            row.least(speed),
            row.most(speed),
            row.median(Round::cpuMicros),
            row.median(round -> round.load().p50Millis()),
            row.median(round -> round.load().p99Millis()),
            row.last().rssMiB(),
            row.errorText());
      }
    }
  }

  private static ToDoubleFunction<Round> speed(Job job) {
    return job == Job.LARGE
        ? round -> round.load().bytes() / round.load().seconds() / (1 << 20)
        : round -> round.load().rate();
  }

  private void printRatios() {
    List<String> gateways =
        rounds.rows().stream()
            .filter(row -> row.contender().isGateway())
            .map(row -> row.contender().name())
            .distinct()
            .toList();
    if (gateways.isEmpty()) {
      return;
    }
    System.out.printf("%n## Ratios of the medians (in brackets: least and most of a round)%n%n");
    System.out.println("| job | against | first | goal | " + String.join(" | ", gateways) + " |");
    System.out.println("|---|---|---:|---:|" + "---:|".repeat(gateways.size()));
    for (Goal goal : GOALS) {
      Map<String, String> cells = new LinkedHashMap<>();
      for (String gateway : gateways) {
        cells.put(gateway, ratio(goal, gateway));
      }
      if (cells.values().stream().anyMatch(cell -> !cell.isEmpty())) {
        System.out.printf(
            Locale.ROOT,
            "| %s | %s | %.2f | %.2f | %s |%n",
            goal.job(),
            goal.title(),
            goal.first(),
            goal.goal(),
            String.join(" | ", cells.values()));
      }
    }
  }

  private String ratio(Goal goal, String gateway) {
    String other =
        switch (goal.against()) {
          case ITSELF -> gateway;
          // Of the same variant; "tomcat-no-memory" is left out.
          case "tomcat" -> gateway.startsWith("jetty") ? gateway.replace("jetty", "tomcat") : "";
          default -> goal.against();
        };
    Row row = find(goal.job(), gateway);
    Row against = find(goal.againstJob(), other);
    if (row == null || against == null) {
      return "";
    }
    ToDoubleFunction<Round> speed = speed(goal.job());
    double least = Double.MAX_VALUE;
    double most = 0;
    for (int i = 0; i < row.rounds().size(); i++) {
      // Within a round both have met the same noise.
      double ratio =
          speed.applyAsDouble(row.rounds().get(i)) / speed.applyAsDouble(against.rounds().get(i));
      least = Math.min(least, ratio);
      most = Math.max(most, ratio);
    }
    double ratio = row.median(speed) / against.median(speed);
    return String.format(Locale.ROOT, "%.2f (%.2f, %.2f)", ratio, least, most);
  }

  private Row find(Job job, String name) {
    return rounds.rows().stream()
        .filter(row -> row.job() == job && row.contender().name().equals(name))
        .findFirst()
        .orElse(null);
  }
}
