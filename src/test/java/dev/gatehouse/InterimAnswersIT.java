package dev.gatehouse;

import static dev.gatehouse.Problems.assertProblem;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RecordedRequest;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Upstream.Then;
import dev.gatehouse.testing.UpstreamThat;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a service may say before, or in place of, its answer. */
@OnEveryGateway
class InterimAnswersIT {
  private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

  private final RunningGateway gateway;

  InterimAnswersIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
        "HTTP/1.1 102 Processing\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n",
        "HTTP/1.1 199 Whatever\r\n\r\n",
      })
  void anInterimAnswerDoesNotHoldUpTheAnswer(String interim) {
    gateway
        .upstream("users")
        .will(
            (request, out) -> {
              out.write(interim.getBytes(UTF_8));
              out.flush();
              out.write(OK.getBytes(UTF_8));
              return Then.KEEP;
            });

    int times = 10;
    for (int i = 0; i < times; i++) {
      assertThat(gateway.get("/api/users/1").text()).isEqualTo("ok");
    }
    // A connection may still be on its way back to the pool, but none stays with an exchange.
    assertThat(
            gateway.upstream("users").requests().stream()
                .map(RecordedRequest::connection)
                .distinct())
        .hasSizeLessThan(times);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        "HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n",
      })
  void anAnswerAfterWhichAnotherOneCouldBeForgedIsGarbled(String answer) {
    gateway.upstream("users").will(UpstreamThat.answersWith(answer));

    assertProblem(gateway.get("/api/users/1"), 502, "upstream_garbled");
  }

  @Test
  void aBodyIsSentToAServiceThatDoesNotKnowExpect() {
    byte[] body = new byte[20_000];
    Arrays.fill(body, (byte) 'x');

    RawResponse answer = gateway.send(expecting().body(body));

    assertThat(answer.status()).isEqualTo(200);
    assertThat(gateway.upstream("users").only().body()).isEqualTo(body);
  }

  private RawRequest expecting() {
    return gateway.request("POST", "/api/users/1").line("Expect: 100-continue");
  }
}
