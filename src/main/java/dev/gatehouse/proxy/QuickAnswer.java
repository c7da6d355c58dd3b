package dev.gatehouse.proxy;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.Queue;
import java.util.function.Consumer;
import org.eclipse.jetty.client.Response;
import org.eclipse.jetty.client.Result;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.jspecify.annotations.Nullable;

/**
 * What comes of an answer while the container's thread waits for it. Most answers are short, and
 * come as a whole within moments: such a one is passed on by the thread that has read the request,
 * without a listener, a time-out or another thread. Of any other an {@link Attempt} is told, at
 * first what has come so far.
 */
final class QuickAnswer implements Response.Listener {

  /** What an attempt will be told, in its order; guards what stands below. */
  private final Queue<Consumer<Attempt>> held = new ArrayDeque<>(8);

  private @Nullable Response head;
  private Content.@Nullable Chunk body;
  private @Nullable Runnable next;
  private boolean succeeded;

  private boolean hinted;

  /** Who is told; nobody for as long as something is held. */
  private volatile @Nullable Attempt attempt;

  /** Listens to a request that was not sent yet. */
  QuickAnswer(UpstreamRequest upstreamRequest) {
    upstreamRequest.onRequestBegin(begun -> tell(Attempt::requestBegins));
    upstreamRequest.onEarlyHints(
        fields -> {
          synchronized (held) {
            hinted = true;
          }
          tell(to -> to.earlyHints(fields));
        });
  }

  /**
   * Takes the answer if all of it has come, and if nothing need be done with it but to pass it on.
   * The service's connection is free then.
   */
  boolean isWhole() {
    synchronized (held) {
      if (attempt != null || hinted || head == null || !Attempt.isPlain(head)) {
        return false;
      }
      long length = head.getHeaders().getLongField(HttpHeader.CONTENT_LENGTH);
      Content.Chunk all = body;
      if (all != null) {
        if (all.remaining() != length || !Attempt.hasBody(head)) {
          return false;
        }
        // A short copy lets the client's buffer be used for what follows.
        byte[] copy = new byte[all.remaining()];
        all.getByteBuffer().get(copy);
        all.release();
        body = Content.Chunk.from(ByteBuffer.wrap(copy), false);
      }
    }
    end();
    synchronized (held) {
      return succeeded;
    }
  }

  private void end() {
    Runnable end = next;
    next = null;
    if (end != null) {
      end.run();
    }
  }

  /** The answer, which is whole. */
  Response head() {
    return Objects.requireNonNull(head, "nothing has come");
  }

  /** The body of an answer that is whole; null if it has none. Whoever takes it releases it. */
  Content.@Nullable Chunk body() {
    return body;
  }

  /** Tells an attempt of all that has come, and from here on of what comes. */
  void tell(Attempt all) {
    while (true) {
      Consumer<Attempt> event;
      synchronized (held) {
        event = held.poll();
        if (event == null) {
          attempt = all;
          return;
        }
      }
      event.accept(all);
    }
  }

  private void tell(Consumer<Attempt> event) {
    Attempt to = attempt;
    if (to == null) {
      synchronized (held) {
        to = attempt;
        if (to == null) {
          held.add(event);
          return;
        }
      }
    }
    event.accept(to);
  }

  @Override
  @SuppressWarnings("FutureReturnValueIgnored") // onComplete tells.
  public void onBegin(Response upstreamResponse) {
    if (attempt == null && Attempt.isNoAnswer(upstreamResponse)) {
      // Before what follows it takes its place.
      upstreamResponse.abort(Attempt.noAnswer(upstreamResponse));
    }
    tell(to -> to.onBegin(upstreamResponse));
  }

  @Override
  public void onHeaders(Response upstreamResponse) {
    synchronized (held) {
      head = upstreamResponse;
    }
    tell(to -> to.onHeaders(upstreamResponse));
  }

  @Override
  public void onContent(Response upstreamResponse, Content.Chunk chunk, Runnable wanted) {
    chunk.retain();
    if (attempt != null) {
      tell(to -> pass(to, upstreamResponse, chunk, wanted));
      return;
    }
    synchronized (held) {
      body = chunk;
      next = wanted;
    }
    tell(to -> pass(to, upstreamResponse, Objects.requireNonNull(body), this::end));
  }

  private static void pass(
      Attempt to, Response upstreamResponse, Content.Chunk chunk, Runnable wanted) {
    to.onContent(upstreamResponse, chunk, wanted);
    chunk.release();
  }

  @Override
  public void onComplete(Result result) {
    synchronized (held) {
      succeeded = result.isSucceeded();
    }
    tell(to -> to.onComplete(result));
  }
}
