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
 */
record Timeouts(Duration connect, Duration response, Duration idle, Optional<Duration> total) {

  static Timeouts of(Parameters parameters) {
    return new Timeouts(
        parameters.duration("timeout.connect", "5s"),
        parameters.duration("timeout.response", "30s"),
        parameters.duration("timeout.idle", "60s"),
        parameters.optionalDuration("timeout.total"));
  }
}
