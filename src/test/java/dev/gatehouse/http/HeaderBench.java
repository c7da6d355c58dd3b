package dev.gatehouse.http;

import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What it costs to decide which fields are copied, and to tell those of the gateway. To read the
 * fields from the server's request, and to write them into its answer, comes on top.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 20, time = 100, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
@State(Scope.Benchmark)
public class HeaderBench {

  /** What a browser sends to an API. */
  private final String[] ofRequest = {
    "Host",
    "Connection",
    "User-Agent",
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Authorization",
    "Origin",
    "Referer",
    "Sec-Fetch-Dest",
    "Sec-Fetch-Mode",
    "Sec-Fetch-Site",
    "X-Requested-With",
    "X-Forwarded-For",
  };

  /** In lower case, as the client of the upstreams has them. */
  private final String[] ofAnswer = {
    "server",
    "date",
    "content-type",
    "content-length",
    "connection",
    "etag",
    "cache-control",
    "vary",
    "x-request-id",
  };

  private final List<String> keepAlive = List.of("keep-alive");
  private final List<String> several = List.of("keep-alive, X-Trace", "TE");

  // Not final: javac would make constants of them, and the JIT would see through those.
  private String ipv4 = "192.0.2.7";
  private String ipv6 = "2001:db8:1:2:3:4:5:6";
  private String host = "gateway.example:8443";
  private String plain = "auth0|507f1f77bcf86cd799439011";
  private String accented = "Zoë Müller";
  private String parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

  @Benchmark
  public int fieldsOfRequest() {
    HopByHop hopByHop = HopByHop.of(keepAlive);
    int copied = 0;
    for (String name : ofRequest) {
      if (!hopByHop.contains(name.toLowerCase(Locale.ROOT)) && !GatewayFields.isOurs(name)) {
        copied++;
      }
    }
    return copied;
  }

  @Benchmark
  public int fieldsOfAnswer() {
    HopByHop hopByHop = HopByHop.of(keepAlive);
    int copied = 0;
    for (String name : ofAnswer) {
      if (!hopByHop.contains(name)) {
        copied++;
      }
    }
    return copied;
  }

  @Benchmark
  public HopByHop connectionAbsent() {
    return HopByHop.of(List.of());
  }

  @Benchmark
  public HopByHop connectionNamingSeveral() {
    return HopByHop.of(several);
  }

  @Benchmark
  public String forwardedOfIpv4() {
    return Forwarding.element(ipv4, host, "https");
  }

  @Benchmark
  public String forwardedOfIpv6() {
    return Forwarding.element(ipv6, host, "https");
  }

  @Benchmark
  public String userPlain() {
    return GatewayFields.encode(plain);
  }

  @Benchmark
  public String userEncoded() {
    return GatewayFields.encode(accented);
  }

  @Benchmark
  public boolean traceContinued() {
    return TraceContext.isValid(parent);
  }

  @Benchmark
  public String traceBegun() {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    return TraceContext.begin(random.nextLong(), random.nextLong(), random.nextLong());
  }
}
