package dev.gatehouse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.Container;
import dev.gatehouse.testing.GatewayServer;
import dev.gatehouse.testing.Provider;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.UpstreamThat;
import dev.gatehouse.testing.Webapp;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Attackers invent keys by the thousand while the provider makes a new one. */
class InventedKeysFull {
  private static final int REQUESTS = 12_500;
  private static final int ATTACKERS = 4;

  /** Of each attacker; all of them together send 2,000 in a second. */
  private static final int PER_TICK = 5;

  private static final int MORE_THAN_THREADS = 300;
  private static final Duration TICK = Duration.ofMillis(10);
  private static final Duration INTERVAL = Duration.ofSeconds(2);

  /** Below it a machine's noise is larger than what the attack does. */
  private static final Duration NOISE = Duration.ofMillis(20);

  @ParameterizedTest
  @MethodSource("dev.gatehouse.testing.Container#chosen")
  void neitherTheProviderNorGoodClientsNoticeMuch(Container container) throws Exception {
    try (Upstream users = Upstream.start();
        Provider provider = Provider.publishing("old");
        GatewayServer server = container.newServer()) {
      users.will(UpstreamThat.answers("", new byte[150]));
      start(server, users, provider);
      String good = provider.token("old");
      String[] part = good.split("\\.", -1);
      // The same load of tokens that are refused without a question, to compare with.
      String other = provider.token("old", Tokens.claims("sub", "somebody else"));
      String forged = part[0] + "." + part[1] + "." + other.split("\\.", -1)[2];
      attack(server, REQUESTS / 2, () -> forged, good);
      Duration calm = p99(attack(server, REQUESTS / 2, () -> forged, good));

      int asked = provider.asked();
      long start = System.nanoTime();
      AtomicInteger number = new AtomicInteger();
      String rest = "." + part[1] + "." + part[2];
      provider.publish("old", "new");
      String fresh = provider.token("new");
      CompletableFuture<Duration> live = CompletableFuture.supplyAsync(() -> live(server, fresh));
      List<Long> nanos =
          attack(
              server, REQUESTS, () -> header("invented-" + number.incrementAndGet()) + rest, good);
      double intervals = (System.nanoTime() - start) / (double) INTERVAL.toNanos();

      assertThat(provider.asked() - asked).isBetween(1, 1 + (int) Math.ceil(intervals));
      assertThat(p99(nanos)).isLessThan(max(calm.multipliedBy(2), NOISE));
      assertThat(live).as("the new key, in the midst of it").isDone();
      assertThat(live.join()).isLessThan(INTERVAL.plusSeconds(5));
      assertThat(status(server, good)).isEqualTo(200);
    }
  }

  private static void start(GatewayServer server, Upstream users, Provider provider) {
    server
        .deploy(
            Webapp.at("")
                .setting("users.url", users.url())
                .setting("jwt.jwksUrl", provider.jwksUrl())
                .setting("jwt.refreshInterval", INTERVAL.toSeconds() + "s"))
        .start();
  }

  /** How long it takes until a token is taken. */
  private static Duration live(GatewayServer server, String token) {
    long start = System.nanoTime();
    await().atMost(INTERVAL.plusSeconds(5)).until(() -> status(server, token) == 200);
    return Duration.ofNanos(System.nanoTime() - start);
  }

  @ParameterizedTest
  @MethodSource("dev.gatehouse.testing.Container#chosen")
  void aProviderThatHangsDoesNotTakeTheServersThreads(Container container) {
    try (Upstream users = Upstream.start();
        Provider provider = Provider.publishing("old");
        GatewayServer server = container.newServer()) {
      start(server, users, provider);
      String good = provider.token("old");
      assertThat(status(server, good)).isEqualTo(200);
      provider.will(UpstreamThat.neverAnswers());
      await().until(provider::rested, time -> time.compareTo(INTERVAL) > 0);

      String[] part = good.split("\\.", -1);
      List<RawClient> attackers = new ArrayList<>();
      try {
        for (int i = 0; i < MORE_THAN_THREADS; i++) {
          RawClient attacker = server.connect();
          attackers.add(attacker);
          attacker.send(request(header("invented-" + i) + "." + part[1] + "." + part[2]));
        }
        long start = System.nanoTime();
        for (int i = 0; i < 20; i++) {
          assertThat(status(server, good)).isEqualTo(200);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - start))
            .as("while the attackers wait")
            .isLessThan(Duration.ofSeconds(2));
        for (RawClient attacker : attackers) {
          assertThat(attacker.receive().status()).isEqualTo(401);
        }
      } finally {
        attackers.forEach(RawClient::close);
      }
    }
  }

  private static String header(String kid) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(
            ("{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"" + kid + "\"}").getBytes(UTF_8));
  }

  /** One who asks on, by the same connection for as long as the server keeps it. */
  private static final class Caller implements AutoCloseable {
    private final GatewayServer server;
    private RawClient client;

    private Caller(GatewayServer server) {
      this.server = server;
      this.client = server.connect();
    }

    private int status(String token) {
      client.send(request(token));
      RawResponse answer = client.receive();
      if (answer.values("Connection").contains("close")) {
        client.close();
        client = server.connect();
      }
      return answer.status();
    }

    @Override
    public void close() {
      client.close();
    }
  }

  /** Sends bad tokens at a steady rate, and meanwhile measures what a good client has to wait. */
  private List<Long> attack(GatewayServer server, int requests, Supplier<String> bad, String good)
      throws Exception {
    ScheduledExecutorService threads = Executors.newScheduledThreadPool(ATTACKERS);
    AtomicInteger left = new AtomicInteger(requests);
    List<Long> nanos = new ArrayList<>();
    List<Caller> attackers = new ArrayList<>();
    List<Future<?>> attacks = new ArrayList<>();
    try (Caller caller = new Caller(server)) {
      for (int i = 0; i < ATTACKERS; i++) {
        Caller attacker = new Caller(server);
        attackers.add(attacker);
        attacks.add(
            threads.scheduleAtFixedRate(
                () -> tick(attacker, left, bad), 0, TICK.toMillis(), TimeUnit.MILLISECONDS));
      }
      while (left.get() > 0) {
        assertThat(attacks).as("an attacker that has failed").noneMatch(Future::isDone);
        long start = System.nanoTime();
        int status = caller.status(good);
        nanos.add(System.nanoTime() - start);
        assertThat(status).isEqualTo(200);
      }
    } finally {
      threads.shutdownNow();
      assertThat(threads.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
      assertThat(attacks)
          .as("an attacker that has failed")
          .allMatch(attack -> attack.isCancelled() || !attack.isDone());
      attackers.forEach(Caller::close);
    }
    return nanos;
  }

  private static void tick(Caller attacker, AtomicInteger left, Supplier<String> bad) {
    for (int i = 0; i < PER_TICK && left.getAndDecrement() > 0; i++) {
      assertThat(attacker.status(bad.get())).isEqualTo(401);
    }
  }

  private static int status(GatewayServer server, String token) {
    try (Caller caller = new Caller(server)) {
      return caller.status(token);
    }
  }

  private static RawRequest request(String token) {
    return RawRequest.of("GET", "/api/users/1").bearer(token);
  }

  private static Duration p99(List<Long> nanos) {
    long[] sorted = nanos.stream().mapToLong(Long::longValue).sorted().toArray();
    return Duration.ofNanos(sorted[sorted.length * 99 / 100]);
  }

  private static Duration max(Duration a, Duration b) {
    return a.compareTo(b) > 0 ? a : b;
  }
}
