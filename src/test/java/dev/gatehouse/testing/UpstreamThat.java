package dev.gatehouse.testing;

import static dev.gatehouse.testing.Upstream.Then.CLOSE;
import static dev.gatehouse.testing.Upstream.Then.KEEP;
import static dev.gatehouse.testing.Upstream.Then.RESET;
import static dev.gatehouse.testing.Upstream.Then.SILENCE;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.gatehouse.testing.Upstream.Behaviour;
import java.io.IOException;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/** The behaviours of upstreams, named by what they do wrong. */
public final class UpstreamThat {
  /** How an answer says where its body ends. */
  public enum Framing {
    /** By a {@code Content-Length}. */
    LENGTH,
    /** By chunks. */
    CHUNKED
  }

  private UpstreamThat() {}

  /** Answers 200 with method, target, header lines and body (as Base64) in JSON. */
  public static Behaviour echoes() {
    return (request, out) -> {
      Map<String, Object> echo = new LinkedHashMap<>();
      echo.put("method", request.method());
      echo.put("target", request.target());
      echo.put("headers", request.headerLines());
      echo.put("body", Base64.getEncoder().encodeToString(request.body()));
      byte[] body = Json.write(echo).getBytes(UTF_8);
      out.write(head("200 OK", "Content-Type: application/json", body.length));
      if (!request.method().equals("HEAD")) {
        out.write(body);
      }
      return KEEP;
    };
  }

  /** Answers 200 with these header lines and this body. */
  public static Behaviour answers(String headerLines, byte[] body) {
    return (request, out) -> {
      out.write(head("200 OK", headerLines, body.length));
      out.write(body);
      return KEEP;
    };
  }

  /** Answers with exactly these bytes, and keeps the connection. */
  public static Behaviour answersWith(String raw) {
    return (request, out) -> {
      out.write(raw.getBytes(ISO_8859_1));
      return KEEP;
    };
  }

  /** Takes the request and never answers. */
  public static Behaviour neverAnswers() {
    return (request, out) -> SILENCE;
  }

  /** Answers as {@code then} does, but not before the gate opens. */
  public static Behaviour answersAfter(CountDownLatch gate, Behaviour then) {
    return (request, out) -> {
      try {
        gate.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException(e);
      }
      return then.answer(request, out);
    };
  }

  /** Closes the connection in order instead of answering. */
  public static Behaviour closesBeforeAnswer() {
    return (request, out) -> CLOSE;
  }

  /** Resets the connection instead of answering. */
  public static Behaviour resets() {
    return (request, out) -> RESET;
  }

  /** Sends 200 and half of its body, then closes the connection in order. */
  public static Behaviour closesMidBody(Framing framing) {
    return breaksOff(framing, CLOSE);
  }

  /** Sends 200 and half of its body, then resets the connection. */
  public static Behaviour resetsMidBody(Framing framing) {
    return breaksOff(framing, RESET);
  }

  /** Sends what is no HTTP. */
  public static Behaviour speaksGarbage() {
    return (request, out) -> {
      out.write("220 mail.example ESMTP ready\r\n\r\n".getBytes(ISO_8859_1));
      return CLOSE;
    };
  }

  /** Sends 200 with one header line of so many bytes. */
  public static Behaviour sendsHugeHeader(int size) {
    return answers("X-Huge: " + "h".repeat(size), new byte[0]);
  }

  private static Behaviour breaksOff(Framing framing, Upstream.Then then) {
    String half = "half of it";
    String sent =
        framing == Framing.LENGTH
            ? "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + half
            : "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n" + half + "\r\n";
    return (request, out) -> {
      out.write(sent.getBytes(ISO_8859_1));
      out.flush();
      return then;
    };
  }

  private static byte[] head(String status, String headerLines, int length) {
    String lines = headerLines.isEmpty() ? "" : headerLines + "\r\n";
    return ("HTTP/1.1 " + status + "\r\n" + lines + "Content-Length: " + length + "\r\n\r\n")
        .getBytes(ISO_8859_1);
  }
}
