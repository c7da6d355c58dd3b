package dev.gatehouse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.Container;
import dev.gatehouse.testing.GatewayServer;
import dev.gatehouse.testing.RandomTargets;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Tokens.Trust;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.UpstreamThat;
import dev.gatehouse.testing.Webapp;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A URL's base path goes before what was sent, whatever that is, and changes nothing of it. */
@ParameterizedClass(name = "{0}")
@EnumSource(Container.class)
@SuppressWarnings("NullAway.Init") // start() sets the fields
class BasePathPropertyIT {
  private static final long SEED = 20_261_123;
  private static final int TARGETS = 300;

  /** By the service, what its URL ends with. */
  private static final Map<String, String> BASE_PATHS =
      Map.of("users", "", "orders", "/", "products", "/base", "inventory", "/a/b%20c;v=1/");

  private static Upstream upstream;
  private static GatewayServer server;

  BasePathPropertyIT(Container container) {
    assertThat(container).isNotNull();
  }

  @BeforeParameterizedClassInvocation
  static void start(Container container) {
    upstream = Upstream.start();
    upstream.will(UpstreamThat.answers("", new byte[0]));
    Webapp webapp = Tokens.trusting(Trust.HS256, Webapp.at("/gw"));
    BASE_PATHS.forEach((service, path) -> webapp.setting(service + ".url", upstream.url() + path));
    server = container.newServer().deploy(webapp).start();
  }

  @AfterParameterizedClassInvocation
  static void stop() {
    server.close();
    upstream.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"users", "orders", "products", "inventory"})
  void everyClearTargetArrivesBehindTheBasePath(String service) {
    String base = String.valueOf(BASE_PATHS.get(service)).replaceFirst("/$", "");
    String token = Tokens.good(Trust.HS256);
    RandomTargets targets = new RandomTargets(SEED);
    RawClient client = server.connect();
    try {
      for (int i = 0; i < TARGETS; i++) {
        String target = targets.clear();
        client.send(RawRequest.of("GET", "/gw/api/" + service + target).bearer(token));
        RawResponse answer = client.receive();

        assertThat(answer.status()).as("seed %s, %s: %s", SEED, target, answer).isEqualTo(200);
        assertThat(upstream.requests())
            .as("seed %s, %s", SEED, target)
            .extracting(request -> request.target())
            .isEqualTo(List.of(base + (target.startsWith("/") ? target : "/" + target)));
        upstream.forget();
        if (answer.values("Connection").contains("close")) {
          client.close();
          client = server.connect();
        }
      }
    } finally {
      client.close();
    }
  }
}
