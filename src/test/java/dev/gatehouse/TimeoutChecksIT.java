package dev.gatehouse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.Container;
import dev.gatehouse.testing.GatewayServer;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.TimeoutChecks;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Tokens.Trust;
import dev.gatehouse.testing.TomcatServer;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.Webapp;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each second Tomcat looks for exchanges whose application has stopped. It must not take one that
 * is just being ended for such: it would time out the next request of that connection.
 */
class TimeoutChecksIT {
  private static final int REQUESTS = 3_000;
  private static final int PER_CONNECTION = 50;

  private static List<Container> tomcats() {
    return Container.chosen().stream()
        .filter(each -> each.toString().startsWith("tomcat"))
        .toList();
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("tomcats")
  void noRequestIsTimedOutThoughTheServerLooksForSuchAllTheTime(Container container) {
    try (Upstream users = Upstream.start();
        GatewayServer server = ((TomcatServer) container.newServer()).checkingTimeouts()) {
      server
          .deploy(Tokens.trusting(Trust.HS256, Webapp.at("")).setting("users.url", users.url()))
          .start();
      RawRequest request = RawRequest.of("GET", "/api/users/1").bearer(Tokens.good(Trust.HS256));

      for (int sent = 0; sent < REQUESTS; sent += PER_CONNECTION) {
        try (RawClient client = server.connect()) {
          for (int i = 0; i < PER_CONNECTION; i++) {
            client.send(request);
            assertThat(client.receive().status()).isEqualTo(200);
          }
        }
      }

      server.stop();
      assertThat(server.accessLogLines("")).hasSize(REQUESTS);
      Matcher made = Pattern.compile(TimeoutChecks.MADE + "(\\d+)").matcher(server.log());
      assertThat(made.find()).as(server.log()).isTrue();
      assertThat(Long.parseLong(made.group(1))).isGreaterThan(REQUESTS);
    }
  }
}
