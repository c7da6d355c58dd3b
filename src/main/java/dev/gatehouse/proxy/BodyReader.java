package dev.gatehouse.proxy;

import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.eclipse.jetty.client.AsyncRequestContent;
import org.eclipse.jetty.util.IteratingCallback;

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
  private final ServletInputStream input;
  private final AsyncRequestContent body;
  private final Attempt attempt;
  private volatile boolean allArrived;

  BodyReader(ServletInputStream input, AsyncRequestContent body, Attempt attempt) {
    this.input = input;
    this.body = body;
    this.attempt = attempt;
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
    try {
      while (input.isReady()) {
        int length = input.read(buffer);
        if (length < 0) {
          return Action.SUCCEEDED;
        }
        if (length > 0) {
          body.write(ByteBuffer.wrap(buffer, 0, length), this);
          return Action.SCHEDULED;
        }
      }
    } catch (IOException | RuntimeException e) {
      attempt.clientLost("read", e);
      throw e;
    }
    return allArrived && input.isFinished() ? Action.SUCCEEDED : Action.IDLE;
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
