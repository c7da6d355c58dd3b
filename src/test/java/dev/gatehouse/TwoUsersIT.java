package dev.gatehouse;

import static dev.gatehouse.testing.RunningGateways.EXTENDED;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RunningGateway;

/** Two users, a few thousand requests. */
@OnEveryGateway(contexts = EXTENDED)
class TwoUsersIT extends TwoUsers {
  TwoUsersIT(RunningGateway gateway) {
    super(gateway, 3_000);
  }
}
