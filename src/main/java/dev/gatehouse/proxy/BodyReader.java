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
import java.util.concurrent.atomic.AtomicBoolean;
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
  private final boolean readElsewhere;
  private volatile @Nullable ServletInputStream input;
  private volatile @Nullable Thread serversThread;
  private int length;
  private long count;
  private volatile boolean endIsSure;
  private volatile boolean waitsForClient = true;
  private final AtomicBoolean looking = new AtomicBoolean();
  private volatile boolean atTheEnd;
  private volatile @Nullable HttpFields trailers;

  BodyReader(HttpServletRequest clientRequest, AsyncRequestContent body, Attempt attempt) {
    this.clientRequest = clientRequest;
    this.body = body;
    this.attempt = attempt;
    this.readElsewhere = attempt.isHttp1InTomcat() && clientRequest.getContentLengthLong() < 0;
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

  /** Whether no thread of the server's reads. */
  boolean isElsewhere() {
    return readElsewhere;
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
    readHere();
  }

  @Override
  public void onAllDataRead() {
    readHere();
  }

  /**
   * Reads while the server waits, who notices then if that fails. Not where a chunked body may end:
   * Tomcat handles that end at once, as an event of the connection; and while this thread holds the
   * connection's processor, it has another begin a request there, amid what follows this one.
   */
  private void readHere() {
    if (readElsewhere) {
      attempt.elsewhere(this::iterate);
      return;
    }
    serversThread = Thread.currentThread();
    try {
      iterate();
    } finally {
      serversThread = null;
    }
  }

  @Override
  public void onError(Throwable failure) {
    // Tomcat tells the reader first, also of an answer that the client does not take.
    attempt.clientLost(atTheEnd ? "write" : "read", failure);
    body.fail(failure);
  }

  @Override
  protected Action process() throws IOException {
    try {
      if (!attempt.ifOpen(this::readOn)) {
        return Action.IDLE;
      }
    } catch (IOException | RuntimeException e) {
      if (attempt.isAnsweredWhole()) {
        // Tomcat 11 reads no more then. That the service has all or nothing of the body is known
        // soon.
        return Action.IDLE;
      }
      if (Thread.currentThread() == serversThread || readElsewhere) {
        attempt.clientSeemsLostToServer("read", e);
      } else {
        attempt.clientSeemsLost("read", e);
      }
      throw e;
    }
    if (atTheEnd) {
      return Action.SUCCEEDED;
    }
    body.write(ByteBuffer.wrap(buffer, 0, length), this);
    return Action.SCHEDULED;
  }

  /** Reads, if there is something; returns whether there was, be it the end. */
  private boolean readOn() throws IOException {
    ServletInputStream stream = input;
    if (stream == null || attempt.isOver() || attempt.isStopped()) {
      return false;
    }
    waitsForClient = false;
    if (isAtTheEnd(stream)) {
      // Asked for more by a client's thread, Tomcat would take a lock under which its own threads
      // come for the attempt's.
      return endIsSure ? end() : endOrDoubt();
    }
    endIsSure = false;
    while (stream.isReady()) {
      length = stream.read(buffer);
      if (length < 0) {
        return endOrDoubt();
      }
      if (length > 0) {
        count += length;
        return true;
      }
    }
    waitsForClient = true;
    if (attempt.isHttp2InTomcat() && looking.compareAndSet(false, true)) {
      attempt.afterDoubt(this::look);
    }
    return false;
  }

  /**
   * Finds what Tomcat has not told of, over HTTP/2: of an end that comes as trailers, it does not.
   */
  private void look() {
    looking.set(false);
    ServletInputStream stream = input;
    if (stream == null || !waitsForClient || attempt.isOver()) {
      return;
    }
    boolean goOn;
    try {
      goOn = attempt.ifOpen(() -> isAtTheEnd(stream) || stream.available() > 0);
    } catch (IOException | RuntimeException e) {
      // Reading will tell.
      goOn = true;
    }
    if (goOn) {
      iterate();
    } else if (looking.compareAndSet(false, true)) {
      attempt.afterDoubt(this::look);
    }
  }

  /**
   * Looks twice: Tomcat finds out first that nothing is there, and then that nothing more comes;
   * the rest may have come in between. When nothing more comes, the second look is right.
   */
  static boolean isAtTheEnd(ServletInputStream stream) {
    if (!stream.isFinished()) {
      return false;
    }
    return stream.isFinished();
  }

  /**
   * Tomcat says of an HTTP/2 stream that was reset that it is at its end, as of one that is whole,
   * and a moment later that it was reset.
   */
  private boolean endOrDoubt() throws IOException {
    if (attempt.isHttp2InTomcat() && clientRequest.getContentLengthLong() < 0) {
      attempt.afterDoubt(
          () -> {
            endIsSure = true;
            iterate();
          });
      return false;
    }
    return end();
  }

  private boolean end() throws IOException {
    if (wasReset(clientRequest) || count < clientRequest.getContentLengthLong()) {
      throw new EOFException("the client's body ended early");
    }
    atTheEnd = true;
    if (clientRequest.isTrailerFieldsReady()) {
      Map<String, String> passed = TrailerFields.passed(clientRequest.getTrailerFields());
      if (!passed.isEmpty()) {
        HttpFields.Mutable fields = HttpFields.build();
        passed.forEach(fields::add);
        trailers = fields;
      }
    }
    return true;
  }

  /** Whether the client has taken its request back: Tomcat leaves the reason here. */
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
}
