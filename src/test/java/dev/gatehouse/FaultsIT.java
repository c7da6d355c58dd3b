package dev.gatehouse;

import static dev.gatehouse.testing.RunningGateways.EXTENDED;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RunningGateway;

/** The table of faults, a few dozen of each. */
@OnEveryGateway(contexts = EXTENDED)
class FaultsIT extends Faults {
  FaultsIT(RunningGateway gateway) {
    super(gateway, 32, 32);
  }
}
