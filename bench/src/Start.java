package bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

/** How long a start takes, and the first requests after it. */
final class Start {
  private static final int STARTS = 6;
  private static final int FIRST_REQUESTS = 1_000;
  private static final int MANY_CLIENTS = 8;

  private final Options options;
  private final Contenders contenders;

  /** One start: until the first answer, and the longest of the first requests. */
  private record Started(double seconds, int clients, double longestMillis) {}

  Start(Options options, Contenders contenders) {
    this.options = options;
    this.contenders = contenders;
  }

  boolean run() throws Exception {
    System.out.printf(
        "%n## Job: full, %d starts of each gateway%n%n"
            + "| gateway | s to the first 200 | least | most |"
            + " longest of the first %,d, ms: one client | %d clients |%n"
            + "|---|---:|---:|---:|---:|---:|%n",
        STARTS, FIRST_REQUESTS, MANY_CLIENTS);
    for (Contenders.Variant variant : contenders.variants()) {
      for (String server : List.of("tomcat", "jetty")) {
        if (options.gateways.contains(server)) {
          measure(server, variant);
        }
      }
    }
    System.out.printf("%nGoal: in Jetty under 4 s; none of the first requests above 1,000 ms.%n");
    return true;
  }

  private void measure(String server, Contenders.Variant variant) throws Exception {
    List<Started> starts = new ArrayList<>();
    for (int i = 0; i < STARTS; i++) {
      starts.add(start(server, variant, i));
      Bench.progress("%s: %s", server, starts.get(i));
    }
    System.out.printf(
        Locale.ROOT,
        "| %s | %.2f | %.2f | %.2f | %.0f | %.0f |%n",
        server + variant.label(),
        Bench.median(starts.stream().mapToDouble(Started::seconds)),
        starts.stream().mapToDouble(Started::seconds).min().orElseThrow(),
        starts.stream().mapToDouble(Started::seconds).max().orElseThrow(),
        longest(starts, 1),
        longest(starts, MANY_CLIENTS));
  }

  private static double longest(List<Started> starts, int clients) {
    return starts.stream()
        .filter(start -> start.clients() == clients)
        .mapToDouble(Started::longestMillis)
        .max()
        .orElseThrow();
  }

  private Started start(String server, Contenders.Variant variant, int number) throws Exception {
    int clients = number % 2 == 0 ? 1 : MANY_CLIENTS;
    long begin = System.nanoTime();
    Contender contender =
        contenders.startGateway(
            server, variant, Optional.empty(), contenders.settings("32MiB"), "start-" + number);
    try (Running running = contender.server()) {
      List<byte[]> requests =
          contender.requests(Job.FULL.path(), contenders.callers()).stream()
              .limit(FIRST_REQUESTS)
              .map(Contender::bytes)
              .toList();
      // Health is open before the first request comes, which is to find everything cold.
      awaitReady(running);
      long[] firstAnswer = {0};
      List<Callable<Long>> all =
          IntStream.range(0, clients)
              .<Callable<Long>>mapToObj(
                  client -> () -> longest(running, requests, client, clients, firstAnswer))
              .toList();
      ExecutorService threads = Executors.newFixedThreadPool(clients);
      try {
        long longest = 0;
        for (Future<Long> one : threads.invokeAll(all)) {
          longest = Math.max(longest, one.get());
        }
        return new Started((firstAnswer[0] - begin) / 1e9, clients, longest / 1e6);
      } finally {
        threads.shutdown();
      }
    }
  }

  private static void awaitReady(Running server) throws InterruptedException, IOException {
    byte[] health = Contender.bytes("/gateway/health/ready");
    while (true) {
      try (Connection connection = new Connection(server.port())) {
        if (connection.exchange(health) == 200) {
          return;
        }
      } catch (IOException notYet) {
        if (server.ended()) {
          throw new IOException(server.lastWords(), notYet);
        }
      }
      Thread.sleep(5);
    }
  }

  private static long longest(
      Running server, List<byte[]> requests, int client, int clients, long[] firstAnswer)
      throws IOException {
    long longest = 0;
    try (Connection connection = new Connection(server.port())) {
      for (int i = client; i < requests.size(); i += clients) {
        long begin = System.nanoTime();
        int status = connection.exchange(requests.get(i));
        long end = System.nanoTime();
        if (status != 200) {
          throw new IOException("status " + status);
        }
        synchronized (firstAnswer) {
          if (firstAnswer[0] == 0) {
            firstAnswer[0] = end;
          }
        }
        longest = Math.max(longest, end - begin);
      }
    }
    return longest;
  }
}
