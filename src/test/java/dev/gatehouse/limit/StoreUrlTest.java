package dev.gatehouse.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lettuce.core.RedisCredentials;
import io.lettuce.core.RedisURI;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StoreUrlTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "redis://host|host|6379|false|0|''|''|redis://host",
        "redis://host/|host|6379|false|0|''|''|redis://host/",
        "redis://host:6380/3|host|6380|false|3|''|''|redis://host:6380/3",
        "rediss://my_redis.example-1.org|my_redis.example-1.org|6379|true|0|''|''"
            + "|rediss://my_redis.example-1.org",
        "redis://192.0.2.1:1|192.0.2.1|1|false|0|''|''|redis://192.0.2.1:1",
        "redis://[2001:db8::1]:6380|2001:db8::1|6380|false|0|''|''|redis://[2001:db8::1]:6380",
        "redis://:secret@host|host|6379|false|0|''|secret|redis://***@host",
        "redis://gateway:se+cret@host:1/2|host|1|false|2|gateway|se+cret|redis://***@host:1/2",
        "redis://g:p%40s%3As%2F%25%C3%A9@host|host|6379|false|0|g|p@s:s/%\u00e9|redis://***@host",
        "redis://g:it's#good?@host|host|6379|false|0|g|it's#good?|redis://***@host",
      })
  void aUrlIsReadAndShownWithoutItsPassword(
      String text,
      String host,
      int port,
      boolean tls,
      int database,
      String user,
      String password,
      String shown) {
    StoreUrl url = StoreUrl.parse(text);
    RedisURI uri = url.uri();

    assertThat(uri.getHost()).isEqualTo(host);
    assertThat(uri.getPort()).isEqualTo(port);
    assertThat(uri.isSsl()).isEqualTo(tls);
    assertThat(uri.isVerifyPeer()).isTrue();
    assertThat(uri.getDatabase()).isEqualTo(database);
    RedisCredentials credentials = uri.getCredentialsProvider().resolveCredentials().block();
    assertThat(credentials).isNotNull();
    assertThat(credentials.hasUsername() ? credentials.getUsername() : "").isEqualTo(user);
    assertThat(credentials.hasPassword() ? new String(credentials.getPassword()) : "")
        .isEqualTo(password);
    assertThat(StoreUrl.shown(text)).isEqualTo(shown);
    assertThat(url).hasToString(host + ":" + port);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "redis:/user:hidden@host",
        "redis:user:hidden@host",
        "redis://user:hid den@host",
        "redis://user:hidden@more@host",
        "redis://user:hidden/@host",
        "redis://user:hidden%zz@host",
        "redis://user:hidden@host?verifyPeer=NONE",
        "redis://user:hidden@host#x",
        "redis://user:hidden@one,two",
        "redis://user:hidden@one:1,two:2",
        "redis://user:hidden@host:0",
        "redis://user:hidden@host:65536",
        "redis://user:hidden@host:123456",
        "redis://user:hidden@host/x",
        "redis://user:hidden@",
        "redis-sentinel://user:hidden@host/0#name",
        "redis-socket:///hidden",
        "http://user:hidden@host",
        "REDIS://user:hidden@host",
        "redis://:@hidden host",
        "Local hidden",
      })
  void whatIsNoSuchUrlIsRefusedAndNotShown(String text) {
    assertThatThrownBy(() -> StoreUrl.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("local, or a URL such as redis://host:6379/0")
        .hasMessageNotContaining("hidden");
    assertThat(StoreUrl.shown(text)).contains("***").doesNotContain("hidden");
  }
}
