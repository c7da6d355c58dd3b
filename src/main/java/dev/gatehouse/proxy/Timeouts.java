package dev.gatehouse.proxy;

import dev.gatehouse.config.Parameters;
import java.time.Duration;
import java.util.Optional;

/**
 * How long a service may take.
 *
 * @param connect until a connection is there, waiting for a free one included
 * @param response from the end of the request to the first byte of the answer
 * @param idle between two bytes of a body, either way
 * @param total for everything, if it is limited
 * @param heartbeat after which a quiet event stream gets a comment, if it does
 */
record Timeouts(
    Duration connect,
    Duration response,
    Duration idle,
    Optional<Duration> total,
    Optional<Duration> heartbeat) {

  private static final Duration LONG = Duration.ofSeconds(1);

  /** Whether somebody may wait for a moment who does not look at the time. */
  boolean allowWaiting() {
    return response.compareTo(LONG) >= 0 && total.orElse(LONG).compareTo(LONG) >= 0;
  }

  static Timeouts of(Parameters parameters) {
    return new Timeouts(
        parameters.duration("timeout.connect", "5s"),
        parameters.duration("timeout.response", "30s"),
        parameters.duration("timeout.idle", "60s"),
        parameters.optionalDuration("timeout.total"),
        parameters.optionalDuration("sse.heartbeat"));
  }
}
