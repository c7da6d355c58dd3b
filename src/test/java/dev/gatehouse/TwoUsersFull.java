package dev.gatehouse;

import static dev.gatehouse.testing.RunningGateways.EXTENDED;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RunningGateway;

/** Two users, a hundred thousand requests on the four servers of the full run. */
@OnEveryGateway(contexts = EXTENDED)
class TwoUsersFull extends TwoUsers {
  TwoUsersFull(RunningGateway gateway) {
    super(gateway, 25_000);
  }
}
