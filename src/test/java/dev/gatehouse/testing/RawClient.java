package dev.gatehouse.testing;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
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

  /** Sends the bytes of a request, or its first ones. */
  public void send(String ofMethod, byte[] bytes) {
    method = ofMethod;
    send(bytes);
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
      List<RawResponse> interim = new ArrayList<>();
      RawResponse head = receiveAnyHead();
      while (head.status() < 200) {
        interim.add(head);
        head = receiveAnyHead();
      }
      return rest(head, interim);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Reads the next answer, which may be of 1xx; if it is not, to its end. */
  public RawResponse receiveAny() {
    try {
      RawResponse head = receiveAnyHead();
      return head.status() < 200 ? head : rest(head, List.of());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private RawResponse rest(RawResponse head, List<RawResponse> interim) {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    List<String> trailers = new ArrayList<>();
    boolean complete = readBody(head, body, trailers);
    return new RawResponse(head.lines(), body.toByteArray(), complete, interim, trailers);
  }

  private RawResponse receiveAnyHead() throws IOException {
    List<String> head = Wire.readHead(in);
    if (head.isEmpty()) {
      throw new IOException("the connection was closed without an answer");
    }
    return new RawResponse(head);
  }

  /** Reads what comes until the other side closes the connection, in order or by a reset. */
  public byte[] receiveRest() {
    ByteArrayOutputStream rest = new ByteArrayOutputStream();
    try {
      in.transferTo(rest);
    } catch (SocketTimeoutException stillOpen) {
      throw new UncheckedIOException(stillOpen);
    } catch (IOException reset) {
      return rest.toByteArray();
    }
    return rest.toByteArray();
  }

  /** Says that nothing more will be sent; answers can still be received. */
  public void endOutput() {
    try {
      socket.shutdownOutput();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether something has come that is not read yet. */
  public boolean hasReceived() {
    try {
      return in.available() > 0;
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
    RawResponse head = receiveAnyHead();
    while (head.status() < 200) {
      head = receiveAnyHead();
    }
    return head.lines();
  }

  /** The body behind a head that was received, while it arrives. */
  public BodyStream body(List<String> head) {
    int status = Integer.parseInt(head.get(0).split(" ", 3)[1]);
    boolean bodiless = method.equals("HEAD") || status == 204 || status == 304;
    return new BodyStream(in, head.subList(1, head.size()), bodiless, true);
  }

  /** Where bytes are written that are too many for an array. */
  public OutputStream output() throws IOException {
    return socket.getOutputStream();
  }

  /** Waits at most so long for each byte from now on, instead of a minute. */
  public RawClient patience(Duration patience) throws IOException {
    socket.setSoTimeout((int) patience.toMillis());
    return this;
  }

  private boolean readBody(RawResponse head, ByteArrayOutputStream body, List<String> trailers) {
    boolean bodiless = method.equals("HEAD") || head.status() == 204 || head.status() == 304;
    try {
      if (bodiless) {
        return true;
      }
      if (head.values("Transfer-Encoding").contains("chunked")) {
        return Wire.readChunked(in, body, trailers);
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
