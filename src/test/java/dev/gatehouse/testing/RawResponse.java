package dev.gatehouse.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** A response exactly as a client received it. */
public final class RawResponse {
  private final List<String> lines;
  private final byte[] body;
  private final boolean complete;
  private final List<RawResponse> interim;
  private final List<String> trailers;

  RawResponse(List<String> lines) {
    this(lines, new byte[0], true, List.of(), List.of());
  }

  RawResponse(
      List<String> lines,
      byte[] body,
      boolean complete,
      List<RawResponse> interim,
      List<String> trailers) {
    this.lines = List.copyOf(lines);
    this.body = body;
    this.complete = complete;
    this.interim = List.copyOf(interim);
    this.trailers = List.copyOf(trailers);
  }

  List<String> lines() {
    return lines;
  }

  /** The status code. */
  public int status() {
    return Integer.parseInt(lines.get(0).split(" ", 3)[1]);
  }

  /** The header lines as received, bytes as ISO-8859-1. */
  public List<String> headerLines() {
    return lines.subList(1, lines.size());
  }

  /** The values of a header in the order of its lines. */
  public List<String> values(String name) {
    return Wire.values(headerLines(), name);
  }

  /** The bytes of the body, chunks joined. */
  public byte[] body() {
    return body.clone();
  }

  /** The body as text. */
  public String text() {
    return new String(body, UTF_8);
  }

  /** The body as JSON. */
  public JsonNode json() {
    return Json.read(text());
  }

  /** Whether the body came to the end that its framing promised. */
  public boolean complete() {
    return complete;
  }

  /** The answers of 1xx that came before it. */
  public List<RawResponse> interim() {
    return interim;
  }

  /** The trailer fields behind a chunked body. */
  public List<String> trailers() {
    return trailers;
  }

  /** The gateway's code of a refusal; empty when the answer is no problem of the gateway's. */
  public String code() {
    boolean problem =
        values("Content-Type").stream().anyMatch(t -> t.startsWith("application/problem+json"));
    return problem ? json().path("code").asText() : "";
  }

  @Override
  public String toString() {
    return lines + (complete ? " " : " broken off: ") + text();
  }
}
