package dev.gatehouse.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PublicLinksTest {

  private final PublicLinks links =
      new PublicLinks(
          List.of("http://users:8001", "https://users.internal"), "/base", "/gw/api/users");

  private final PublicLinks atTheRoot = new PublicLinks(List.of("http://users:8001"), "", "");

  @ParameterizedTest
  @CsvSource({
    "http://users:8001/base/7?x=1#f, /gw/api/users/7?x=1#f",
    "HTTP://Users:8001/base/7, /gw/api/users/7",
    "https://users.internal/base, /gw/api/users/",
    "https://users.internal:443/base/, /gw/api/users/",
    "http://users:8001, /gw/api/users/",
    "http://users:8001?x=1, /gw/api/users/?x=1",
    "http://users:8001/base?x=1, /gw/api/users/?x=1",
    "http://users:8001/login, /gw/api/users/login",
    "http://users:8001/baseball, /gw/api/users/baseball",
    "http://users:8001/gw/api/users/7, /gw/api/users/7",
    "//users:8001/base/7, /gw/api/users/7",
    "//users.internal/7, /gw/api/users/7",
    "/base/7, /gw/api/users/7",
    "/7, /gw/api/users/7",
    "/, /gw/api/users/",
    "/base, /gw/api/users/",
    "/%2e%2e/x, /gw/api/users/%2e%2e/x",
    "/gw/api/usersX, /gw/api/users/gw/api/usersX",
    "/\\evil.example, /gw/api/users/\\evil.example",
    "http://users:8001//evil.example/, /gw/api/users//evil.example/",
  })
  void aReferenceToTheServiceBecomesAPathUnderThePrefix(String location, String told) {
    assertThat(links.location(location)).isEqualTo(told);
  }

  @ParameterizedTest
  @CsvSource({
    "http://users:8002/base/7",
    "https://users:8001/base/7",
    "http://users.internal/base/7",
    "http://users:80010/7",
    "http://a@users:8001/7",
    "http://users:8001@evil.example/7",
    "http://evil.example/http://users:8001/7",
    "http:/users:8001/7",
    "ftp://users:8001/7",
    "//evil.example/7",
    "///evil.example",
    "////",
    "\\\\evil.example",
    "/gw/api/users",
    "/gw/api/users/7",
    "/gw/api/users?x=1",
    "7",
    "../7",
    "?x=1",
    "#top",
    "''",
    "mailto:a@b.example",
    "javascript:alert(1)",
  })
  void everyOtherReferenceStays(String location) {
    assertThat(links.location(location)).isEqualTo(location);
  }

  @ParameterizedTest
  @CsvSource({
    "http://users:8001/7, /7",
    "/7, /7",
    "//users:8001/7, /7",
    "http://users:8001//evil.example, http://users:8001//evil.example",
    "http://users:8001/\\evil.example, http://users:8001/\\evil.example",
    "http://users:8001\\evil.example, http://users:8001\\evil.example",
  })
  void withoutAPrefixNoPathLeadsToAnotherHost(String location, String told) {
    assertThat(atTheRoot.location(location)).isEqualTo(told);
  }

  @Test
  void aTabBetweenTwoSlashesHidesNothing() {
    String hidden = "http://users:8001/\t/evil.example";

    assertThat(atTheRoot.location(hidden)).isEqualTo(hidden);
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "5; url=http://users:8001/7 | 5; url=/gw/api/users/7",
        "0;URL='http://users:8001/7' | 0;URL='/gw/api/users/7'",
        "0, url = \"/7\" | 0, url = \"/gw/api/users/7\"",
        "1.5;/7 | 1.5;/gw/api/users/7",
        "0;url='/7 | 0;url='/gw/api/users/7",
        "0;url='/7'; x | 0;url='/gw/api/users/7'; x",
        "5 url=/7 | 5 url=/gw/api/users/7",
        "5/7 | 5/7",
        "5 | 5",
        "5; | 5;",
        "0;url= | 0;url=",
        "0;url | 0;url",
        "url=/7 | url=/7",
        "0;url=http://evil.example/7 | 0;url=http://evil.example/7",
      })
  void theAddressInARefreshIsToldAnew(String refresh, String told) {
    assertThat(links.refresh(refresh)).isEqualTo(told);
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "a=b; Path=/ | a=b; Path=/gw/api/users",
        "a=b; Path=/base | a=b; Path=/gw/api/users",
        "a=b; Path=/base/ | a=b; Path=/gw/api/users",
        "a=b;path = /x; Secure | a=b;path = /gw/api/users/x; Secure",
        "a=b; PATH=/base/x;HttpOnly | a=b; PATH=/gw/api/users/x;HttpOnly",
        "a=b; Path=/gw/api/users/x | a=b; Path=/gw/api/users/x",
        "a=b; Path=/x; Path=/y | a=b; Path=/gw/api/users/x; Path=/gw/api/users/y",
        "a=b; Path=/ ; Secure | a=b; Path=/gw/api/users ; Secure",
        "a=b | a=b",
        "a=\"path=/x\"; Expires=Wed, 21 Oct 2026 07:28:00 GMT | a=\"path=/x\"; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
        "path=/x; Secure | path=/x; Secure",
        "a=b; Path | a=b; Path",
        "a=b; Path= | a=b; Path=",
        "a=b; Pat | a=b; Pat",
        "a=b; Path=x | a=b; Path=x",
        "a=b; X-Path=/x | a=b; X-Path=/x",
        "a=b; | a=b;",
        "__Host-a=b; Path=/; Secure | __Host-a=b; Path=/; Secure",
      })
  void thePathOfACookieIsToldAnew(String cookie, String told) {
    assertThat(links.cookie(cookie)).isEqualTo(told);
  }

  @ParameterizedTest
  @CsvSource({
    "http, users, http://users",
    "HTTP, Users:80, http://users",
    "https, users:443, https://users",
    "http, users:443, http://users:443",
    "http, [::1]:8001, http://[::1]:8001",
  })
  void anOriginHasNoStandardPort(String scheme, String authority, String origin) {
    assertThat(PublicLinks.origin(scheme, authority)).isEqualTo(origin);
  }
}
