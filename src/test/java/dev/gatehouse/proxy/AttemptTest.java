package dev.gatehouse.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.Failure;
import dev.gatehouse.proxy.Attempt.Phase;
import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.UnresolvedAddressException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import javax.net.ssl.SSLHandshakeException;
import org.eclipse.jetty.http.HttpException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class AttemptTest {

  private static Arguments row(Throwable cause, Phase phase, Failure failure) {
    return Arguments.of(cause, phase, failure);
  }

  static Stream<Arguments> failures() {
    Stream.Builder<Arguments> rows = Stream.builder();
    for (Phase phase : Phase.values()) {
      Failure broken =
          phase == Phase.CONNECTING ? Failure.UPSTREAM_UNREACHABLE : Failure.UPSTREAM_RESET;
      rows.add(row(new TimeoutException("idle"), phase, Failure.UPSTREAM_TIMEOUT));
      rows.add(
          row(
              new ExecutionException(new TimeoutException("total")),
              phase,
              Failure.UPSTREAM_TIMEOUT));
      rows.add(row(new RejectedExecutionException("queue"), phase, Failure.SATURATED));
      rows.add(row(new UnresolvedAddressException(), phase, Failure.UPSTREAM_UNREACHABLE));
      rows.add(row(new UnknownHostException("users"), phase, Failure.UPSTREAM_UNREACHABLE));
      rows.add(row(new SSLHandshakeException("users"), phase, Failure.UPSTREAM_UNREACHABLE));
      rows.add(
          row(
              new RuntimeException(new UnknownHostException("users")),
              phase,
              Failure.UPSTREAM_UNREACHABLE));
      rows.add(
          row(new HttpException.RuntimeException(400, "garbage"), phase, Failure.UPSTREAM_GARBLED));
      rows.add(
          row(
              new ExecutionException(new HttpException.RuntimeException(431, "large")),
              phase,
              Failure.UPSTREAM_GARBLED));
      rows.add(row(new ConnectException("refused"), phase, broken));
      rows.add(row(new NoRouteToHostException(), phase, broken));
      rows.add(row(new SocketException("Connection reset"), phase, broken));
      rows.add(row(new EOFException(), phase, broken));
      rows.add(row(new ClosedChannelException(), phase, broken));
      rows.add(row(new AsynchronousCloseException(), phase, broken));
      rows.add(row(new IOException("Broken pipe"), phase, broken));
      rows.add(row(new ExecutionException(new EOFException()), phase, broken));
      rows.add(row(new IllegalStateException("bug"), phase, Failure.INTERNAL));
      rows.add(
          row(
              new IllegalArgumentException("Request headers too large"),
              phase,
              Failure.HEADERS_TOO_LARGE));
      rows.add(row(new NullPointerException(), phase, Failure.INTERNAL));
      rows.add(row(new OutOfMemoryError(), phase, Failure.INTERNAL));
    }
    return rows.build();
  }

  @ParameterizedTest
  @MethodSource("failures")
  void aFailureIsJudgedByWhatWasThrownAndHowFarTheAttemptHadCome(
      Throwable cause, Phase phase, Failure failure) {
    assertThat(Attempt.judge(cause, phase)).isEqualTo(failure);
  }

  static Stream<Arguments> timeoutsThatAreIoExceptions() {
    Stream.Builder<Arguments> rows = Stream.builder();
    for (Phase phase : Phase.values()) {
      rows.add(Arguments.of(new SocketTimeoutException("Connect Timeout"), phase));
      rows.add(Arguments.of(new IOException(new TimeoutException("idle")), phase));
    }
    return rows.build();
  }

  @ParameterizedTest
  @MethodSource("timeoutsThatAreIoExceptions")
  void aServiceThatIsTooSlowIsToldSoWhateverKindOfExceptionSaysIt(Throwable cause, Phase phase) {
    assertThat(Attempt.judge(cause, phase)).isEqualTo(Failure.UPSTREAM_TIMEOUT);
  }
}
