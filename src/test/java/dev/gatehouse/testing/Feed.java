package dev.gatehouse.testing;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Has an upstream answer one request piece by piece, when the test says so. */
public final class Feed implements Upstream.Behaviour, AutoCloseable {
  private final CompletableFuture<OutputStream> opened = new CompletableFuture<>();
  private boolean chunked;

  @Override
  public Upstream.Then answer(RecordedRequest request, OutputStream out) throws IOException {
    opened.complete(out);
    return Upstream.Then.SILENCE;
  }

  /** Waits for the request, and sends 200 with these header lines. */
  public void sendHead(String headerLines) throws IOException {
    chunked = headerLines.contains("Transfer-Encoding: chunked");
    // The connection is for this answer alone: nobody would read another request.
    write("HTTP/1.1 200 OK\r\nConnection: close\r\n" + headerLines + "\r\n\r\n");
    out().flush();
  }

  /** Sends a piece of the body, as one chunk if it is chunked. */
  public void send(byte[] piece) throws IOException {
    if (chunked) {
      write(Integer.toHexString(piece.length) + "\r\n");
    }
    out().write(piece);
    if (chunked) {
      write("\r\n");
    }
    out().flush();
  }

  /** Sends a piece of the body. */
  public void send(String piece) throws IOException {
    send(piece.getBytes(US_ASCII));
  }

  /** Ends a chunked body. */
  public void end() throws IOException {
    write("0\r\n\r\n");
    out().flush();
  }

  /** Closes the connection, if the request has come: a quiet stream would never end. */
  @Override
  public void close() throws IOException {
    if (opened.isDone()) {
      out().close();
    }
  }

  private void write(String text) throws IOException {
    out().write(text.getBytes(US_ASCII));
  }

  private OutputStream out() throws IOException {
    try {
      return opened.get(30, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    } catch (ExecutionException | TimeoutException noRequest) {
      throw new IOException("no request has arrived", noRequest);
    }
  }
}
