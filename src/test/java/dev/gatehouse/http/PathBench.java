package dev.gatehouse.http;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What the path rule costs each request. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 20, time = 100, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
@State(Scope.Benchmark)
public class PathBench {

  // Not final: javac would make constants of them, and the JIT would see through those.
  private String shortPath = "/api/users/7";
  private String longPath =
      "/gw/api/orders/2026/11/24/7c9e6679-7425-40de-944b-e07fc1f90ae7/lines/12/notes";
  private String encodedPath =
      "/api/products/by-name/Caf%C3%A9%20cr%C3%A8me%2C%20500%20g/reviews;page=2";
  private String refusedPath = "/api/users/7/%2e%2e/admin";

  @Benchmark
  public @Nullable String ofShortPath() {
    return PathRule.ambiguity(shortPath, "", "/api/users", false);
  }

  @Benchmark
  public @Nullable String ofLongPath() {
    return PathRule.ambiguity(longPath, "/gw", "/api/orders", false);
  }

  @Benchmark
  public @Nullable String ofEncodedPath() {
    return PathRule.ambiguity(encodedPath, "", "/api/products", false);
  }

  @Benchmark
  public @Nullable String refused() {
    return PathRule.ambiguity(refusedPath, "", "/api/users", false);
  }
}
