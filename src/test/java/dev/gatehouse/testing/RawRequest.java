package dev.gatehouse.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A request to be sent as it is written here: nothing is checked, completed or put in order. */
public final class RawRequest {
  private static final String HOST = "gateway.example:8443";

  private final String method;
  private final String target;
  private final List<String> lines = new ArrayList<>();
  private final ByteArrayOutputStream body = new ByteArrayOutputStream();

  private RawRequest(String method, String target) {
    this.method = method;
    this.target = target;
  }

  /** A request with this method and raw target, and a {@code Host}. */
  public static RawRequest of(String method, String target) {
    return new RawRequest(method, target).line("Host: " + HOST);
  }

  /** Adds a header line as it stands; characters become bytes as ISO-8859-1. */
  public RawRequest line(String line) {
    lines.add(line);
    return this;
  }

  /** Adds a bearer token. */
  public RawRequest bearer(String token) {
    return line("Authorization: Bearer " + token);
  }

  /** Takes all lines of a header away. */
  public RawRequest without(String name) {
    String start = name.toLowerCase(Locale.ROOT) + ":";
    lines.removeIf(line -> line.toLowerCase(Locale.ROOT).startsWith(start));
    return this;
  }

  /** Adds a body with its {@code Content-Length}. */
  public RawRequest body(byte[] bytes) {
    body.writeBytes(bytes);
    return line("Content-Length: " + bytes.length);
  }

  /** Adds a body in two chunks. */
  public RawRequest chunked(byte[] bytes) {
    int half = bytes.length / 2;
    chunk(bytes, 0, half);
    chunk(bytes, half, bytes.length - half);
    body.writeBytes("0\r\n\r\n".getBytes(ISO_8859_1));
    return line("Transfer-Encoding: chunked");
  }

  private void chunk(byte[] bytes, int offset, int length) {
    if (length > 0) {
      body.writeBytes((Integer.toHexString(length) + "\r\n").getBytes(ISO_8859_1));
      body.write(bytes, offset, length);
      body.writeBytes("\r\n".getBytes(ISO_8859_1));
    }
  }

  /** The bytes, as text of ISO-8859-1, of another request line, these lines, and what follows. */
  public String text(String requestLine, String rest) {
    return requestLine + "\r\n" + String.join("\r\n", lines) + "\r\n" + rest;
  }

  String method() {
    return method;
  }

  byte[] bytes() {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes((method + " " + target + " HTTP/1.1\r\n").getBytes(ISO_8859_1));
    lines.forEach(line -> all.writeBytes((line + "\r\n").getBytes(ISO_8859_1)));
    all.writeBytes("\r\n".getBytes(ISO_8859_1));
    all.writeBytes(body.toByteArray());
    return all.toByteArray();
  }

  @Override
  public String toString() {
    return method + " " + target + " " + lines;
  }
}
