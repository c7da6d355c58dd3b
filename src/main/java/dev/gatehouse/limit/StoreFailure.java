package dev.gatehouse.limit;

import io.lettuce.core.RedisCommandTimeoutException;
import java.net.ConnectException;
import java.nio.channels.ClosedChannelException;
import java.util.Locale;
import java.util.Map;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Says in one word, from a closed set, why the store is lost. */
final class StoreFailure {

  /** How Redis' error replies begin. */
  private static final Map<String, String> REPLIES =
      Map.of(
          "NOAUTH", "refused",
          "WRONGPASS", "refused",
          "NOPERM", "refused",
          "ERR INVALID PASSWORD", "refused",
          "READONLY", "read_only",
          "LOADING", "loading",
          "OOM", "full",
          "MISCONF", "read_only",
          "MOVED", "cluster",
          "CLUSTERDOWN", "cluster");

  private StoreFailure() {}

  static String of(@Nullable Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      String message = String.valueOf(cause.getMessage()).toUpperCase(Locale.ROOT);
      for (Map.Entry<String, String> reply : REPLIES.entrySet()) {
        if (message.startsWith(reply.getKey()) || message.contains(" " + reply.getKey() + " ")) {
          return reply.getValue();
        }
      }
      if (cause instanceof SSLException) {
        return "tls";
      }
      if (cause instanceof ConnectException || cause instanceof java.net.UnknownHostException) {
        return "unreachable";
      }
      if (cause instanceof ClosedChannelException || message.contains("CONNECTION CLOSED")) {
        return "closed";
      }
      if (cause instanceof RedisCommandTimeoutException) {
        return "timeout";
      }
    }
    return "error";
  }
}
