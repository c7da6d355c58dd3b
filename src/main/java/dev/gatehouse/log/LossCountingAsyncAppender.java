package dev.gatehouse.log;

import ch.qos.logback.classic.AsyncAppender;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.AppenderBase;
import ch.qos.logback.core.OutputStreamAppender;
import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * logback's asynchronous appender, which never makes a request wait, with the one thing that it
 * lacks: an exact count of the lines that it had to drop.
 *
 * <p>A permit stands for a place in the queue: taken before a line is queued, given back when it is
 * written. So the queue never refuses a line that has its permit, and a line without one is
 * counted. At stop everything that is queued is written, however long that takes up to the flush
 * time.
 */
public final class LossCountingAsyncAppender extends AsyncAppender {

  private static final int QUEUE_SIZE = 65_536;
  private static final int FLUSH_MILLIS = 10_000;

  /** How long lines may gather, so that a busy gateway writes many at once. */
  private static final long GATHER_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

  private final Semaphore places = new Semaphore(QUEUE_SIZE);
  private final LongAdder lost = new LongAdder();

  public LossCountingAsyncAppender() {
    setQueueSize(QUEUE_SIZE);
    setDiscardingThreshold(0);
    setNeverBlock(true);
    setMaxFlushTime(FLUSH_MILLIS);
  }

  /** How many lines were dropped since the start. */
  public long lost() {
    return lost.sum();
  }

  @Override
  protected void preprocess(ILoggingEvent event) {
    // Nothing: the message is formatted by the writing thread, and no line uses MDC or caller data.
  }

  @Override
  protected void append(ILoggingEvent event) {
    if (places.tryAcquire()) {
      super.append(event);
    } else {
      lost.increment();
    }
  }

  @Override
  public void addAppender(Appender<ILoggingEvent> writer) {
    Writer counted = new Writer(writer);
    counted.setContext(getContext());
    counted.setName(writer.getName());
    counted.start();
    super.addAppender(counted);
  }

  @Override
  public void stop() {
    if (!isStarted()) {
      // There is no queue yet, or what is left in it was counted already.
      return;
    }
    super.stop();
    lost.add(getNumberOfElementsInQueue());
  }

  /**
   * Passes a line to the appender that writes it, then gives its place free. When there is no other
   * line, an appender that keeps lines is told to write them; then the thread rests for a moment:
   * to be woken for each line costs a busy gateway more than to write it.
   */
  private final class Writer extends AppenderBase<ILoggingEvent> {

    private final Appender<ILoggingEvent> writer;

    private Writer(Appender<ILoggingEvent> writer) {
      this.writer = writer;
    }

    @Override
    protected void append(ILoggingEvent event) {
      try {
        writer.doAppend(event);
        if (places.availablePermits() == QUEUE_SIZE - 1) {
          flush();
          LockSupport.parkNanos(this, GATHER_NANOS);
        }
      } finally {
        places.release();
      }
    }

    private void flush() {
      if (writer instanceof OutputStreamAppender<?> stream
          && stream.isStarted()
          && !stream.isImmediateFlush()) {
        try {
          stream.getOutputStream().flush();
        } catch (IOException e) {
          addError("cannot write", e);
        }
      }
    }

    @Override
    public void stop() {
      super.stop();
      writer.stop();
    }

    @Override
    public @Nullable String getName() {
      return Objects.requireNonNullElse(super.getName(), "writer");
    }
  }
}
