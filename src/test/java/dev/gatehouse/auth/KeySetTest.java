package dev.gatehouse.auth;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.awaitility.Awaitility.await;

import com.auth0.jwt.JWTVerifier;
import dev.gatehouse.metrics.Metrics;
import java.math.BigInteger;
import java.net.URI;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.interfaces.RSAPublicKey;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The life of a provider, on a clock that only the test moves. */
class KeySetTest {

  private static final Duration INTERVAL = Duration.ofSeconds(30);
  private static final Duration MAX_STALE = Duration.ofHours(24);
  private static final Duration PERIOD = Duration.ofMinutes(5);
  private static final Instant START = Instant.parse("2026-11-23T08:00:00Z");

  private static @Nullable KeyPair pair;

  /** Time, and what is to be done in it, all on the test's own thread. */
  private static final class Time extends Clock implements KeySet.Threads {

    private record Due(long due, FutureTask<?> work) {}

    private final List<Due> tasks = new CopyOnWriteArrayList<>();
    private volatile long nanos = 4_711_000_000L;
    private volatile boolean withoutThreads;

    @Override
    public void execute(Runnable task) {
      if (withoutThreads) {
        throw new OutOfMemoryError("unable to create native thread");
      }
      tasks.add(new Due(nanos, new FutureTask<>(task, null)));
    }

    @Override
    public KeySet.Task after(Duration wait, Runnable task) {
      FutureTask<?> work = new FutureTask<>(task, null);
      tasks.add(new Due(nanos + wait.toNanos(), work));
      return () -> work.cancel(false);
    }

    /** Does what is due until then, each at its time. */
    void pass(Duration time) {
      long end = nanos + time.toNanos();
      while (true) {
        tasks.removeIf(task -> task.work.isCancelled());
        Optional<Due> next = tasks.stream().min(Comparator.comparingLong(Due::due));
        if (next.isEmpty() || next.get().due > end) {
          break;
        }
        tasks.remove(next.get());
        nanos = Math.max(nanos, next.get().due);
        next.get().work.run();
        if (!next.get().work.isCancelled()) {
          assertThatCode(next.get().work::get).doesNotThrowAnyException();
        }
      }
      nanos = end;
    }

    @Override
    public Instant instant() {
      return START.plusNanos(nanos);
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }

  /** What a provider says when it is asked. */
  private interface Answer {
    String get() throws KeySetException;
  }

  private final Time time = new Time();
  private final Semaphore waiters = new Semaphore(32);
  private final Metrics metrics = new Metrics();
  private final List<Long> fetches = new ArrayList<>();
  private Answer provider = () -> jwks("old");
  private KeySet set = newSet(Optional.empty());

  @BeforeAll
  static void makeKey() throws GeneralSecurityException {
    pair = KeysTest.rsa(2048);
  }

  private KeySet newSet(Optional<KeySetFile> file) {
    return new KeySet(
        "default",
        new RefreshRule(INTERVAL, MAX_STALE),
        () -> {
          fetches.add(time.nanos);
          try {
            return CompletableFuture.completedFuture(provider.get());
          } catch (KeySetException e) {
            return CompletableFuture.failedFuture(e);
          }
        },
        file,
        key -> new VerifyingKey(Map.<String, JWTVerifier>of()),
        time,
        waiters,
        () -> time.nanos,
        time,
        metrics);
  }

  /** A set of one RSA key under several names. */
  private static String jwks(String... names) {
    RSAPublicKey key = (RSAPublicKey) requireNonNull(pair).getPublic();
    List<String> keys = new ArrayList<>();
    for (String name : names) {
      keys.add(
          "{\"kty\":\"RSA\",\"kid\":\"%s\",\"n\":\"%s\",\"e\":\"%s\"}"
              .formatted(name, base64(key.getModulus()), base64(key.getPublicExponent())));
    }
    return "{\"keys\":[" + String.join(",", keys) + "]}";
  }

  private static String base64(BigInteger number) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(number.toByteArray());
  }

  private static Answer fails(String outcome) {
    return () -> {
      throw new KeySetException(outcome, "it " + outcome);
    };
  }

  private Collection<VerifyingKey> find(@Nullable String id) {
    KeySet.Fetched now = set.now();
    return now == null ? List.of() : now.find(id);
  }

  private VerifyingKey key(String id) {
    return find(id).iterator().next();
  }

  private boolean isLoaded() {
    return set.now() != null;
  }

  private boolean knows(String id) {
    return !find(id).isEmpty();
  }

  /** Asks for a newer set as a request does that has an unknown key, but has no time. */
  private void want() {
    set.awaitNewer(set.now(), Duration.ZERO);
  }

  private void open() {
    set.open();
    time.pass(Duration.ZERO);
  }

  @Test
  void aSetIsFetchedAtTheStartAndThenAheadOfNeed() {
    open();
    assertThat(isLoaded()).isTrue();
    assertThat(knows("old")).isTrue();
    assertThat(find(null)).hasSize(1);

    time.pass(PERIOD.minusNanos(1));
    assertThat(fetches).hasSize(1);
    time.pass(Duration.ofNanos(1));
    assertThat(fetches).hasSize(2);
    time.pass(PERIOD.multipliedBy(10));
    assertThat(fetches).hasSize(12);
  }

