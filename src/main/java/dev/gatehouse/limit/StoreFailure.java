package dev.gatehouse.limit;

import io.lettuce.core.RedisCommandTimeoutException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.util.Locale;
import java.util.Map;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Says in one word, from a closed set, why the store is lost. */
final class StoreFailure {

  /** How Redis' error replies begin. */
  private static final Map<String, String> REPLIES =
      Map.ofEntries(
          Map.entry("NOAUTH", "refused"),
          Map.entry("WRONGPASS", "refused"),
          Map.entry("NOPERM", "refused"),
          Map.entry("ERR INVALID PASSWORD", "refused"),
          Map.entry("ERR AUTH", "refused"),
          Map.entry("READONLY", "read_only"),
          Map.entry("MISCONF", "read_only"),
          Map.entry("NOREPLICAS", "read_only"),
          Map.entry("MASTERDOWN", "read_only"),
          Map.entry("LOADING", "loading"),
          Map.entry("OOM", "full"),
          Map.entry("ERR MAX NUMBER OF CLIENTS", "full"),
          Map.entry("MOVED", "cluster"),
          Map.entry("CROSSSLOT", "cluster"),
          Map.entry("CLUSTERDOWN", "cluster"));

  private StoreFailure() {}

  static String of(@Nullable Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      String message = String.valueOf(cause.getMessage()).toUpperCase(Locale.ROOT);
      for (Map.Entry<String, String> reply : REPLIES.entrySet()) {
        // Redis 6 puts a minus before what a script's command was told.
        if (message.startsWith(reply.getKey())
            || message.contains(" " + reply.getKey() + " ")
            || message.contains(" -" + reply.getKey() + " ")) {
          return reply.getValue();
        }
      }
      if (cause instanceof SSLException) {
        return "tls";
      }
      if (cause instanceof ConnectException
          || cause instanceof NoRouteToHostException
          || cause instanceof UnknownHostException) {
        return "unreachable";
      }
      if (cause instanceof ClosedChannelException
          || message.contains("CONNECTION CLOSED")
          || message.contains("CONNECTION RESET")
          || message.contains("CONNECTION DISCONNECTED")
          || message.contains("NOT CONNECTED")) {
        return "closed";
      }
      if (cause instanceof RedisCommandTimeoutException) {
        return "timeout";
      }
    }
    return "error";
  }
}
