package dev.gatehouse.limit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConcurrentRequestsTest {

  private static final int THREADS = 4;
  private static final int TRIES = 500_000;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 100})
  void soManyMayBeUnderWayAsThereMayBeAndEachIsToldHowManyMoreMay(int most) {
    ConcurrentRequests requests = new ConcurrentRequests(most);

    for (int free = most - 1; free >= 0; free--) {
      assertThat(requests.begin("a")).isEqualTo(free);
    }
    assertThat(requests.begin("a")).isEqualTo(-1);
    assertThat(requests.begin("a")).isEqualTo(-1);
  }

  @Test
  void whatEndsMakesRoomForOneAndWhatWasRefusedForNone() {
    ConcurrentRequests requests = new ConcurrentRequests(2);
    requests.begin("a");
    requests.begin("a");
    requests.begin("a");
    requests.end("a");

    assertThat(requests.begin("a")).isZero();
    assertThat(requests.begin("a")).isEqualTo(-1);
  }

  @Test
  void eachKeyIsCountedByItself() {
    ConcurrentRequests requests = new ConcurrentRequests(1);
    requests.begin("a");

    assertThat(requests.begin("b")).isZero();
    requests.end("b");
    assertThat(requests.begin("a")).isEqualTo(-1);
  }

  @Test
  void aKeyIsKeptOnlyWhileItHasARequestUnderWay() {
    ConcurrentRequests requests = new ConcurrentRequests(2);
    for (int i = 0; i < 1000; i++) {
      String key = "invented-" + i;
      requests.begin(key);
      requests.begin(key);
      requests.begin(key);
      requests.end(key);
      assertThat(requests.keys()).isEqualTo(1);
      requests.end(key);
      assertThat(requests.keys()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, THREADS - 1})
  void manyThreadsAtOnceAreNeverMoreThanMayBe(int most) throws Exception {
    ConcurrentRequests requests = new ConcurrentRequests(most);
    AtomicInteger running = new AtomicInteger();
    AtomicInteger highest = new AtomicInteger();
    AtomicInteger begun = new AtomicInteger();
    CyclicBarrier start = new CyclicBarrier(THREADS);
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      List<Future<?>> ends = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        ends.add(
            threads.submit(
                () -> {
                  start.await();
                  for (int n = 0; n < TRIES; n++) {
                    if (requests.begin("a") >= 0) {
                      begun.incrementAndGet();
                      highest.accumulateAndGet(running.incrementAndGet(), Math::max);
                      running.decrementAndGet();
                      requests.end("a");
                    }
                  }
                  return null;
                }));
      }
      for (Future<?> end : ends) {
        end.get(1, TimeUnit.MINUTES);
      }
    } finally {
      threads.shutdownNow();
    }

    assertThat(highest).hasValueBetween(1, most);
    assertThat(begun).hasPositiveValue();
    assertThat(requests.keys()).isZero();
    assertThat(requests.begin("a")).isEqualTo(most - 1);
  }
}
