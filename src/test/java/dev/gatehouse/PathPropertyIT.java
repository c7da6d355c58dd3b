package dev.gatehouse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RandomTargets;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RecordedRequest;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.UpstreamThat;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Any path and query that is accepted reaches the service as it was sent, byte for byte. */
@OnEveryGateway
class PathPropertyIT {
  private static final long SEED = 20_261_122;
  private static final int TARGETS = 1_000;
  private static final List<String> PREFIXES = List.of("/api/users", "/api/user", "/users");

  private final RunningGateway gateway;
  private final Upstream users;
  private final List<String> deviations = new ArrayList<>();
  private int accepted;
  private RawClient client;

  PathPropertyIT(RunningGateway gateway) {
    this.gateway = gateway;
    this.users = gateway.upstream("users");
  }

  @BeforeEach
  void connect() {
    client = gateway.connect();
  }

  @AfterEach
  void close() {
    client.close();
  }

  @Test
  void everyClearTargetArrivesAsItWasSent() {
    RandomTargets targets = new RandomTargets(SEED);
    users.will(UpstreamThat.answers("", new byte[0]));

    for (int i = 0; i < TARGETS; i++) {
      send(i, targets.clear());
    }

    assertThat(deviations).as("seed " + SEED).isEmpty();
    assertThat(accepted).as("seed " + SEED).isEqualTo(TARGETS);
  }

  @Test
  void aLongTargetArrivesAsItWasSentOrIsTooLongForTheServer() {
    users.will(UpstreamThat.answers("", new byte[0]));
    int tooLong = 0;

    for (int length = 5_000; length < 9_000; length += 31) {
      String target = "/" + "p".repeat(length / 2) + "?" + "q".repeat(length / 2);
      RawResponse answer = gateway.get("/api/users" + target);
      if (answer.status() == 200) {
        assertThat(users.only().target()).isEqualTo(target);
        accepted++;
      } else {
        assertThat(answer.status()).as("%s: %s", length, answer).isIn(400, 414, 431);
        assertThat(gateway.arrivals()).isZero();
        tooLong++;
      }
      users.forget();
    }

    assertThat(accepted).isGreaterThan(40);
    assertThat(tooLong).isPositive();
  }

  @Test
  void anyOtherTargetArrivesAsItWasSentOrIsRefused() {
    RandomTargets targets = new RandomTargets(SEED);
    users.will(UpstreamThat.answers("", new byte[0]));

    for (int i = 0; i < TARGETS; i++) {
      send(i, targets.odd());
    }

    assertThat(deviations).as("seed " + SEED).isEmpty();
    assertThat(accepted).as("seed " + SEED).isBetween(TARGETS / 10, TARGETS * 9 / 10);
  }

  /** Sends a target, and notes what became of it if that is neither of the two good things. */
  private void send(int number, String target) {
    String prefix = PREFIXES.get(number % PREFIXES.size());
    client.send(gateway.request("GET", prefix + target));
    RawResponse answer = client.receive();
    List<String> arrived = users.requests().stream().map(RecordedRequest::target).toList();
    int arrivals = gateway.arrivals();
    users.forget();

    boolean asSent =
        answer.status() == 200
            && arrivals == 1
            && arrived.equals(List.of(target.startsWith("/") ? target : "/" + target));
    boolean refused =
        arrivals == 0
            && (answer.status() == 400
                || (answer.status() == 404 && !isBehind(target))
                || isLedToTheRoot(answer));
    if (asSent) {
      accepted++;
    } else if (!refused) {
      deviations.add(
          "%d: sent %s, arrived %s, answer %s"
              .formatted(number, visible(prefix + target), visible(arrived.toString()), answer));
    }
    boolean ended = !(asSent || answer.code().equals("path_ambiguous"));
    if (ended || answer.values("Connection").contains("close")) {
      client.close();
      connect();
    }
  }

  /** Whether a target belongs to the prefix, and is not glued to its name: no such route then. */
  private static boolean isBehind(String target) {
    return target.isEmpty() || "/?".indexOf(target.charAt(0)) >= 0;
  }

  /** Tomcat resolves {@code /gw/users/..} to {@code /gw}, and leads to {@code /gw/} by itself. */
  private boolean isLedToTheRoot(RawResponse answer) {
    return answer.status() == 302
        && !gateway.inJetty()
        && !gateway.context().isEmpty()
        && answer.values("Location").get(0).matches(gateway.context() + "/(\\?.*)?");
  }

  private static String visible(String bytes) {
    StringBuilder visible = new StringBuilder();
    for (int i = 0; i < bytes.length(); i++) {
      char c = bytes.charAt(i);
      visible.append(c > ' ' && c < 0x7f ? String.valueOf(c) : String.format("\\x%02x", (int) c));
    }
    return visible.toString();
  }
}
