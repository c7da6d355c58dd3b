package dev.gatehouse.limit;

import dev.gatehouse.http.IpAddress;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a limit costs each request. The header fields and the way through the filter come on top.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 20, time = 100, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
@State(Scope.Benchmark)
public class LimitBench {

  /** Refills faster than anything here can take. */
  private static final Limit WIDE = new Limit(Limit.MOST, Duration.ofSeconds(1), Limit.MOST);

  private static final Limit CLOSED = new Limit(1, Duration.ofDays(1), 1);

  private final String[] callers =
      IntStream.range(0, 10_000)
          .mapToObj(i -> "chttps://id.example.com\ncaller-" + i)
          .toArray(String[]::new);
  private final String longKey = "hAuthorization".repeat(10);

  private final RateLimiter local = limiter(WIDE, null);
  private final RateLimiter shared = limiter(WIDE, new GenerousLender());
  private final RateLimiter closed = limiter(CLOSED, null);
  private final ConcurrentRequests underWay = new ConcurrentRequests(1_000);

  /** What a new caller costs is not measured. */
  @Setup
  public void rememberAll() {
    for (String caller : callers) {
      local.take(caller);
      shared.take(caller);
      closed.take(caller);
    }
  }

  private static RateLimiter limiter(Limit limit, @Nullable Lender lender) {
    return new RateLimiter(
        "bench", limit, 100_000, lender, RateLimiter.OnLoss.LOCAL, System::nanoTime);
  }

  /** Lends what is wanted, at once, on the thread that asks. */
  private static final class GenerousLender implements Lender {
    @Override
    public void ask(Lease lease) {
      boolean again = true;
      while (again) {
        long now = System.nanoTime();
        Lease.Ask ask = lease.draft(now, epoch());
        again = lease.answered(ask.want(), Limit.MOST, 0, now);
      }
    }

    @Override
    public boolean isLost() {
      return false;
    }

    @Override
    public int nodes() {
      return 2;
    }

    @Override
    public boolean mayBeLow(String bucket) {
      return false;
    }

    @Override
    public int epoch() {
      return 1;
    }

    @Override
    public void onTick(Runnable review) {
      // The permits of a key that is seen all the time never go back.
    }
  }

  /** Each thread goes around all callers, in an order that no cache of the processor foresees. */
  @State(Scope.Thread)
  public static class Rotation {
    private final int[] order = new Random(1).ints(1 << 16, 0, 10_000).toArray();
    private int at;

    int next() {
      return order[at++ & 0xffff];
    }
  }

  @Benchmark
  public Object localOfOneCaller() {
    return local.take(callers[0]);
  }

  @Benchmark
  public Object localOfManyCallers(Rotation rotation) {
    return local.take(callers[rotation.next()]);
  }

  @Benchmark
  public Object localRefused(Rotation rotation) {
    return closed.take(callers[rotation.next()]);
  }

  @Benchmark
  public Object sharedOfOneCaller() {
    return shared.take(callers[0]);
  }

  @Benchmark
  public Object sharedOfManyCallers(Rotation rotation) {
    return shared.take(callers[rotation.next()]);
  }

  @Benchmark
  public int concurrentOfOneCaller() {
    return beginAndEnd(callers[0]);
  }

  @Benchmark
  public int concurrentOfManyCallers(Rotation rotation) {
    return beginAndEnd(callers[rotation.next()]);
  }

  private int beginAndEnd(String key) {
    int free = underWay.begin(key);
    underWay.end(key);
    return free;
  }

  @Benchmark
  public String keyOfIpv6Address() {
    return IpAddress.subscriber("2001:db8:1:2:3:4:5:6");
  }

  @Benchmark
  public String keyHashed() {
    return LimitKey.hash(longKey);
  }
}
