package dev.gatehouse;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.BodyStream;
import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.RunningGateways;
import dev.gatehouse.testing.UpstreamThat;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A service that never stops sending holds up nobody but its own client. */
@OnEveryGateway(contexts = RunningGateways.STOCK)
class EndlessAnswersIT {
  private static final int BLOCK = 64 * 1024;
  private static final int UNDER_WAY = 1 << 20;
  private static final int OTHERS = 20;

  /**
   * Other requests wait for a share of the processors, which the endless one keeps busy at both of
   * its ends. Only who is held up for good is found by this: without the selector's limits on what
   * it reads in a row, answers came later, but they came.
   */
  private static final Duration SOON = Duration.ofSeconds(20);

  private final RunningGateway gateway;

  EndlessAnswersIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  private static Stream<Arguments> answers() {
    String ok = "HTTP/1.1 200 OK\r\n";
    String chunks = ok + "Transfer-Encoding: chunked\r\n";
    return Stream.of(
        Arguments.of("102 Processing", "", "HTTP/1.1 102 Processing\r\n\r\n", false),
        Arguments.of(
            "103 Early Hints", "", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", false),
        Arguments.of("a body", ok + "Content-Length: 999999999999\r\n\r\n", "0123456789", true),
        Arguments.of("chunks of one byte", chunks + "\r\n", "1\r\na\r\n", true),
        Arguments.of(
            "events of one byte",
            chunks + "Content-Type: text/event-stream\r\n\r\n",
            "1\r\n\n\r\n",
            true));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("answers")
  void othersAreAnsweredMeanwhile(String what, String head, String part, boolean read)
      throws IOException {
    byte[] block = part.repeat(BLOCK / part.length()).getBytes(US_ASCII);
    AtomicLong written = new AtomicLong();
    gateway
        .upstream("users")
        .will(
            (request, out) -> {
              out.write(head.getBytes(US_ASCII));
              while (true) {
                out.write(block);
                written.addAndGet(block.length);
              }
            });
    gateway.upstream("products").will(UpstreamThat.answers("", "here".getBytes(US_ASCII)));
    try (RawClient client = gateway.connect()) {
      client.send(gateway.request("GET", "/api/users/1"));
      if (read) {
        BodyStream body = client.body(client.receiveHead());
        Thread reader = new Thread(() -> readOn(body));
        reader.setDaemon(true);
        reader.start();
      }
      Awaitility.await().atMost(SOON).until(() -> written.get() > UNDER_WAY);
      long begun = System.nanoTime();

      for (int i = 0; i < OTHERS; i++) {
        assertThat(gateway.get("/api/products/1").status()).isEqualTo(200);
      }

      assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(SOON);
    }
  }

  /** Until the connection is closed. */
  private static void readOn(BodyStream body) {
    byte[] some = new byte[BLOCK];
    try {
      int count = 0;
      while (count >= 0) {
        count = body.read(some);
      }
    } catch (IOException closed) {
      // The end of the test.
    }
  }
}
