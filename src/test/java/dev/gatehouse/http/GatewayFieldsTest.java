package dev.gatehouse.http;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GatewayFieldsTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "X-Gateway",
        "x-gateway",
        "X_Gateway",
        "X-GATEWAY",
        "x_gateway",
        "X-User-Id",
        "x-user-id",
        "X-USER-ID",
        "x-User-iD",
        "X.User.Id",
        "X-User.Id",
        "X~User-Id",
        "X.Gateway",
        "X_User_Id",
        "x_user_id",
        "X-User_Id",
        "X_User-Id",
        "X-User-Scopes",
        "x_user_scopes",
        "X-User-Role",
        "X-User-",
        "x_user_",
        "X-User-Anything-Else",
        "X-User-Id-",
        "X-User--Id",
        "X-User-Id_",
        "X-Request-Id",
        "x_request_id",
        "Traceparent",
        "TRACEPARENT",
        "tracestate",
        "Via",
        "VIA",
        "vIA",
        "Forwarded",
        "forwarded",
        "X-Forwarded-For",
        "X_Forwarded_For",
        "x-forwarded_for",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Port",
        "X-Forwarded-Prefix",
        "x_forwarded_prefix",
      })
  void aNameOfOursIsOursInAnySpelling(String name) {
    assertThat(GatewayFields.isOurs(name)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "X",
        "-",
        "Accept",
        "Authorization",
        "X-User",
        "X-Users-Id",
        "X-UserId",
        "X-Gateway-Mode",
        "X-Request-Ids",
        "Trailer",
        "Transfer-Encoding",
        "Vary",
        "From",
        "Forwarded-For",
        "X-Forwarded-Server",
        "X-Real-Ip",
        "My-X-User-Id",
        "User-Agent",
      })
  void otherNamesAreTheClients(String name) {
    assertThat(GatewayFields.isOurs(name)).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        "alice|alice",
        "a b|a b",
        "alice@example.org|alice@example.org",
        "auth0:5f7c8ec7c33c6c004bbafe82|auth0:5f7c8ec7c33c6c004bbafe82",
        "\u00e9|%C3%A9",
        "J\u00fcrgen M|J%C3%BCrgen M",
        "\u20ac|%E2%82%AC",
        "\ud83d\ude00|%F0%9F%98%80",
        "100%|100%25",
        "%C3%A9|%25C3%25A9",
        " a|%20a",
        "a |a%20",
        " |%20",
        "\u202ea|%E2%80%AEa",
        "\u2028|%E2%80%A8",
        "\u00a0|%C2%A0",
        "\u007f|%7F",
        "a,b;c=\"d\"|a,b;c=\"d\"",
      })
  void aValueIsPercentEncodedWhereItIsNotVisibleAscii(String value, String encoded) {
    assertThat(GatewayFields.encode(value)).isEqualTo(encoded);
  }
}
