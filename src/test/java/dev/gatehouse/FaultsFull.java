package dev.gatehouse;

import static dev.gatehouse.testing.RunningGateways.EXTENDED;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RunningGateway;

/** The table of faults, a thousand of each. */
@OnEveryGateway(contexts = EXTENDED)
class FaultsFull extends Faults {
  FaultsFull(RunningGateway gateway) {
    super(gateway, 1_000, 64);
  }
}
