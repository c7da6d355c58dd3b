package dev.gatehouse.auth;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.Signature;
import java.time.Clock;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
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

/** What the check of a token signed with RS256 costs each request. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 20, time = 100, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
@State(Scope.Benchmark)
public class TokenBench {

  /** To sign for more would take longer than to measure. */
  private static final int CALLERS = 2_000;

  private final KeyPair pair = rsa();
  private final byte[][] tokens = new byte[CALLERS][];
  private final TokenVerifier forgetful = verifier(0);
  private final TokenVerifier remembering = verifier(64L << 20);

  private static KeyPair rsa() {
    try {
      return KeysTest.rsa(2048);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private TokenVerifier verifier(long memory) {
    Clock clock = Clock.systemUTC();
    IssuerSettings settings =
        new IssuerSettings(
            "default",
            Keys.ofPublicKey(KeysTest.pem(pair.getPublic())),
            Optional.empty(),
            Optional.of("https://id.example.com"),
            Optional.of("gatehouse"),
            Duration.ofSeconds(30),
            new RefreshRule(Duration.ofSeconds(30), Duration.ofHours(24)),
            Set.of(),
            "roles",
            Map.of());
    return new TokenVerifier(List.of(Issuer.of(settings, clock)), new TokenMemory(memory), clock);
  }

  /** Sees to it that each token is good and remembered: else another thing would be measured. */
  @Setup
  public void signAll() throws GeneralSecurityException {
    Signature signature = Signature.getInstance("SHA256withRSA");
    signature.initSign(pair.getPrivate());
    long end = Clock.systemUTC().instant().getEpochSecond() + 86_400;
    Base64.Encoder base64 = Base64.getUrlEncoder().withoutPadding();
    String header = base64.encodeToString("{\"alg\":\"RS256\",\"typ\":\"JWT\"}".getBytes(UTF_8));
    for (int i = 0; i < CALLERS; i++) {
      String claims =
          """
          {"iss":"https://id.example.com","aud":"gatehouse","sub":"caller-%d",\
          "scope":"orders:read orders:write","exp":%d}"""
              .formatted(i, end);
      String signed = header + "." + base64.encodeToString(claims.getBytes(UTF_8));
      signature.update(signed.getBytes(UTF_8));
      tokens[i] = (signed + "." + base64.encodeToString(signature.sign())).getBytes(UTF_8);
      if (!(remembering.verify(text(tokens[i])) instanceof TokenVerifier.Verdict.Accepted)) {
        throw new IllegalStateException("refused: " + claims);
      }
    }
    for (byte[] token : tokens) {
      remembering.verify(text(token));
    }
    if (remembering.recognised().sum() != CALLERS) {
      throw new IllegalStateException("the memory does not hold them all");
    }
  }

  /** As it comes with a request: a text whose hash nobody has computed yet. */
  private static String text(byte[] token) {
    return new String(token, ISO_8859_1);
  }

  /** Each thread goes around all callers, in an order that no cache of the processor foresees. */
  @State(Scope.Thread)
  public static class Rotation {
    private final int[] order = new Random(1).ints(1 << 16, 0, CALLERS).toArray();
    private int at;

    int next() {
      return order[at++ & 0xffff];
    }
  }

  @Benchmark
  public Object signatureVerified(Rotation rotation) {
    return forgetful.verify(text(tokens[rotation.next()]));
  }

  @Benchmark
  public Object rememberedOfOneCaller() {
    return remembering.verify(text(tokens[0]));
  }

  @Benchmark
  public Object rememberedOfManyCallers(Rotation rotation) {
    return remembering.verify(text(tokens[rotation.next()]));
  }
}
