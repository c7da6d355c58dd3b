package bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What clients cost that have asked once and keep their connection. */
final class Idle {
  private static final int CLIENTS = 5_000;

  private final Options options;
  private final Contenders contenders;

  Idle(Options options, Contenders contenders) {
    this.options = options;
    this.contenders = contenders;
  }

  boolean run() throws Exception {
    options.jobs = List.of(Job.FULL);
    Rounds rounds = new Rounds(options.with(1, options.seconds), contenders);
    contenders.start().get(Job.FULL).forEach(contender -> rounds.add(Job.FULL, contender));
    rounds.run();
    System.out.printf(
        "%n## Job: full, then %,d clients that keep their connection%n%n"
            + "| contender | RSS MiB before | with them | added | still open | errors |%n"
            + "|---|---:|---:|---:|---:|---:|%n",
        CLIENTS);
    boolean good = rounds.good();
    for (Rounds.Row row : rounds.rows()) {
      good &= measure(row);
    }
    System.out.printf("%nGoal: the gateway adds under 100 MiB.%n");
    return good;
  }

  private boolean measure(Rounds.Row row) throws IOException {
    Contender contender = row.contender();
    Running server = contender.server();
    List<byte[]> requests =
        contender.requests(Job.FULL.path(), contenders.callers()).stream()
            .map(Contender::bytes)
            .toList();
    double before = server.rssKiB() / 1024.0;
    List<Connection> clients = new ArrayList<>();
    int failures = 0;
    try {
      for (int i = 0; i < CLIENTS; i++) {
        // Closed at the end, all together.
        Connection client = new Connection(server.port());
        clients.add(client);
        if (client.exchange(requests.get(i % requests.size())) != 200) {
          failures++;
        }
      }
      double with = server.rssKiB() / 1024.0;
      int open = 0;
      for (Connection client : clients) {
        open += client.isOpen() ? 1 : 0;
      }
      System.out.printf(
          Locale.ROOT,
          "| %s | %.0f | %.0f | %.0f | %d | %s |%n",
          contender.name(),
          before,
          with,
          with - before,
          open,
          failures == 0 ? row.errorText() : failures + " status");
      return failures == 0 && open == CLIENTS;
    } finally {
      for (Connection client : clients) {
        client.close();
      }
    }
  }
}
