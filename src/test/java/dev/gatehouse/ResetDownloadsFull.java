package dev.gatehouse;

import static dev.gatehouse.testing.RunningGateways.EXTENDED;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RunningGateway;
import java.util.stream.Stream;

/**
 * Those faults, a thousand of each, that Tomcat as it comes would answer with an empty 500 for
 * somebody else. Set up as the documents ask for, it would hide that the gateway has caused it.
 */
@OnEveryGateway(contexts = EXTENDED, asTheyCome = true)
class ResetDownloadsFull extends Faults {
  ResetDownloadsFull(RunningGateway gateway) {
    super(gateway, 1_000, 64);
  }

  static Stream<Fault> faults() {
    return resetDownloads();
  }
}
