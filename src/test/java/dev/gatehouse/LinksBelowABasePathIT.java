package dev.gatehouse;

import static dev.gatehouse.testing.RunningGateways.EXTENDED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.UpstreamThat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a service below a base path says of its own addresses. */
@OnEveryGateway(contexts = EXTENDED)
class LinksBelowABasePathIT {
  private final RunningGateway gateway;

  LinksBelowABasePathIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  @ParameterizedTest
  @CsvSource({
    "Location, SERVICE/base/2, /gw/api/slow/2",
    "Location, /base/2, /gw/api/slow/2",
    "Location, /base, /gw/api/slow/",
    "Location, SERVICE/login, /gw/api/slow/login",
    "Location, /login, /gw/api/slow/login",
    "Set-Cookie, a=b; Path=/base/x; Secure, a=b; Path=/gw/api/slow/x; Secure",
    "Set-Cookie, a=b; Path=/, a=b; Path=/gw/api/slow",
    "Set-Cookie, a=b, a=b",
  })
  void theBasePathIsNotTold(String field, String said, String told) {
    answer("slow", field, said.replace("SERVICE", gateway.upstream("slow").url()));

    assertThat(gateway.get("/api/slow/1").values(field)).containsExactly(told);
  }

  @Test
  void aServiceThatIsToldTheClientsNameForItMayUseThat() {
    for (String reviews : List.of("reviews-1", "reviews-2")) {
      answer(reviews, "Location", "https://gateway.example:8443/2");
    }

    assertThat(gateway.get("/api/reviews/1").values("Location"))
        .containsExactly("/gw/api/reviews/2");
  }

  private void answer(String service, String field, String value) {
    gateway
        .upstream(service)
        .will(
            UpstreamThat.answersWith(
                "HTTP/1.1 302 x\r\n%s: %s\r\nContent-Length: 0\r\n\r\n".formatted(field, value)));
  }
}
