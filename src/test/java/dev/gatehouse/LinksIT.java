package dev.gatehouse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Upstream.Behaviour;
import dev.gatehouse.testing.UpstreamThat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a service says of its own addresses. {@code SERVICE} stands for its origin. */
@OnEveryGateway
class LinksIT {
  private final RunningGateway gateway;

  LinksIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  @ParameterizedTest
  @CsvSource({
    "/api/users/1, Location, SERVICE/2?a=b#c, CONTEXT/api/users/2?a=b#c",
    "/api/user/1, Location, SERVICE/2, CONTEXT/api/user/2",
    "/users/1, Location, SERVICE/2, CONTEXT/users/2",
    "/users, Location, SERVICE/, CONTEXT/users/",
    "/api/users/1, Location, /2, CONTEXT/api/users/2",
    "/api/users/1, Location, 2, 2",
    "/api/users/1, Location, https://elsewhere.example/2, https://elsewhere.example/2",
    "/api/users/1, Location, //elsewhere.example/2, //elsewhere.example/2",
    "/api/users/1, Content-Location, SERVICE/2, CONTEXT/api/users/2",
    "/api/users/1, Refresh, 5; url=SERVICE/2, 5; url=CONTEXT/api/users/2",
    "/api/users/1, Link, <SERVICE/2>, <SERVICE/2>",
    "/api/users/1, Set-Cookie, a=b; Path=/, a=b; Path=/",
  })
  void aLinkToTheServiceBecomesOneThatAClientCanAskFor(
      String path, String field, String said, String told) {
    gateway.upstream("users").will(answers(302, field, said, "users"));

    assertThat(gateway.get(path).values(field)).containsExactly(resolved(told, "users"));
  }

  @Test
  void aLinkThatHasThePrefixAlreadyStays() {
    String own = gateway.context() + "/api/users/2";
    gateway.upstream("users").will(answers(201, "Location", own, "users"));

    RawResponse answer = gateway.get("/api/users/1");

    assertThat(answer.status()).isEqualTo(201);
    assertThat(answer.values("Location")).containsExactly(own);
  }

  private Behaviour answers(int status, String field, String said, String service) {
    String value = resolved(said, service);
    return UpstreamThat.answersWith(
        "HTTP/1.1 %d x\r\n%s: %s\r\nContent-Length: 0\r\n\r\n".formatted(status, field, value));
  }

  private String resolved(String text, String service) {
    return text.replace("SERVICE", gateway.upstream(service).url())
        .replace("CONTEXT", gateway.context());
  }
}
