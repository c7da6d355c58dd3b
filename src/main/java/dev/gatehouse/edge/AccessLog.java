package dev.gatehouse.edge;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.FileAppender;
import ch.qos.logback.core.OutputStreamAppender;
import dev.gatehouse.Exchange;
import dev.gatehouse.log.LossCountingAsyncAppender;
import java.time.ZoneId;
import org.slf4j.LoggerFactory;

/** Where the lines about ended exchanges go: a file or stdout, written by a thread of its own. */
final class AccessLog implements AutoCloseable {

  private static final String STDOUT = "-";

  private final Logger logger;
  private final LossCountingAsyncAppender appender;
  private final ZoneId zone;

  /**
   * @param path the file, appended to; or {@code -} for stdout
   */
  AccessLog(String path, ZoneId zone) {
    this.zone = zone;
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    PatternLayoutEncoder encoder = new PatternLayoutEncoder();
    encoder.setContext(context);
    encoder.setPattern("%msg%n");
    encoder.start();
    OutputStreamAppender<ILoggingEvent> writer;
    if (path.equals(STDOUT)) {
      writer = new ConsoleAppender<>();
    } else {
      FileAppender<ILoggingEvent> file = new FileAppender<>();
      file.setFile(path);
      writer = file;
    }
    writer.setContext(context);
    writer.setName("access-log");
    writer.setEncoder(encoder);
    // The queue has them written when there is no line left in it.
    writer.setImmediateFlush(path.equals(STDOUT));
    writer.start();
    appender = new LossCountingAsyncAppender();
    appender.setContext(context);
    appender.setName("access-log-queue");
    appender.addAppender(writer);
    appender.start();
    logger = context.getLogger("dev.gatehouse.access");
    logger.setAdditive(false);
    // Whatever an admin's logback.xml says of other loggers.
    logger.setLevel(Level.INFO);
    logger.addAppender(appender);
  }

  void write(Exchange exchange) {
    logger.info("{}", new AccessLine(exchange, zone));
  }

  long lost() {
    return appender.lost();
  }

  /** Writes what is queued and ends the thread. */
  @Override
  public void close() {
    logger.detachAppender(appender);
    appender.stop();
  }
}
