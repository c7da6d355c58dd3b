package dev.gatehouse;

import static dev.gatehouse.testing.RunningGateways.EXTENDED;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RunningGateway;

/** The table of faults, a hundred and fifty of each on each server. */
@OnEveryGateway(contexts = EXTENDED)
class FaultsFull extends Faults {
  FaultsFull(RunningGateway gateway) {
    super(gateway, 150, 64);
  }
}
