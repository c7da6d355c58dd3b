package dev.gatehouse.log;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LossCountingAsyncAppenderTest {

  private static final int PLACES = 65_536;

  /** A disk that writes nothing until it is let go. */
  private static final class Blocked extends AppenderBase<ILoggingEvent> {

    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch letGo = new CountDownLatch(1);
    private final AtomicInteger written = new AtomicInteger();
    private final List<String> some = new CopyOnWriteArrayList<>();

    @Override
    protected void append(ILoggingEvent event) {
      reached.countDown();
      boolean interrupted = false;
      while (true) {
        try {
          letGo.await();
          break;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      if (written.incrementAndGet() <= 100) {
        some.add(event.getFormattedMessage());
      }
    }
  }

  private final LoggerContext context = new LoggerContext();
  private final Logger logger = context.getLogger("test");
  private final Blocked disk = new Blocked();
  private final LossCountingAsyncAppender appender = new LossCountingAsyncAppender();

  private void start() {
    disk.setContext(context);
    disk.start();
    appender.setContext(context);
    appender.addAppender(disk);
    appender.start();
    logger.addAppender(appender);
  }

  @AfterEach
  void stop() {
    disk.letGo.countDown();
    context.stop();
  }

  @Test
  void linesBeyondTheQueueAreCountedExactlyAndNothingElseIsLost() throws InterruptedException {
    start();
    logger.info("line {}", 0);
    disk.reached.await();
    for (int i = 1; i < PLACES; i++) {
      logger.info("line {}", i);
    }
    assertThat(appender.lost()).isZero();

    for (int i = 0; i < 1_234; i++) {
      logger.info("too much");
    }
    assertThat(appender.lost()).isEqualTo(1_234);

    disk.letGo.countDown();
    appender.stop();
    assertThat(disk.written.get()).isEqualTo(PLACES);
    assertThat(disk.some).hasSize(100).startsWith("line 0", "line 1").endsWith("line 99");
    assertThat(appender.lost()).isEqualTo(1_234);
  }

  @Test
  void aPlaceIsFreeAgainOnceItsLineIsWritten() {
    disk.letGo.countDown();
    start();
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < PLACES / 2; i++) {
        logger.info("line");
      }
      int all = (round + 1) * PLACES / 2;
      org.awaitility.Awaitility.await().until(() -> disk.written.get() == all);
    }

    assertThat(appender.lost()).isZero();
  }

  @Test
  void severalThreadsLoseNothingUncounted() throws InterruptedException {
    start();
    int each = 30_000;
    Thread[] threads = new Thread[4];
    for (int t = 0; t < threads.length; t++) {
      threads[t] =
          new Thread(
              () -> {
                for (int i = 0; i < each; i++) {
                  logger.info("line");
                }
              });
      threads[t].start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(appender.lost()).isEqualTo((long) threads.length * each - PLACES);

    disk.letGo.countDown();
    appender.stop();
    assertThat(disk.written.get()).isEqualTo(PLACES);
  }

  @Test
  void stopWritesEverythingThatIsQueuedAndStopsTheWriter() throws InterruptedException {
    start();
    logger.info("line {}", 0);
    disk.reached.await();
    for (int i = 1; i < 5_000; i++) {
      logger.info("line {}", i);
    }
    Thread stopping = new Thread(appender::stop);
    stopping.start();
    disk.letGo.countDown();
    stopping.join();

    assertThat(disk.written.get()).isEqualTo(5_000);
    assertThat(disk.isStarted()).isFalse();
    assertThat(appender.lost()).isZero();
  }

  @Test
  void aMessageIsFormattedByTheWritersThread() {
    start();
    Object message =
        new Object() {
          @Override
          public String toString() {
            return Thread.currentThread() == TEST ? "request thread" : "writer thread";
          }
        };
    logger.info("{}", message);
    disk.letGo.countDown();
    appender.stop();

    assertThat(disk.some).containsExactly("writer thread");
  }

  private static final Thread TEST = Thread.currentThread();

  @Test
  void theWriterKeepsItsName() {
    disk.setName("disk");
    start();

    assertThat(appender.getAppender("disk")).isNotNull();
  }

  @Test
  void whatWasNeverStartedCanBeStopped() {
    appender.setContext(context);
    appender.start();
    appender.stop();

    assertThat(appender.isStarted()).isFalse();
    assertThat(appender.lost()).isZero();
  }

  @Test
  void stoppedTwiceItCountsOnce() throws InterruptedException {
    appender.setMaxFlushTime(1);
    start();
    logger.info("line");
    disk.reached.await();
    for (int i = 0; i < 10; i++) {
      logger.info("line");
    }
    appender.stop();
    long lost = appender.lost();
    appender.stop();

    assertThat(appender.lost()).isEqualTo(lost);
  }
}
