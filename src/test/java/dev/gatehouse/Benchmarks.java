package dev.gatehouse;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Runs benchmarks with one thread and with two, and prints a table. Arguments are those of JMH. The
 * median of the iterations is shown, because a machine that does other things spoils the mean.
 *
 * <pre>{@code
 * mvn -Pbench
 * mvn -Pbench -Dbench=Limit -Dbench.options="-i 10 -f 3"
 * }</pre>
 */
final class Benchmarks {

  private Benchmarks() {}

  @SuppressWarnings("SystemOut") // It is what this is for.
  public static void main(String[] arguments) throws Exception {
    List<RunResult> results = new ArrayList<>();
    for (int threads = 1; threads <= 2; threads++) {
      OptionsBuilder options = new OptionsBuilder();
      options.parent(new CommandLineOptions(arguments));
      options.threads(threads).addProfiler(GCProfiler.class);
      results.addAll(new Runner(options.build()).run());
    }
    System.out.println();
    System.out.println("| Benchmark | Threads | Median | Least | Most | Allocated |");
    System.out.println("|---|---:|---:|---:|---:|---:|");
    for (RunResult result : results) {
      System.out.println(row(result));
    }
  }

  private static String row(RunResult result) {
    Result<?> time = result.getPrimaryResult();
    Result<?> allocated = result.getSecondaryResults().get("gc.alloc.rate.norm");
    String name = result.getParams().getBenchmark();
    int type = name.lastIndexOf('.', name.lastIndexOf('.') - 1);
    return String.format(
        Locale.ROOT,
        "| %s | %d | %.0f %s | %.0f | %.0f | %s |",
        name.substring(type + 1),
        result.getParams().getThreads(),
        time.getStatistics().getPercentile(50),
        time.getScoreUnit(),
        time.getStatistics().getMin(),
        time.getStatistics().getMax(),
        allocated == null ? "" : String.format(Locale.ROOT, "%.0f B/op", allocated.getScore()));
  }
}
