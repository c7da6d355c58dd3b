package dev.gatehouse;

import static dev.gatehouse.Problems.assertProblem;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.Certificate;
import dev.gatehouse.testing.Container;
import dev.gatehouse.testing.GatewayServer;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Tokens.Trust;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.Upstream.Then;
import dev.gatehouse.testing.Webapp;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Services that speak TLS: one that is trusted, one that is not, one that has another's name. */
@ParameterizedClass(name = "{0}")
@MethodSource("dev.gatehouse.testing.Container#chosen")
@SuppressWarnings("NullAway.Init") // start() sets the fields
class HttpsServicesIT {
  private static final String TOKEN = Tokens.good(Trust.HS256);

  @TempDir private static Path folder;
  private static Upstream trusted;
  private static Upstream unknown;
  private static GatewayServer server;

  HttpsServicesIT(Container container) {
    assertThat(container).isNotNull();
  }

  @BeforeParameterizedClassInvocation
  static void start(Container container) throws Exception {
    Certificate certificate = Certificate.in(Files.createTempDirectory(folder, "trusted"));
    trusted = Upstream.start(certificate);
    unknown = Upstream.start(Certificate.in(Files.createTempDirectory(folder, "unknown")));
    server =
        container
            .newServer()
            .trusting(certificate)
            .deploy(
                Tokens.trusting(Trust.HS256, Webapp.at(""))
                    .setting("users.url", trusted.url())
                    .setting("orders.url", unknown.url())
                    .setting("products.url", trusted.url().replace("127.0.0.1", "localhost")))
            .start();
  }

  @AfterParameterizedClassInvocation
  static void stop() {
    server.close();
    trusted.close();
    unknown.close();
  }

  @BeforeEach
  void fresh() {
    trusted.fresh();
  }

  @Test
  void aRequestAndItsBodyArrive() {
    byte[] body = new byte[100_000];

    RawResponse answer = send(RawRequest.of("POST", "/api/users/1?a=b").body(body));

    assertThat(answer.status()).isEqualTo(200);
    assertThat(trusted.only().target()).isEqualTo("/1?a=b");
    Bodies.assertSameBytes(trusted.only().body(), body);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/api/orders/1", "/api/products/1"})
  void aServiceThatIsNotTheOneThatWasMeantGetsNothing(String path) {
    assertProblem(send(RawRequest.of("GET", path)), 502, "upstream_unreachable");

    assertThat(trusted.requests()).isEmpty();
    assertThat(unknown.requests()).isEmpty();
  }

  /** A body without a length ends with its connection (RFC 9112 section 9.8). */
  @ParameterizedTest
  @EnumSource(
      value = Then.class,
      names = {"CLOSE", "CUT", "RESET"})
  void aBodyThatEndsWithTheConnection(Then then) {
    byte[] body = "x".repeat(100_000).getBytes(US_ASCII);
    trusted.will(
        (request, out) -> {
          out.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".getBytes(US_ASCII));
          out.write(body);
          return then;
        });

    RawResponse answer = send(RawRequest.of("GET", "/api/users/1"));

    if (then == Then.CLOSE) {
      assertThat(answer.complete()).isTrue();
      Bodies.assertSameBytes(answer.body(), body);
    } else {
      assertThat(answer.complete() && answer.status() == 200).as("looks whole").isFalse();
    }
  }

  private static RawResponse send(RawRequest request) {
    try (RawClient client = server.connect()) {
      client.send(request.bearer(TOKEN));
      return client.receive();
    }
  }
}
