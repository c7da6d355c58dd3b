package bench;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/**
 * Requests at a fixed rate. A latency counts from the time when a request was due, so that an
 * answer which is late also counts for those that had to wait for it.
 */
final class FixedRate {
  private final Contender contender;
  private final List<byte[]> requests;
  private final int connections;

  /** Sorted latencies of all requests, and how many failed. */
  record Result(long[] nanos, long failures) {
    double millis(double quantile) {
      return nanos[(int) Math.min(nanos.length - 1, (long) (nanos.length * quantile))] / 1e6;
    }
  }

  FixedRate(Contender contender, Callers callers, int connections) throws IOException {
    this.contender = contender;
    this.requests =
        contender.requests(Job.FULL.path(), callers).stream().map(Contender::bytes).toList();
    this.connections = connections;
  }

  Result run(double rate, int seconds)
      throws IOException, InterruptedException, ExecutionException {
    int each = (int) (rate * seconds / connections);
    // Time for all threads to be there.
    long start = System.nanoTime() + 100_000_000L;
    List<Callable<long[]>> clients =
        IntStream.range(0, connections)
            .<Callable<long[]>>mapToObj(number -> () -> latencies(number, each, start, 1e9 / rate))
            .toList();
    ExecutorService threads = Executors.newFixedThreadPool(connections);
    try {
      long[] all = new long[0];
      for (Future<long[]> part : threads.invokeAll(clients)) {
        long[] more = part.get();
        int length = all.length;
        all = Arrays.copyOf(all, length + more.length);
        System.arraycopy(more, 0, all, length, more.length);
      }
      contender.recordAnswered(all.length);
      long failures = Arrays.stream(all).filter(nanos -> nanos == Long.MAX_VALUE).count();
      Arrays.sort(all);
      return new Result(all, failures);
    } finally {
      threads.shutdown();
    }
  }

  /** One client: its requests are due one after the other, between those of the other clients. */
  private long[] latencies(int number, int count, long start, double interval) throws IOException {
    long[] nanos = new long[count];
    try (Connection connection = new Connection(contender.server().port())) {
      for (int i = 0; i < count; i++) {
        long index = (long) i * connections + number;
        long due = start + (long) (index * interval);
        for (long wait; (wait = due - System.nanoTime()) > 0; ) {
          LockSupport.parkNanos(wait);
        }
        int status = connection.exchange(requests.get((int) (index % requests.size())));
        nanos[i] = status == 200 ? System.nanoTime() - due : Long.MAX_VALUE;
      }
    }
    return nanos;
  }
}
