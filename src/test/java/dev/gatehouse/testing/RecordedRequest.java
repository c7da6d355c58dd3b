package dev.gatehouse.testing;

import java.util.List;

/** A request exactly as an upstream received it. */
public final class RecordedRequest {
  private final int connection;
  private final List<String> lines;
  private volatile byte[] body;
  private volatile List<String> trailers = List.of();
  private volatile byte[] surplus;

  RecordedRequest(int connection, List<String> lines) {
    this.connection = connection;
    this.lines = List.copyOf(lines);
  }

  void arrived(byte[] wholeBody, List<String> fieldsBehindIt) {
    trailers = List.copyOf(fieldsBehindIt);
    body = wholeBody;
  }

  void followedBy(byte[] bytes) {
    surplus = bytes;
  }

  /** The number of the connection it came by: 1 for the first that the upstream accepted. */
  public int connection() {
    return connection;
  }

  /** The method. */
  public String method() {
    return lines.get(0).substring(0, lines.get(0).indexOf(' '));
  }

  /** The request target as sent. */
  public String target() {
    String line = lines.get(0);
    return line.substring(line.indexOf(' ') + 1, line.lastIndexOf(' '));
  }

  /** The first line as sent. */
  public String requestLine() {
    return lines.get(0);
  }

  /** The header lines as sent, bytes as ISO-8859-1. */
  public List<String> headerLines() {
    return lines.subList(1, lines.size());
  }

  /** The values of a header in the order of its lines. */
  public List<String> values(String name) {
    return Wire.values(headerLines(), name);
  }

  /** Whether the whole body has arrived. */
  public boolean complete() {
    return body != null;
  }

  /** The bytes of the body, chunks joined. */
  public byte[] body() {
    if (body == null) {
      throw new IllegalStateException("the body has not arrived: " + lines);
    }
    return body.clone();
  }

  /** The trailer fields behind a chunked body. */
  public List<String> trailers() {
    return trailers;
  }

  /** What came after the answer, until the gateway closed the connection. */
  public byte[] surplus() {
    if (surplus == null) {
      throw new IllegalStateException("the connection is open, or was not left open: " + lines);
    }
    return surplus.clone();
  }

  /** Whether the gateway has closed the connection while the upstream listened. */
  public boolean left() {
    return surplus != null;
  }

  @Override
  public String toString() {
    return lines.toString();
  }
}
