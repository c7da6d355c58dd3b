package dev.gatehouse;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatehouse.testing.RawResponse;

/** Checks the answers by which the gateway itself refuses. */
final class Problems {
  private Problems() {}

  static void assertProblem(RawResponse answer, int status, String code) {
    assertThat(answer.status()).as("%s", answer).isEqualTo(status);
    assertThat(answer.values("Content-Type"))
        .as("%s", answer)
        .singleElement()
        .asString()
        .startsWith("application/problem+json");
    JsonNode problem = answer.json();
    assertThat(problem.path("type").asText()).isEqualTo("about:blank");
    assertThat(problem.path("title").asText()).isNotBlank();
    assertThat(problem.path("status").isInt()).isTrue();
    assertThat(problem.path("status").asInt()).isEqualTo(status);
    assertThat(problem.path("detail").asText()).isNotBlank();
    assertThat(problem.path("code").asText()).isEqualTo(code);
    assertThat(answer.values("X-Request-Id")).containsExactly(problem.path("requestId").asText());
    assertThat(answer.complete()).isTrue();
    assertThat(answer.text())
        .doesNotContain("127.0.0.1", "localhost", "Exception", "jetty", "Jetty", "\tat ");
  }
}
