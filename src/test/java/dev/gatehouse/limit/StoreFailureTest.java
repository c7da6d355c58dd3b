package dev.gatehouse.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisCommandTimeoutException;
import io.lettuce.core.RedisConnectionException;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisLoadingException;
import io.lettuce.core.RedisReadOnlyException;
import io.netty.channel.ConnectTimeoutException;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.NotSslRecordException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class StoreFailureTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "NOAUTH Authentication required.|refused",
        "NOAUTH HELLO must be called with the client already authenticated|refused",
        "WRONGPASS invalid username-password pair or user is disabled.|refused",
        "NOPERM this user has no permissions to run the 'evalsha' command|refused",
        "ERR invalid password|refused",
        "READONLY You can't write against a read only replica.|read_only",
        "MISCONF Redis is configured to save RDB snapshots, but it's unable to|read_only",
        "LOADING Redis is loading the dataset in memory|loading",
        "OOM command not allowed when used memory > 'maxmemory'.|full",
        "MOVED 3999 127.0.0.1:6381|cluster",
        "CLUSTERDOWN Hash slot not served|cluster",
        "ERR max number of clients reached|full",
        "BUSY Redis is busy running a script.|error",
        "NOSCRIPT No matching script. Please use EVAL.|error",
        "\"\"|error",
      })
  void aReplyIsToldByHowItBegins(String reply, String word) {
    assertThat(StoreFailure.of(new RedisCommandExecutionException(reply))).isEqualTo(word);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "-READONLY You can't write against a read only replica.|read_only",
        "-OOM command not allowed when used memory > 'maxmemory'.|full",
      })
  void aReplyToWhatAScriptDidIsToldTheSame(String reply, String word) {
    // As Redis 6.2 says it.
    assertThat(
            StoreFailure.of(
                new RedisCommandExecutionException(
                    "ERR Error running script (call to f_7ea1e4d844c3724e938f6b11b48c042d2b978755):"
                        + " @user_script:1: @user_script: 1: "
                        + reply)))
        .isEqualTo(word);
  }

  static Stream<Arguments> failures() {
    return Stream.of(
        arguments(new RedisReadOnlyException("READONLY You can't write"), "read_only"),
        arguments(new RedisLoadingException("LOADING Redis is loading"), "loading"),
        arguments(
            new RedisCommandTimeoutException("Command timed out after 1 second(s)"), "timeout"),
        arguments(new RedisCommandTimeoutException("Connection initialization"), "timeout"),
        arguments(connecting(new ConnectException("Connection refused")), "unreachable"),
        arguments(connecting(new ConnectTimeoutException("timed out")), "unreachable"),
        arguments(connecting(new NoRouteToHostException("No route to host")), "unreachable"),
        arguments(connecting(new UnknownHostException("nowhere.invalid")), "unreachable"),
        arguments(connecting(new SSLHandshakeException("PKIX path building failed")), "tls"),
        arguments(
            connecting(new DecoderException(new NotSslRecordException("not an SSL/TLS record"))),
            "tls"),
        arguments(connecting(new RedisCommandExecutionException("WRONGPASS invalid")), "refused"),
        arguments(new ClosedChannelException(), "closed"),
        arguments(connecting(new ClosedChannelException()), "closed"),
        arguments(new RedisException("Connection closed"), "closed"),
        arguments(new RedisException("Currently not connected. Commands are rejected."), "closed"),
        arguments(new RedisException(new SocketException("Connection reset")), "closed"),
        arguments(new IOException("Connection reset by peer"), "closed"),
        arguments(new RedisException("something else"), "error"),
        arguments(new IOException((String) null), "error"),
        arguments(new IllegalStateException("unexpected"), "error"));
  }

  private static RedisConnectionException connecting(Throwable cause) {
    return new RedisConnectionException("Unable to connect to 127.0.0.1:6379", cause);
  }

  @ParameterizedTest
  @MethodSource("failures")
  void aFailureHasAWord(Throwable failure, String word) {
    assertThat(StoreFailure.of(failure)).isEqualTo(word);
  }

  @ParameterizedTest
  @MethodSource("failures")
  void whatWrapsAFailureDoesNotChangeItsWord(Throwable failure, String word) {
    assertThat(StoreFailure.of(new CompletionException(new CompletionException(failure))))
        .isEqualTo(word);
  }

  @Test
  void noFailureAtAllIsAnErrorToo() {
    assertThat(StoreFailure.of(null)).isEqualTo("error");
  }
}
