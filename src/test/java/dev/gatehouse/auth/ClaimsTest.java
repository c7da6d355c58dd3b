package dev.gatehouse.auth;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.auth0.jwt.JWT;
import dev.gatehouse.Caller;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ClaimsTest {

  private static Claims claims(String payload) {
    Base64.Encoder encoder = Base64.getUrlEncoder().withoutPadding();
    String header = encoder.encodeToString("{\"alg\":\"HS256\"}".getBytes(UTF_8));
    return new Claims(
        JWT.decode(header + "." + encoder.encodeToString(payload.getBytes(UTF_8)) + ".c2ln"));
  }

  private static List<String> roles(String rolesClaim, String payload) {
    return claims(payload).caller("default", rolesClaim, Map.of()).roles();
  }

  private static List<Map.Entry<String, String>> told(String claim, String payload) {
    return claims(payload).caller("default", "roles", Map.of(claim, "X-User-Told")).told();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "roles|{'roles':['a','b']}|a,b",
        "roles|{'roles':'a'}|a",
        "roles|{'roles':'shop admin'}|shop admin",
        "roles|{'roles':['shop admin']}|shop admin",
        "roles|{'roles':['b','a','b']}|b,a,b",
        "roles|{}|''",
        "roles|{'roles':null}|''",
        "roles|{'roles':''}|''",
        "roles|{'roles':' '}|''",
        "roles|{'roles':[]}|''",
        "roles|{'roles':['',' ','a']}|a",
        "roles|{'roles':7}|''",
        "roles|{'roles':true}|''",
        "roles|{'roles':{'a':true}}|''",
        "roles|{'roles':[null,7,true,['b'],{'c':1},'a']}|a",
        "roles|{'Roles':['a']}|''",
        "roles|{'scope':'a','realm_access':{'roles':['a']}}|''",
        // Names with dots.
        "realm_access.roles|{'realm_access':{'roles':['a','b']}}|a,b",
        "realm_access.roles|{'realm_access':{'roles':'a'}}|a",
        "a.b.c.d|{'a':{'b':{'c':{'d':['x']}}}}|x",
        "a.b|{'a':{'c':['x']}}|''",
        "a.b|{'a':{'b':{'c':['x']}}}|''",
        "a.b|{'a':['b']}|''",
        "a.b|{'a':'b'}|''",
        "a.b|{'a':null}|''",
        "a.b|{'b':['x']}|''",
        "a.0|{'a':['x']}|''",
        "a..b|{'a':{'':{'b':['x']}}}|x",
        ".|{'':{'':['x']}}|x",
        // The full name goes first, whatever it says.
        "a.b|{'a.b':['x'],'a':{'b':['y']}}|x",
        "a.b|{'a.b':null,'a':{'b':['y']}}|''",
        "https://shop.example/roles|{'https://shop.example/roles':['x']}|x",
        "https://shop.example/roles|{'https://shop':{'example/roles':['x']}}|x",
        "https://shop.example/roles|{'https://shop.example':{'/roles':['x']}}|''",
      })
  void rolesAreTheTextsOfTheirClaim(String claim, String payload, String roles) {
    assertThat(roles(claim, payload.replace('\'', '"')))
        .isEqualTo(roles.isEmpty() ? List.of() : List.of(roles.split(",", -1)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      value = {
        "{'c':'alice@example.org'}|alice@example.org",
        "{'c':'a, b'}|a%2C b",
        "{'c':'a b'}|a b",
        "{'c':' a '}|%20a%20",
        "{'c':'J\u00fcrgen \u20ac'}|J%C3%BCrgen %E2%82%AC",
        "{'c':'\\ud83d\\ude00'}|%F0%9F%98%80",
        "{'c':'100%'}|100%25",
        "{'c':'%41'}|%2541",
        "{'c':7}|7",
        "{'c':-7}|-7",
        "{'c':1.5}|1.5",
        "{'c':12345678901234567890}|12345678901234567890",
        "{'c':true}|true",
        "{'c':false}|false",
        "{'c':['a','b']}|a,b",
        "{'c':['a']}|a",
        "{'c':['a,b','c']}|a%2Cb,c",
        "{'c':['a%2Cb','c']}|a%252Cb,c",
        "{'c':['a',7,true]}|a,7,true",
        "{'c':['a',null,{'b':1},['c']]}|a",
        "{'c':['J\u00fcrgen','a']}|J%C3%BCrgen,a",
        // What is not told.
        "{'c':''}|-",
        "{'c':null}|-",
        "{'c':[]}|-",
        "{'c':['']}|-",
        "{'c':[null]}|-",
        "{'c':{}}|-",
        "{'c':{'a':'b'}}|-",
        "{'c':[{'a':'b'}]}|-",
        "{'c':[['a']]}|-",
        "{'C':'a'}|-",
        "{}|-",
      })
  void aClaimIsToldAsOneValue(String payload, @Nullable String value) {
    assertThat(told("c", payload.replace('\'', '"')))
        .isEqualTo(value == null ? List.of() : List.of(Map.entry("X-User-Told", value)));
  }

  @Test
  void aClaimIsToldByItsNameOrByNamesWithDots() {
    String payload =
        "{\"sub\":\"alice\",\"a.b\":\"x\",\"a\":{\"b\":\"y\",\"c\":\"z\"},\"d\":\"w\"}";
    Caller caller =
        claims(payload)
            .caller(
                "default",
                "roles",
                Map.of("a.b", "X-User-B", "a.c", "X-User-C", "d", "X-User-D", "e", "X-User-E"));

    assertThat(caller.told())
        .containsExactlyInAnyOrder(
            Map.entry("X-User-Id", "alice"),
            Map.entry("X-User-B", "x"),
            Map.entry("X-User-C", "z"),
            Map.entry("X-User-D", "w"));
    assertThat(caller.subject()).isEqualTo("alice");
  }

  private static void assertUnfit(String payload, String reason) {
    assertThatExceptionOfType(Claims.UnfitException.class)
        .isThrownBy(() -> told("c", payload))
        .withMessage(reason);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\\u0000",
        "a\\nb",
        "a\\r\\nX-User-Id:root",
        "\\t",
        "a\\u001bb",
        "a\\u007f",
        "a\\u0085b",
        "\\u009f"
      })
  void whatHasControlCharactersIsRefused(String text) {
    assertUnfit("{\"c\":\"" + text + "\"}", "control_character");
    assertUnfit("{\"c\":[\"a\",\"" + text + "\"]}", "control_character");
    assertUnfit("{\"sub\":\"" + text + "\"}", "control_character");
    assertUnfit("{\"scp\":[\"a\",\"b" + text + "\"]}", "control_character");
  }

  @ParameterizedTest
  @ValueSource(strings = {"\\ud800", "a\\udc00b", "\\udc00\\ud800", "\\ud83d "})
  void whatIsNoUnicodeIsRefused(String text) {
    assertUnfit("{\"c\":\"" + text + "\"}", "claim");
    assertUnfit("{\"c\":[\"a\",\"" + text + "\"]}", "claim");
    assertUnfit("{\"sub\":\"" + text + "\"}", "sub");
    assertUnfit("{\"scp\":[\"" + text.strip() + "\"]}", "scope");
  }

  @Test
  void aClaimThatNobodyIsToldOfMaySayWhatItLikes() {
    assertThat(told("c", "{\"c\":\"a\",\"d\":\"\\u0000\\ud800\"}"))
        .containsExactly(Map.entry("X-User-Told", "a"));
  }

  @Test
  void aCallerIsToldBySubjectAndScopes() {
    assertThat(
            claims("{\"sub\":\"J\u00fcrgen, %\",\"scope\":\"a b:\u20ac\"}")
                .caller("default", "roles", Map.of())
                .told())
        .containsExactly(
            Map.entry("X-User-Id", "J%C3%BCrgen, %25"),
            Map.entry("X-User-Scopes", "a b:%E2%82%AC"));
    assertThat(claims("{\"sub\":\"\",\"scope\":\" \"}").caller("default", "roles", Map.of()).told())
        .isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{}|true",
        "{'aud':null}|true",
        "{'aud':'a'}|true",
        "{'aud':[]}|true",
        "{'aud':['a','b']}|true",
        "{'aud':7}|false",
        "{'aud':true}|false",
        "{'aud':['a',7]}|false",
        "{'aud':['a',null]}|false",
        "{'aud':{'a':'b'}}|false",
      })
  void anAudienceIsTexts(String payload, boolean isText) {
    assertThat(claims(payload.replace('\'', '"')).isAudienceText()).isEqualTo(isText);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'jti':'7f3a','sub':'alice'}|jti:7f3a,sub:alice",
        "{'sub':'jti:7f3a'}|sub:jti:7f3a",
        "{'jti':7,'sub':['alice']}|jti:7",
        "{'jti':9007199254740993}|jti:9007199254740993",
        "{}|''",
      })
  void aTokenIsRevokedByItsIdOrItsSubject(String payload, String names) {
    assertThat(String.join(",", claims(payload.replace('\'', '"')).revocable())).isEqualTo(names);
  }
}
