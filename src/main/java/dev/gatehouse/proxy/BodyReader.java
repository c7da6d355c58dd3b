package dev.gatehouse.proxy;

import dev.gatehouse.http.TrailerFields;
import jakarta.servlet.ReadListener;
import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.http.HttpServletRequest;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import org.eclipse.jetty.client.AsyncRequestContent;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.util.IteratingCallback;
import org.jspecify.annotations.Nullable;

/**
 * Passes the body of a client request on, a buffer at a time: the next one is read when the service
 * has taken the last.
 *
 * <p>Jetty's own reader ends the body as soon as the server says that all was read. Tomcat says so
 * when all has arrived, while a part may still be in its buffer; that part would be lost. So here
 * the body ends when the stream is at its end.
 */
final class BodyReader extends IteratingCallback implements ReadListener {

  private static final int BUFFER_BYTES = 4096;

  private final byte[] buffer = new byte[BUFFER_BYTES];
  private final HttpServletRequest clientRequest;
  private final AsyncRequestContent body;
  private final Attempt attempt;
  private volatile @Nullable ServletInputStream input;
  private long count;
  private volatile boolean allArrived;
  private volatile boolean waitsForClient = true;
  private volatile boolean atTheEnd;
  private volatile @Nullable HttpFields trailers;

  BodyReader(HttpServletRequest clientRequest, AsyncRequestContent body, Attempt attempt) {
    this.clientRequest = clientRequest;
    this.body = body;
    this.attempt = attempt;
  }

  /** Begins to read. Asking for the stream makes Jetty ask a client that waits to be asked. */
  void start() {
    try {
      ServletInputStream stream = clientRequest.getInputStream();
      input = stream;
      stream.setReadListener(this);
    } catch (IOException | RuntimeException e) {
      onError(e);
    }
  }

  /** Goes on with a stream that somebody else listens to, who passes the events on. */
  void goOnWith(ServletInputStream stream) {
    input = stream;
  }

  boolean isStarted() {
    return input != null;
  }

  /** Whether it is the client's turn to go on, not the service's. */
  boolean waitsForClient() {
    return waitsForClient;
  }

  /** Whether the client has sent everything. */
  boolean isAtTheEnd() {
    return atTheEnd;
  }

  /** The fields behind the body, when it has been read; null if there are none. */
  @Nullable HttpFields trailers() {
    return trailers;
  }

  @Override
  public void onDataAvailable() {
    iterate();
  }

  @Override
  public void onAllDataRead() {
    allArrived = true;
    iterate();
  }

  @Override
  public void onError(Throwable failure) {
    attempt.clientLost("read", failure);
    body.fail(failure);
  }

  @Override
  protected Action process() throws IOException {
    ServletInputStream stream = input;
    if (stream == null || attempt.isOver()) {
      // The server may already use the request again.
      return Action.IDLE;
    }
    try {
      while (stream.isReady()) {
        int length = stream.read(buffer);
        if (length < 0) {
          return end();
        }
        if (length > 0) {
          count += length;
          waitsForClient = false;
          body.write(ByteBuffer.wrap(buffer, 0, length), this);
          return Action.SCHEDULED;
        }
      }
      if (allArrived && stream.isFinished()) {
        return end();
      }
    } catch (IOException | RuntimeException e) {
      attempt.clientLost("read", e);
      throw e;
    }
    waitsForClient = true;
    return Action.IDLE;
  }

  private Action end() throws IOException {
    if (wasReset(clientRequest) || count < clientRequest.getContentLengthLong()) {
      throw new EOFException("the client's body ended early");
    }
    waitsForClient = false;
    atTheEnd = true;
    if (clientRequest.isTrailerFieldsReady()) {
      Map<String, String> passed = TrailerFields.passed(clientRequest.getTrailerFields());
      if (!passed.isEmpty()) {
        HttpFields.Mutable fields = HttpFields.build();
        passed.forEach(fields::add);
        trailers = fields;
      }
    }
    return Action.SUCCEEDED;
  }

  /**
   * Whether the client has taken its request back. Tomcat says of an HTTP/2 stream that was reset
   * that it is at its end, as of one that is whole; but first it leaves the reason here.
   */
  static boolean wasReset(HttpServletRequest clientRequest) {
    return clientRequest.getAttribute(RequestDispatcher.ERROR_EXCEPTION) != null;
  }

  @Override
  protected void onCompleteSuccess() {
    body.close();
  }

  @Override
  protected void onFailure(Throwable cause) {
    // The service does not take the body; or process() has failed, and has said whose fault it is.
    body.fail(cause);
  }

  @Override
  public InvocationType getInvocationType() {
    return InvocationType.NON_BLOCKING;
  }
}
