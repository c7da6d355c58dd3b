package bench;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;

/** A client's connection that is kept alive. It allocates nothing for a request. */
final class Connection implements AutoCloseable {
  private static final byte[] END = "\r\n\r\n".getBytes(US_ASCII);
  private static final byte[] LENGTH = "\r\ncontent-length: ".getBytes(US_ASCII);
  private static final byte[] CLOSE = "\r\nconnection: close\r\n".getBytes(US_ASCII);
  private static final int TIMEOUT_MILLIS = 20_000;

  private final int port;
  private final byte[] buffer = new byte[16 * 1024];
  private Socket socket;

  Connection(int port) throws IOException {
    this.port = port;
    this.socket = connected();
  }

  private Socket connected() throws IOException {
    Socket fresh = new Socket(InetAddress.getLoopbackAddress(), port);
    fresh.setTcpNoDelay(true);
    fresh.setSoTimeout(TIMEOUT_MILLIS);
    return fresh;
  }

  /** Sends a request, reads the whole answer, which has to be small, and tells its status. */
  int exchange(byte[] request) throws IOException {
    if (socket.isClosed()) {
      // The server has said that it closes after an answer: Tomcat does so after each hundredth.
      socket = connected();
    }
    socket.getOutputStream().write(request);
    InputStream input = socket.getInputStream();
    int read = 0;
    int body = -1;
    while (body < 0) {
      read += more(input, read);
      body = after(END, read);
    }
    int length = after(LENGTH, body);
    if (length < 0) {
      throw new IOException("an answer without Content-Length");
    }
    for (int end = body + number(length); read < end; ) {
      read += more(input, read);
    }
    if (after(CLOSE, body) > 0) {
      socket.close();
    }
    return number(9);
  }

  /** Whether the server has left it open; for a connection that waits for its next request. */
  boolean isOpen() throws IOException {
    socket.setSoTimeout(1);
    try {
      return !socket.isClosed() && socket.getInputStream().read() >= 0;
    } catch (SocketTimeoutException open) {
      return true;
    }
  }

  private int more(InputStream input, int offset) throws IOException {
    int count = input.read(buffer, offset, buffer.length - offset);
    if (count <= 0) {
      throw new EOFException("the answer ended early, or has no place");
    }
    return count;
  }

  /** Where a text in lower case ends, if the first bytes hold it in any case; else -1. */
  private int after(byte[] text, int end) {
    for (int from = 0; from + text.length <= end; from++) {
      int matched = 0;
      while (matched < text.length && lower(buffer[from + matched]) == text[matched]) {
        matched++;
      }
      if (matched == text.length) {
        return from + matched;
      }
    }
    return -1;
  }

  private static int lower(byte letter) {
    return letter >= 'A' && letter <= 'Z' ? letter + 32 : letter;
  }

  private int number(int from) {
    int number = 0;
    for (int i = from; buffer[i] >= '0' && buffer[i] <= '9'; i++) {
      number = number * 10 + buffer[i] - '0';
    }
    return number;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
