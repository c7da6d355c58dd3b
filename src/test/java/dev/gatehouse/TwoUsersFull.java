package dev.gatehouse;

import static dev.gatehouse.testing.RunningGateways.EXTENDED;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RunningGateway;

/** Two users, a hundred thousand requests. */
@OnEveryGateway(contexts = EXTENDED)
class TwoUsersFull extends TwoUsers {
  TwoUsersFull(RunningGateway gateway) {
    super(gateway, 100_000);
  }
}
