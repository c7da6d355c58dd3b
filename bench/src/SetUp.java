package bench;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Optional;

/** Makes sure that a contender does its job before its speed counts. */
final class SetUp {
  private static final Duration START_LIMIT = Duration.ofSeconds(60);
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  private final Contender contender;
  private final Callers callers;

  SetUp(Contender contender, Callers callers) {
    this.contender = contender;
    this.callers = callers;
  }

  /** Waits until the contender serves, then checks what it does and what it refuses. */
  void check() throws IOException, InterruptedException {
    awaitStart();
    HttpResponse<String> answer = get("/check?q=1", good());
    expect("status", "200", "" + answer.statusCode());
    expect("body", "checked", answer.body());
    expectSeen(answer, "Target", "/check\\?q=1");
    if (contender.tokens().isPresent()) {
      checkFull(answer);
    }
  }

  private void checkFull(HttpResponse<String> answer) throws IOException, InterruptedException {
    expectSeen(answer, "Gateway", "True");
    expectSeen(answer, "Forwarded-For", "127\\.0\\.0\\.1");
    expectSeen(answer, "Forwarded-Proto", "http");
    expectSeen(answer, "Forwarded-Host", "127\\.0\\.0\\.1(:\\d+)?");
    if (!contender.name().equals("spring")) {
      // It has no filter for that.
      expectSeen(answer, "Request-Id", "[0-9a-f-]{16,}");
    }
    expectRefused("without a token", Optional.empty());
    expectRefused("an expired token", contender.tokens().map(callers::expired));
    expectRefused("a tampered token", contender.tokens().map(callers::tampered));
  }

  /** How many requests the service has got, this one among them. */
  static long requestsAt(Running service) throws IOException, InterruptedException {
    URI uri = URI.create("http://127.0.0.1:" + service.port() + "/counted");
    HttpRequest request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(20)).build();
    String status = CLIENT.send(request, BodyHandlers.ofString()).body();
    // The third number of the line below "server accepts handled requests".
    return Long.parseLong(status.lines().skip(2).findFirst().orElseThrow().strip().split(" ")[2]);
  }

  private void awaitStart() throws IOException, InterruptedException {
    long end = System.nanoTime() + START_LIMIT.toNanos();
    String last = "nothing listens";
    while (System.nanoTime() < end && !contender.server().ended()) {
      try {
        int status = get("/check", good()).statusCode();
        if (status == 200) {
          return;
        }
        last = "it answers " + status;
      } catch (ConnectException notYet) {
        // Nothing listens yet.
      }
      Thread.sleep(50);
    }
    throw new IOException(
        contender.name() + " did not start, " + last + "\n" + contender.server().lastWords());
  }

  private Optional<String> good() {
    return contender.tokens().map(callers::good);
  }

  private void expectRefused(String what, Optional<String> token)
      throws IOException, InterruptedException {
    expect(what, "401", "" + get("/check", token).statusCode());
  }

  private void expectSeen(HttpResponse<String> answer, String field, String pattern)
      throws IOException {
    expect(
        field + " at the service",
        pattern,
        answer.headers().firstValue("X-Seen-" + field).orElse(""));
  }

  private void expect(String what, String pattern, String found) throws IOException {
    if (!found.matches(pattern)) {
      throw new IOException(
          "%s is not set up well: %s: expected %s, got '%s'"
              .formatted(contender.name(), what, pattern, found));
    }
  }

  private HttpResponse<String> get(String path, Optional<String> token)
      throws IOException, InterruptedException {
    URI uri = URI.create("http://127.0.0.1:" + contender.server().port() + contender.target(path));
    HttpRequest.Builder request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(20));
    token.ifPresent(text -> request.header("Authorization", "Bearer " + text));
    HttpResponse<String> answer =
        CLIENT.send(request.version(HttpClient.Version.HTTP_1_1).build(), BodyHandlers.ofString());
    contender.recordAnswered(1);
    return answer;
  }
}
