package dev.gatehouse;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatehouse.http.Problem;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class FailureTest {

  @ParameterizedTest
  @CsvSource({
    "PATH_AMBIGUOUS, 400, path_ambiguous, CLIENT",
    "TOKEN_MISSING, 401, token_missing, CLIENT",
    "TOKEN_INVALID, 401, token_invalid, CLIENT",
    "SCOPE_MISSING, 403, scope_missing, CLIENT",
    "NO_ROUTE, 404, no_route, CLIENT",
    "METHOD_REFUSED, 405, method_refused, CLIENT",
    "CLIENT_GONE, 499, client_gone, CLIENT",
    "INTERNAL, 500, internal, GATEWAY",
    "UPSTREAM_UNREACHABLE, 502, upstream_unreachable, UPSTREAM",
    "UPSTREAM_RESET, 502, upstream_reset, UPSTREAM",
    "UPSTREAM_GARBLED, 502, upstream_garbled, UPSTREAM",
    "RATE_LIMITED, 429, rate_limited, CLIENT",
    "LIMIT_UNAVAILABLE, 503, limit_unavailable, GATEWAY",
    "SATURATED, 503, saturated, GATEWAY",
    "STOPPING, 503, stopping, GATEWAY",
    "UPSTREAM_TIMEOUT, 504, upstream_timeout, UPSTREAM",
  })
  void aFailureHasTheStatusAndCodeOfTheContract(
      Failure failure, int status, String code, Failure.Source source) {
    assertThat(failure.status()).isEqualTo(status);
    assertThat(failure.code()).isEqualTo(code);
    assertThat(failure.source()).isEqualTo(source);
  }

  @Test
  void everyCodeIsOneOfTheContractsOrOfTheFewThatItLacks() {
    assertThat(Arrays.stream(Failure.values()).map(Failure::code))
        .isSubsetOf(
            "path_ambiguous",
            "token_missing",
            "token_invalid",
            "scope_missing",
            "no_route",
            "method_refused",
            "client_timeout",
            "coding_refused",
            "body_too_large",
            "uri_too_large",
            "headers_too_large",
            "rate_limited",
            "limit_unavailable",
            "client_gone",
            "internal",
            "upstream_unreachable",
            "upstream_reset",
            "upstream_garbled",
            "breaker_open",
            "no_server",
            "saturated",
            "keys_unavailable",
            "stopping",
            "upstream_timeout");
  }

  @ParameterizedTest
  @EnumSource
  void aFailureIsToldAsAProblemThatGivesNothingAway(Failure failure) throws IOException {
    JsonNode problem =
        new ObjectMapper()
            .readTree(Problem.json(failure.status(), failure.detail(), failure.code(), "id-1"));

    assertThat(problem.get("type").textValue()).isEqualTo("about:blank");
    assertThat(problem.get("title").textValue()).isNotBlank();
    assertThat(problem.get("status").intValue()).isEqualTo(failure.status());
    assertThat(problem.get("code").textValue()).isEqualTo(failure.code());
    assertThat(problem.get("requestId").textValue()).isEqualTo("id-1");
    assertThat(problem.get("detail").textValue()).matches("[A-Z][a-z' ]+\\.");
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "CLIENT_GONE")
  void aFailureThatAClientSeesHasATitle(Failure failure) throws IOException {
    JsonNode problem =
        new ObjectMapper().readTree(Problem.json(failure.status(), "", failure.code(), ""));

    assertThat(problem.get("title").textValue()).isNotEqualTo("Error");
  }

  @ParameterizedTest
  @EnumSource
  void onlyWhatIsNotTheClientsFaultIsTriedAgain(Failure failure) {
    if (failure.source() == Failure.Source.CLIENT) {
      assertThat(failure.retry()).isEqualTo(Failure.Retry.NEVER);
    }
  }
}