  @Test
  void aLackOfThreadsDoesNotEndTheFetching() {
    open();
    time.withoutThreads = true;
    time.pass(PERIOD);
    want();
    assertThat(fetches).hasSize(1);
    assertThat(isLoaded()).isTrue();

    time.withoutThreads = false;
    time.pass(INTERVAL);
    assertThat(fetches).hasSize(2);
  }

  @Test
  void aNewKeyWorksAsSoonAsATokenNamesIt() {
    open();
    provider = () -> jwks("old", "new");
    time.pass(INTERVAL);

    want();
    time.pass(Duration.ZERO);

    assertThat(knows("new")).isTrue();
    assertThat(knows("old")).isTrue();
  }

  @Test
  void withinTheIntervalAnUnknownKeyWaitsForItsEnd() {
    open();
    provider = () -> jwks("new");
    time.pass(Duration.ofSeconds(1));
    for (int i = 0; i < 1_000; i++) {
      want();
      time.pass(Duration.ofMillis(28));
    }
    assertThat(fetches).hasSize(1);
    time.pass(Duration.ofSeconds(1));
    assertThat(fetches).hasSize(2);
    assertThat(knows("new")).isTrue();
  }

  @Test
  void inventedKeysNeverStartMoreThanOneFetchPerInterval() {
    open();
    for (int i = 0; i < 50_000; i++) {
      want();
      time.pass(Duration.ofMillis(12));
    }

    assertThat(fetches).hasSize(1 + (int) (50_000 * 12 / INTERVAL.toMillis()));
    for (int i = 1; i < fetches.size(); i++) {
      assertThat(fetches.get(i) - fetches.get(i - 1)).isGreaterThanOrEqualTo(INTERVAL.toNanos());
    }
  }

