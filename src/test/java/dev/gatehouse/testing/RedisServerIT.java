package dev.gatehouse.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the tests with a Redis rely on. */
class RedisServerIT {
  @Test
  void itAnswers() {
    try (RedisServer redis = RedisServer.start()) {
      assertThat(redis.url()).isEqualTo("redis://localhost:" + redis.port());
      assertThat(redis.command("PING")).isEqualTo("PONG");
      assertThat(redis.command("SET", "a key", "Gr\u00fc\u00dfe\r\n")).isEqualTo("OK");
      assertThat(redis.command("GET", "a key")).isEqualTo("Gr\u00fc\u00dfe\r\n");
      assertThat(redis.command("GET", "another")).isEqualTo("(nil)");
      assertThat(redis.command("DBSIZE")).isEqualTo("1");
      assertThat(redis.list("KEYS", "*")).containsExactly("a key");
      assertThat(redis.list("KEYS", "b*")).isEmpty();
      assertThat(redis.list("EVAL", "return {1, {'two', false}, {}}", "0"))
          .containsExactly("1", "two", "(nil)");
    }
  }

  @Test
  void itTakesTheCommandsOfAnAdministrator() {
    try (RedisServer redis = RedisServer.start()) {
      assertThat(redis.command("CONFIG", "SET", "maxmemory", "2mb")).isEqualTo("OK");
      assertThat(redis.list("CONFIG", "GET", "maxmemory")).containsExactly("maxmemory", "2097152");
      assertThat(redis.command("SCRIPT", "FLUSH")).isEqualTo("OK");
      assertThat(redis.command("CLIENT", "KILL", "TYPE", "normal")).isEqualTo("0");
      assertThat(redis.command("DEBUG", "SLEEP", "0.01")).isEqualTo("OK");
    }
  }

  @Test
  void anErrorReplyIsAFailure() {
    try (RedisServer redis = RedisServer.start()) {
      assertThatThrownBy(() -> redis.command("NOSUCH", "word"))
          .isInstanceOf(AssertionError.class)
          .hasMessageStartingWith("NOSUCH word: ERR unknown command");
    }
  }

  @Test
  void aReplicaIsReadOnlyUntilItIsNoMore() {
    try (RedisServer redis = RedisServer.start()) {
      // Nothing listens there that would send it other data.
      redis.command("REPLICAOF", "127.0.0.1", "1");
      assertThatThrownBy(() -> redis.command("SET", "a", "b")).hasMessageContaining("READONLY");

      redis.command("REPLICAOF", "NO", "ONE");
      assertThat(redis.command("SET", "a", "b")).isEqualTo("OK");
    }
  }

  @Test
  void aPausedOneAnswersLater() throws IOException {
    try (RedisServer redis = RedisServer.start()) {
      redis.pause();
      try (Socket client = connect(redis)) {
        client.getOutputStream().write("PING\r\n".getBytes(UTF_8));
        client.setSoTimeout(300);
        assertThatThrownBy(() -> client.getInputStream().read())
            .isInstanceOf(SocketTimeoutException.class);

        redis.resume();
        client.setSoTimeout(5_000);
        assertThat(client.getInputStream().readNBytes(5)).isEqualTo("+PONG".getBytes(UTF_8));
      }
      assertThat(redis.command("PING")).isEqualTo("PONG");
    }
  }

  @Test
  void aKilledOneRefuses() {
    try (RedisServer redis = RedisServer.start()) {
      redis.kill();

      assertThatThrownBy(() -> redis.command("PING"))
          .isInstanceOf(UncheckedIOException.class)
          .hasCauseInstanceOf(ConnectException.class);
    }
  }

  @Test
  void aPausedOneIsClosed() {
    RedisServer redis = RedisServer.start();
    redis.pause();
    redis.close();

    assertThatThrownBy(() -> connect(redis)).isInstanceOf(ConnectException.class);
    assertThatCode(redis::close).doesNotThrowAnyException();
  }

