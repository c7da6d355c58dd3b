package dev.gatehouse;

import static dev.gatehouse.Problems.assertProblem;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.RunningGateways;
import org.junit.jupiter.api.Test;

@OnEveryGateway(contexts = RunningGateways.EXTENDED)
class AddedServicesIT {
  private final RunningGateway gateway;

  AddedServicesIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  @Test
  void aSixthServiceNeedsNothingButWebXml() {
    assertThat(gateway.get("/api/reviews/7?stars=5").status()).isEqualTo(200);

    assertThat(gateway.arrivals()).isEqualTo(1);
    assertThat(gateway.upstream("reviews-1").requests().size())
        .isEqualTo(1 - gateway.upstream("reviews-2").requests().size());
  }

  @Test
  void anAddedServiceIsProtectedFromTheStart() {
    assertProblem(gateway.send(gateway.anonymous("GET", "/api/reviews/7")), 401, "token_missing");

    assertThat(gateway.arrivals()).isZero();
  }

  @Test
  void severalUrlsAreUsedInTurn() {
    for (int i = 0; i < 6; i++) {
      assertThat(gateway.get("/api/reviews/" + i).status()).isEqualTo(200);
    }

    assertThat(gateway.upstream("reviews-1").requests()).hasSize(3);
    assertThat(gateway.upstream("reviews-2").requests()).hasSize(3);
  }

  @Test
  void aBasePathIsPutInFrontWithoutDoublingItsSlash() {
    assertThat(gateway.get("/api/slow/a?b=c").status()).isEqualTo(200);

    assertThat(gateway.upstream("slow").only().target()).isEqualTo("/base/a?b=c");
  }
}
