package dev.gatehouse.testing;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.List;

/** A client that sends exact bytes, sees exact bytes, and may leave at any point. */
public final class RawClient implements AutoCloseable {
  private static final int PATIENCE_MILLIS = 60_000;

  private final Socket socket;
  private final InputStream in;
  private String method = "GET";

  private RawClient(Socket socket) throws IOException {
    this.socket = socket;
    this.in = new BufferedInputStream(socket.getInputStream());
  }

  /** Connects to a port of 127.0.0.1. */
  public static RawClient connect(int port) {
    try {
      Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
      socket.setSoTimeout(PATIENCE_MILLIS);
      socket.setTcpNoDelay(true);
      return new RawClient(socket);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sends a request. */
  public void send(RawRequest request) {
    method = request.method();
    send(request.bytes());
  }

  /** Sends bytes. */
  public void send(byte[] bytes) {
    try {
      socket.getOutputStream().write(bytes);
      socket.getOutputStream().flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Reads the next answer that is final, to its end or to where it breaks off. */
  public RawResponse receive() {
    try {
      List<String> head = receiveHead();
      ByteArrayOutputStream body = new ByteArrayOutputStream();
      boolean complete = readBody(new RawResponse(head, new byte[0], true), body);
      return new RawResponse(head, body.toByteArray(), complete);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Reads exactly so many bytes. */
  public byte[] receive(int length) throws IOException {
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length) {
      throw new IOException("the connection was closed after " + bytes.length + " bytes");
    }
    return bytes;
  }

  /** Reads the head of the next answer that is final, and leaves its body. */
  public List<String> receiveHead() throws IOException {
    List<String> head = Wire.readHead(in);
    while (!head.isEmpty() && head.get(0).startsWith("HTTP/1.1 1")) {
      head = Wire.readHead(in);
    }
    if (head.isEmpty()) {
      throw new IOException("the connection was closed without an answer");
    }
    return head;
  }

  private boolean readBody(RawResponse head, ByteArrayOutputStream body) {
    boolean bodiless = method.equals("HEAD") || head.status() == 204 || head.status() == 304;
    try {
      if (bodiless) {
        return true;
      }
      if (head.values("Transfer-Encoding").contains("chunked")) {
        return Wire.readChunked(in, body);
      }
      if (!head.values("Content-Length").isEmpty()) {
        return Wire.readFixed(in, Long.parseLong(head.values("Content-Length").get(0)), body);
      }
      in.transferTo(body);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** Leaves at once: the other side sees a reset. */
  public void abort() {
    try {
      socket.setSoLinger(true, 0);
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