  @Test
  void aRestartedOneHasItsPortAndNoData() {
    try (RedisServer redis = RedisServer.withPassword("secret")) {
      int port = redis.port();
      redis.command("SET", "a", "b");
      redis.command("SAVE");
      redis.command("CONFIG", "SET", "maxmemory", "2mb");
      redis.kill();
      redis.restart();

      assertThat(redis.port()).isEqualTo(port);
      assertThat(redis.command("DBSIZE")).isEqualTo("0");
      assertThat(redis.list("CONFIG", "GET", "maxmemory")).endsWith("0");
      assertThat(redis.list("CONFIG", "GET", "requirepass")).endsWith("secret");
    }
  }

  @Test
  void oneThatDoesNotComeUpShowsItsLog() throws IOException {
    try (RedisServer redis = RedisServer.start()) {
      redis.kill();
      try (ServerSocket other =
          new ServerSocket(redis.port(), 50, InetAddress.getLoopbackAddress())) {
        assertThat(other.isBound()).isTrue();

        assertThatThrownBy(redis::restart)
            .isInstanceOf(AssertionError.class)
            .hasMessageContaining(" ended, exit code 1:\n")
            .hasMessageContaining("Address already in use");
      }
    }
  }

  @Test
  void onlyTheRightPasswordIsTaken() throws IOException {
    try (RedisServer redis = RedisServer.withPassword("secret")) {
      assertThat(redis.url()).isEqualTo("redis://:secret@localhost:" + redis.port());
      assertThat(redis.command("PING")).isEqualTo("PONG");
      assertThatThrownBy(() -> redis.command("AUTH", "wrong"))
          .isInstanceOf(AssertionError.class)
          .hasMessageStartingWith("AUTH wrong: WRONGPASS");
      try (Socket client = connect(redis)) {
        client.getOutputStream().write("PING\r\n".getBytes(UTF_8));
        assertThat(client.getInputStream().readNBytes(7)).isEqualTo("-NOAUTH".getBytes(UTF_8));
      }
    }
  }

  @Test
  void oneWithTlsIsTrustedByItsCertificateAndSpeaksNothingElse(@TempDir Path folder)
      throws IOException {
    try (RedisServer redis = RedisServer.withTls()) {
      assertThat(redis.url()).isEqualTo("rediss://localhost:" + redis.port());
      assertThat(redis.command("PING")).isEqualTo("PONG");
      assertThatCode(() -> shakeHands(redis, redis.certificate(), "localhost"))
          .doesNotThrowAnyException();
      assertThatThrownBy(() -> shakeHands(redis, redis.certificate(), "127.0.0.1"))
          .isInstanceOf(SSLHandshakeException.class);
      assertThatThrownBy(() -> shakeHands(redis, Certificate.in(folder), "localhost"))
          .isInstanceOf(SSLHandshakeException.class);
      assertThat(answersPlainText(redis)).isFalse();
    }
  }

  @Test
  void oneWithTlsIsPausedAndRestartedLikeAnother() {
    try (RedisServer redis = RedisServer.withTls()) {
      redis.pause();
      redis.resume();
      redis.restart();

      assertThat(redis.command("DBSIZE")).isEqualTo("0");
    }
  }

  private static void shakeHands(RedisServer redis, Certificate trusted, String name)
      throws IOException {
    try (Socket plain = connect(redis);
        SSLSocket socket =
            (SSLSocket)
                trusted
                    .context()
                    .getSocketFactory()
                    .createSocket(plain, name, redis.port(), true)) {
      SSLParameters parameters = socket.getSSLParameters();
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      socket.setSSLParameters(parameters);
      socket.startHandshake();
    }
  }

  private static boolean answersPlainText(RedisServer redis) throws IOException {
    try (Socket client = connect(redis)) {
      client.getOutputStream().write("PING\r\n".getBytes(UTF_8));
      return client.getInputStream().read() == '+';
    } catch (SocketException reset) {
      return false;
    }
  }

  private static Socket connect(RedisServer redis) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), redis.port());
    socket.setSoTimeout(5_000);
    return socket;
  }
}