  @Test
  void aKeyThatIsInBothSetsIsTheSameAndOneThatIsGoneIsWithdrawn() {
    provider = () -> jwks("a", "b");
    open();
    VerifyingKey a = key("a");
    VerifyingKey b = key("b");

    provider = () -> jwks("b", "c");
    time.pass(PERIOD);

    assertThat(a.isWithdrawn()).isTrue();
    assertThat(knows("a")).isFalse();
    assertThat(b.isWithdrawn()).isFalse();
    assertThat(find("b")).containsExactly(b);
    assertThat(find(null)).hasSize(2);

    provider = () -> jwks("a");
    time.pass(PERIOD);
    assertThat(a.isWithdrawn()).isTrue();
    assertThat(find("a")).hasSize(1).doesNotContain(a);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{}",
        "[]",
        "null",
        "{\"keys\":[]}",
        "{\"keys\":{}}",
        "<html>maintenance</html>",
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}"
      })
  void whatIsNoSetChangesNothing(String answer) {
    open();
    provider = () -> answer;
    time.pass(PERIOD);

    assertThat(fetches).hasSize(2);
    assertThat(knows("old")).isTrue();
    assertThat(metrics.text()).contains("gatehouse_keys_fetches_total{", "outcome=\"garbled\"");
  }

  @Test
  void afterAFailureItIsTriedAgainAtEachInterval() {
    open();
    provider = fails("timeout");
    time.pass(PERIOD);
    assertThat(fetches).hasSize(2);
    time.pass(INTERVAL.multipliedBy(10));
    assertThat(fetches).hasSize(12);

    provider = () -> jwks("new");
    time.pass(INTERVAL);
    assertThat(knows("new")).isTrue();
    time.pass(PERIOD.minusNanos(1));
    assertThat(fetches).hasSize(13);
  }

  @Test
  void anErrorInAFetchDoesNotEndTheFetching() {
    open();
    provider =
        () -> {
          throw new IllegalStateException("unforeseen");
        };
    time.pass(PERIOD);
    assertThat(knows("old")).isTrue();

    provider = () -> jwks("new");
    time.pass(INTERVAL);
    assertThat(knows("new")).isTrue();
  }

  @Test
  void theLastGoodSetServesForAsLongAsItMayAndNoLonger() {
    open();
    VerifyingKey old = key("old");
    provider = fails("unreachable");
    time.pass(PERIOD);
    time.pass(MAX_STALE.minusNanos(1));
    assertThat(knows("old")).isTrue();
    assertThat(old.isWithdrawn()).isFalse();

    time.pass(Duration.ofNanos(1));
    assertThat(isLoaded()).isFalse();
    assertThat(knows("old")).isFalse();
    assertThat(old.isWithdrawn()).isTrue();

    provider = () -> jwks("old");
    time.pass(INTERVAL);
    assertThat(knows("old")).isTrue();
  }

  @Test
  void aShortOutageDoesNotShortenTheNextOne() {
    open();
    provider = fails("unreachable");
    time.pass(MAX_STALE.minus(Duration.ofHours(1)));
    provider = () -> jwks("old");
    time.pass(INTERVAL);
    provider = fails("unreachable");
    time.pass(PERIOD);
    time.pass(MAX_STALE.minusNanos(1));

    assertThat(knows("old")).isTrue();
  }

  @Test
  void withoutKeysItIsTriedAtEachInterval() {
    provider = fails("unreachable");
    open();
    assertThat(isLoaded()).isFalse();
    time.pass(INTERVAL.multipliedBy(3));
    assertThat(fetches).hasSize(4);

    provider = () -> jwks("new");
    time.pass(INTERVAL);
    assertThat(isLoaded()).isTrue();
  }

  @Test
  void whoWaitsIsToldOfTheEndOfTheFetch() throws Exception {
    open();
    time.pass(INTERVAL);
    KeySet.Fetched seen = set.now();
    CountDownLatch waiting = new CountDownLatch(1);
    CompletableFuture<Boolean> news =
        CompletableFuture.supplyAsync(
            () -> {
              waiting.countDown();
              return set.awaitNewer(seen, Duration.ofMinutes(1));
            });
    waiting.await();
    while (fetches.size() == 1) {
      time.pass(Duration.ZERO);
      Thread.onSpinWait();
    }

    assertThat(news.get(1, TimeUnit.MINUTES)).isTrue();
  }

  @Test
  void whoFindsNoPlaceDoesNotWait() throws Exception {
    open();
    time.pass(INTERVAL);
    KeySet.Fetched seen = set.now();
    List<CompletableFuture<Boolean>> waiting = new ArrayList<>();
    ExecutorService threads = Executors.newCachedThreadPool();
    try {
      for (int i = 0; i < 100; i++) {
        waiting.add(
            CompletableFuture.supplyAsync(() -> set.awaitNewer(seen, Duration.ofDays(1)), threads));
      }
      await().until(() -> waiting.stream().filter(CompletableFuture::isDone).count() >= 68);
      assertThat(set.awaitNewer(seen, Duration.ofDays(1))).isFalse();
      assertThat(waiting.stream().filter(CompletableFuture::isDone).count()).isEqualTo(68);

      time.pass(Duration.ZERO);
      CompletableFuture.allOf(waiting.toArray(CompletableFuture<?>[]::new))
          .get(1, TimeUnit.MINUTES);
      assertThat(waiting.stream().filter(CompletableFuture::join).count()).isEqualTo(32);
      assertThat(fetches).hasSize(2);
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void whoHasNoFetchToWaitForDoesNotWait() {
    open();

    assertThat(set.awaitNewer(set.now(), Duration.ofDays(1))).isFalse();
  }

  @Test
  void whoHasSeenAnOlderSetDoesNotWait() {
    open();
    KeySet.Fetched seen = set.now();
    time.pass(PERIOD);

    assertThat(set.awaitNewer(seen, Duration.ofDays(1))).isTrue();
    assertThat(fetches).hasSize(2);
  }

  @Test
  void aKeyWithoutANameIsMeantByAnyNameThatNoOtherHas() {
    provider = () -> jwks("a").replace("\"kid\":\"a\",", "");
    open();

    assertThat(find("b")).hasSize(1);
    assertThat(requireNonNull(set.now()).names("b")).isFalse();
  }

  @Test
  void whoHasWaitedLongEnoughGoes() {
    open();
    time.pass(INTERVAL);

    assertThat(set.awaitNewer(set.now(), Duration.ofMillis(1))).isFalse();
  }

  @Test
  void whatWasKeptServesAfterARestartUntilItIsTooOld(@TempDir Path folder) throws Exception {
    Optional<KeySetFile> file =
        Optional.of(new KeySetFile(folder, URI.create("https://id.example/keys")));
    set = newSet(file);
    open();
    provider = fails("unreachable");
    time.pass(Duration.ofHours(1));

    set = newSet(file);
    open();
    assertThat(knows("old")).isTrue();
    time.pass(Duration.ofHours(22));
    assertThat(knows("old")).isTrue();

    set = newSet(file);
    open();
    assertThat(knows("old")).isTrue();
    time.pass(Duration.ofHours(1));
    assertThat(knows("old")).isFalse();

    set = newSet(file);
    open();
    assertThat(isLoaded()).isFalse();
  }

  @Test
  void aKeptSetIsReplacedByTheFirstGoodOne(@TempDir Path folder) {
    Optional<KeySetFile> file =
        Optional.of(new KeySetFile(folder, URI.create("https://id.example/keys")));
    set = newSet(file);
    open();
    provider = () -> jwks("new");
    set = newSet(file);
    set.open();
    assertThat(knows("old")).isTrue();

    time.pass(Duration.ZERO);
    assertThat(knows("old")).isFalse();
    assertThat(knows("new")).isTrue();
  }

  @Test
  void theAgeIsShown() {
    open();
    time.pass(Duration.ofSeconds(90));

    assertThat(metrics.text()).contains("gatehouse_keys_age_seconds{issuer=\"default\"} 90.0");
  }
}
