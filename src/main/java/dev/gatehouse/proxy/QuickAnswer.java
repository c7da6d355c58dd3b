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

  /** The first part of the body, and how the next one is asked for. */
  private Content.@Nullable Chunk first;

  private @Nullable Runnable next;

  /** The first part, which is all, once nobody needs the client's buffer any more. */
  private byte @Nullable [] body;

  private boolean succeeded;
  private boolean hinted;

  /** Who is told; nobody for as long as something is held. */
  private volatile @Nullable Attempt attempt;

  /** Listens to a request that was not sent yet. */
  QuickAnswer(UpstreamRequest upstreamRequest) {
    upstreamRequest.mayWaitIf(() -> false);
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
    Runnable end;
    synchronized (held) {
      if (attempt != null || hinted || head == null || !Attempt.isPlain(head)) {
        return false;
      }
      Content.Chunk all = first;
      int bytes = all == null ? 0 : all.remaining();
      long expected =
          Attempt.hasBody(head) ? head.getHeaders().getLongField(HttpHeader.CONTENT_LENGTH) : 0;
      end = next;
      if (bytes != expected || all == null || end == null) {
        return bytes == expected && succeeded;
      }
      // A short copy lets the client's buffer be used for what follows.
      byte[] copy = new byte[bytes];
      all.getByteBuffer().duplicate().get(copy);
      all.release();
      body = copy;
    }
    end.run();
    synchronized (held) {
      return succeeded;
    }
  }

  /** The answer, which is whole. */
  Response head() {
    return Objects.requireNonNull(head, "nothing has come");
  }

  /** The body of an answer that is whole; null if it has none. */
  byte @Nullable [] body() {
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

  /** Refuses it before what follows it takes its place, or its connection is used again. */
  @SuppressWarnings("FutureReturnValueIgnored") // onComplete tells.
  private void refuseIf(boolean condition, Response upstreamResponse) {
    if (condition && attempt == null) {
      upstreamResponse.abort(Attempt.noAnswer(upstreamResponse));
    }
  }

  @Override
  public void onBegin(Response upstreamResponse) {
    refuseIf(Attempt.isNoAnswer(upstreamResponse), upstreamResponse);
    tell(to -> to.onBegin(upstreamResponse));
  }

  @Override
  public void onHeaders(Response upstreamResponse) {
    synchronized (held) {
      head = upstreamResponse;
    }
    refuseIf(Attempt.announcesImpossibleBody(upstreamResponse), upstreamResponse);
    tell(to -> to.onHeaders(upstreamResponse));
  }

  @Override
  public void onContent(Response upstreamResponse, Content.Chunk chunk, Runnable wanted) {
    chunk.retain();
    synchronized (held) {
      if (attempt == null && first == null) {
        first = chunk;
        next = wanted;
      }
    }
    tell(to -> pass(to, upstreamResponse, chunk, wanted));
  }

  private void pass(Attempt to, Response upstreamResponse, Content.Chunk chunk, Runnable wanted) {
    byte[] copy = chunk == first ? body : null;
    if (copy == null) {
      to.onContent(upstreamResponse, chunk, wanted);
      chunk.release();
    } else {
      // It was taken as the whole, and the next was asked for; but the end did not come with it.
      Content.Chunk copied = Content.Chunk.from(ByteBuffer.wrap(copy), false);
      to.onContent(upstreamResponse, copied, () -> {});
      copied.release();
    }
  }

  @Override
  public void onComplete(Result result) {
    synchronized (held) {
      succeeded = result.isSucceeded();
    }
    tell(to -> to.onComplete(result));
  }
}
