package dev.gatehouse.edge;

import dev.gatehouse.Caller;
import dev.gatehouse.Exchange;
import dev.gatehouse.http.LogText;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One line of the access log, in the format that web servers call "combined". It is written out
 * only when it is asked for its text, which the log's own thread does.
 */
final class AccessLine {

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("dd/MMM/yyyy:HH:mm:ss Z", Locale.ROOT);

  private final Exchange exchange;
  private final ZoneId zone;

  AccessLine(Exchange exchange, ZoneId zone) {
    this.exchange = exchange;
    this.zone = zone;
  }

  @Override
  public String toString() {
    StringBuilder line = new StringBuilder(256);
    line.append(exchange.clientAddress()).append(" - ");
    user(line, exchange.caller());
    line.append(" [");
    TIME.formatTo(exchange.start().atZone(zone), line);
    line.append("] \"");
    LogText.append(line, exchange.method());
    line.append(' ');
    LogText.append(line, exchange.rawPath());
    String query = exchange.rawQuery();
    if (query != null) {
      line.append('?');
      LogText.append(line, query);
    }
    line.append(' ');
    LogText.append(line, exchange.protocol());
    line.append("\" ").append(exchange.status()).append(' ');
    long bytes = exchange.bytesSent();
    if (bytes == 0) {
      line.append('-');
    } else {
      line.append(bytes);
    }
    quoted(line, exchange.referer());
    quoted(line, exchange.userAgent());
    return line.toString();
  }

  private static void user(StringBuilder line, @Nullable Caller caller) {
    String subject = caller == null ? null : caller.subject();
    if (subject == null) {
      line.append('-');
    } else {
      // A blank would end the field, and a lone dash would mean nobody.
      int from = line.length();
      LogText.append(line, subject);
      for (int i = line.indexOf(" ", from); i >= 0; i = line.indexOf(" ", i)) {
        line.replace(i, i + 1, "\\x20");
      }
      if (subject.equals("-")) {
        line.replace(from, from + 1, "\\x2d");
      }
    }
  }

  private static void quoted(StringBuilder line, @Nullable String value) {
    line.append(" \"");
    if (value == null) {
      line.append('-');
    } else {
      LogText.append(line, value);
    }
    line.append('"');
  }
}
