package dev.gatehouse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.UpstreamThat;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@OnEveryGateway
class AccessLogIT {
  private static final Pattern COMBINED =
      Pattern.compile(
          "(?<client>\\S+) - (?<user>\\S+) "
              + "\\[\\d\\d/[A-Z][a-z][a-z]/\\d{4}:\\d\\d:\\d\\d:\\d\\d [+-]\\d{4}] "
              + "\"(?<request>(?:[^\"\\\\]|\\\\.)*)\" (?<status>\\d{3}) (?<bytes>\\d+|-) "
              + "\"(?<referer>(?:[^\"\\\\]|\\\\.)*)\" \"(?<agent>(?:[^\"\\\\]|\\\\.)*)\"");

  private final RunningGateway gateway;
  private final String mark = "mark-" + UUID.randomUUID();

  AccessLogIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  @Test
  void aRequestIsOneLineInTheCombinedFormat() {
    gateway.upstream("users").will(UpstreamThat.answers("", new byte[1_234]));

    gateway.send(
        gateway
            .request("GET", "/api/users/" + mark + "?x=1")
            .line("Referer: https://a.example/")
            .line("User-Agent: probe/1.0"));

    Matcher line = onlyLine();
    assertThat(line.group("client")).isEqualTo("127.0.0.1");
    assertThat(line.group("user")).isEqualTo("demo");
    assertThat(line.group("request"))
        .startsWith("GET " + gateway.context() + "/api/users/" + mark)
        .endsWith(" HTTP/1.1");
    assertThat(line.group("status")).isEqualTo("200");
    assertThat(line.group("bytes")).isEqualTo("1234");
    assertThat(line.group("referer")).isEqualTo("https://a.example/");
    assertThat(line.group("agent")).isEqualTo("probe/1.0");
  }

  @Test
  void aRefusalForWantOfATokenIsLogged() {
    gateway.send(gateway.anonymous("GET", "/api/users/" + mark));

    Matcher line = onlyLine();
    assertThat(line.group("status")).isEqualTo("401");
    assertThat(line.group("user")).isEqualTo("-");
  }

  @Test
  void aRefusalForABadTokenIsLogged() {
    gateway.send(gateway.anonymous("GET", "/api/users/" + mark).bearer("x.y.z"));

    assertThat(onlyLine().group("status")).isEqualTo("401");
  }

  @Test
  void anAmbiguousPathIsLogged() {
    gateway.get("/api/users/../" + mark);

    assertThat(onlyLine().group("status")).isEqualTo("400");
  }

  @Test
  void aPathWithoutRouteIsLogged() {
    gateway.get("/nothing/" + mark);

    assertThat(onlyLine().group("status")).isEqualTo("404");
  }

  @Test
  void aFailingServiceIsLogged() {
    gateway.upstream("users").will(UpstreamThat.resets());

    gateway.get("/api/users/" + mark);

    assertThat(onlyLine().group("status")).isEqualTo("502");
  }

  @Test
  void aClientThatLeavesIsLogged() {
    CountDownLatch gone = new CountDownLatch(1);
    byte[] body = new byte[8_000_000];
    gateway.upstream("users").will(UpstreamThat.answersAfter(gone, UpstreamThat.answers("", body)));
    try (RawClient client = gateway.connect()) {
      client.send(gateway.request("GET", "/api/users/" + mark));
      await().until(() -> !gateway.upstream("users").requests().isEmpty());
      client.abort();
    }
    gone.countDown();

    assertThat(onlyLine().group("status")).isEqualTo("499");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "x\" 200 1 \"-\" \"y",
        "back\\slash\\\" 200",
        "\\x22 \\u0022",
        "%0a%0d127.0.0.1 - admin",
        "tab\there",
        "\u0085next\u009bline",
        "\u00e2\u0080\u00a8",
        "${jndi:ldap://127.0.0.1:1/a} %d{yyyy} {}",
      })
  void whatAClientSaysStaysWithinItsField(String text) {
    RawRequest request =
        gateway
            .request("GET", "/api/users/" + mark)
            .line("Referer: " + text)
            .line("User-Agent: " + text);
    int status = gateway.send(request).status();

    if (status == 200) {
      Matcher line = onlyLine();
      assertThat(line.group("status")).isEqualTo("200");
      assertThat(line.group()).matches("\\P{Cntrl}*").doesNotContain("\u2028", "\u0085", "\u009b");
    } else {
      assertThat(status).as("refused by the server").isEqualTo(400);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"a b", "a\" 200 1 \"-\" \"-", "a\\", "] \"GET / HTTP/1.1\" 200", "-", "é"})
  void whatATokenSaysStaysWithinItsField(String subject) {
    String token = Tokens.signed(gateway.trust(), Tokens.claims("sub", subject));
    RawRequest request = gateway.anonymous("GET", "/api/users/" + mark).bearer(token);

    assertThat(gateway.send(request).status()).isEqualTo(200);

    assertThat(onlyLine().group("status")).isEqualTo("200");
  }

  private Matcher onlyLine() {
    await().until(() -> !gateway.accessLog(mark).isEmpty());
    List<String> lines = gateway.accessLog(mark);
    assertThat(lines).hasSize(1);
    Matcher line = COMBINED.matcher(lines.get(0));
    assertThat(line.matches()).as(lines.get(0)).isTrue();
    return line;
  }
}
