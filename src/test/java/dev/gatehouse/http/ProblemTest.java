package dev.gatehouse.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProblemTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @Test
  void aProblemHasTheMembersOfTheContractAndNoOther() throws IOException {
    JsonNode problem =
        JSON.readTree(Problem.json(404, "No service is mapped.", "no_route", "id-1"));

    assertThat(problem.fieldNames())
        .toIterable()
        .containsExactlyInAnyOrder("type", "title", "status", "detail", "code", "requestId");
    assertThat(problem.get("type").textValue()).isEqualTo("about:blank");
    assertThat(problem.get("title").textValue()).isEqualTo("Not Found");
    assertThat(problem.get("status").isInt()).isTrue();
    assertThat(problem.get("status").intValue()).isEqualTo(404);
    assertThat(problem.get("detail").textValue()).isEqualTo("No service is mapped.");
    assertThat(problem.get("code").textValue()).isEqualTo("no_route");
    assertThat(problem.get("requestId").textValue()).isEqualTo("id-1");
  }

  @ParameterizedTest
  @CsvSource({
    "400, Bad Request",
    "401, Unauthorized",
    "403, Forbidden",
    "404, Not Found",
    "405, Method Not Allowed",
    "408, Request Timeout",
    "429, Too Many Requests",
    "431, Request Header Fields Too Large",
    "501, Not Implemented",
    "500, Internal Server Error",
    "502, Bad Gateway",
    "503, Service Unavailable",
    "504, Gateway Timeout",
  })
  void theTitleIsTheStatusInWords(int status, String title) throws IOException {
    // RFC 9457 section 4.2.1: for about:blank
    assertThat(JSON.readTree(Problem.json(status, "", "", "")).get("title").textValue())
        .isEqualTo(title);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\"",
        "\\",
        "\\\"",
        "a\nb\r\tc",
        "\u0000\u0001\u001f",
        "\u007f\u0085",
        "\u2028\u2029",
        "\u00e9\u20ac\ud83d\ude00",
        "\",\"code\":\"forged",
        "</script>",
      })
  void anyTextIsQuotedSoThatItIsReadBackAsItWas(String text) throws IOException {
    JsonNode problem = JSON.readTree(Problem.json(400, text, text, text));

    assertThat(problem.get("detail").textValue()).isEqualTo(text);
    assertThat(problem.get("code").textValue()).isEqualTo(text);
    assertThat(problem.get("requestId").textValue()).isEqualTo(text);
  }

  @Test
  void anExceededQuotaIsAProblemOfItsOwnTypeAndNamesThePolicies() throws IOException {
    JsonNode problem =
        JSON.readTree(
            Problem.quotaExceeded(
                429, "Too many.", "rate_limited", "id-1", List.of("limit-orders", "\"\\\n")));

    // draft-ietf-httpapi-ratelimit-headers-10 section 5.1
    assertThat(problem.fieldNames())
        .toIterable()
        .containsExactlyInAnyOrder(
            "type", "title", "status", "detail", "code", "requestId", "violated-policies");
    assertThat(problem.get("type").textValue())
        .isEqualTo("https://iana.org/assignments/http-problem-types#quota-exceeded");
    assertThat(problem.get("title").textValue()).isEqualTo("Too Many Requests");
    assertThat(problem.get("status").intValue()).isEqualTo(429);
    assertThat(problem.get("detail").textValue()).isEqualTo("Too many.");
    assertThat(problem.get("code").textValue()).isEqualTo("rate_limited");
    assertThat(problem.get("requestId").textValue()).isEqualTo("id-1");
    assertThat(problem.get("violated-policies"))
        .extracting(JsonNode::textValue)
        .containsExactly("limit-orders", "\"\\\n");
  }

  @Test
  void withoutAPolicyItsListIsEmpty() throws IOException {
    JsonNode problem = JSON.readTree(Problem.quotaExceeded(429, "", "", "", List.of()));

    assertThat(problem.get("violated-policies").isArray()).isTrue();
    assertThat(problem.get("violated-policies").isEmpty()).isTrue();
  }

  @Test
  void halfASurrogatePairDoesNotSpoilTheJson() throws IOException {
    byte[] json = Problem.json(400, "\ud800", "c", "r");

    assertThat(JSON.readTree(json).get("code").textValue()).isEqualTo("c");
    assertThat(new String(json, StandardCharsets.UTF_8)).endsWith("}\n");
  }
}
