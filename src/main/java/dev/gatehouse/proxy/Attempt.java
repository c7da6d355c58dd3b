package dev.gatehouse.proxy;

import dev.gatehouse.Exchange;
import dev.gatehouse.Failure;
import dev.gatehouse.Refusal;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.eclipse.jetty.client.HttpResponseException;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.Response;
import org.eclipse.jetty.client.Result;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.CyclicTimeouts;
import org.jspecify.annotations.Nullable;

/**
 * One try at having a service answer an exchange: hears what becomes of the upstream request,
 * writes the upstream response to the client, keeps the time, and ends the exchange exactly once.
 */
final class Attempt implements Response.Listener, WriteListener, CyclicTimeouts.Expirable {

  /*
   * Threads. Until send() the container's thread is alone. Then the client's threads tell of the
   * upstream, one event after the other, and the container's threads tell of the client's connection.
   * They meet in the writing of the body, which goes round like this:
   *
   *   onContent (client's thread)   keeps the chunk, writes it, and then
   *     - the server took it:       asks the client for the next chunk
   *     - the server is busy:       PENDING, until onWritePossible (container's thread) asks
   *
   * The client tells nothing more of a response before it is asked, so only one of them acts at a
   * time; fields that both use are volatile for their visibility only. An attempt may be aborted
   * meanwhile: who ends it frees a chunk that nobody has begun to write, and leaves one that is being
   * written to the writer, or to the garbage collector. Freed too early, its buffer would be filled
   * with another response while the server still sends it.
   *
   * Time. `expires` is the earlier of the current phase's end and the total's. The timer only reads
   * it, so moving it costs one write. Whoever expires is aborted, which comes back as onComplete; if
   * that does not come, the next expiry ends the exchange without it.
   */

  /** How far an attempt has come; each phase has its own time-out. */
  enum Phase {
    CONNECTING,
    SENDING,
    WAITING,
    RECEIVING
  }

  /** Whose turn it is in the writing of the body. */
  private enum Writing {
    NOT_BEGUN,
    IDLE,
    READY,
    PENDING
  }

  /** Where a container's thread finds out that it shall break off an answer. */
  static final String BROKEN = Attempt.class.getName() + ".broken";

  private static final long GRACE_NANOS = Duration.ofSeconds(5).toNanos();

  private final ServiceProxy proxy;
  private final UpstreamClient client;
  private final Exchange exchange;
  private final AsyncContext async;
  private final HttpServletResponse clientResponse;
  private final Request upstreamRequest;
  private final Timeouts timeouts;
  private final long totalEnds;
  private final AtomicBoolean ended = new AtomicBoolean();

  private volatile Phase phase = Phase.CONNECTING;
  private volatile long expires;
  private volatile @Nullable Throwable aborted;
  private volatile @Nullable Throwable clientFailure;
  private volatile boolean quietAllowed;

  private volatile Writing writing = Writing.NOT_BEGUN;
  private final AtomicReference<Content.@Nullable Chunk> received = new AtomicReference<>();
  private volatile Content.@Nullable Chunk beingWritten;
  private volatile @Nullable Runnable demander;
  private @Nullable ServletOutputStream output;

  Attempt(
      ServiceProxy proxy,
      UpstreamClient client,
      Exchange exchange,
      AsyncContext async,
      Request upstreamRequest,
      Timeouts timeouts) {
    this.proxy = proxy;
    this.client = client;
    this.exchange = exchange;
    this.async = async;
    this.clientResponse = (HttpServletResponse) async.getResponse();
    this.upstreamRequest = upstreamRequest;
    this.timeouts = timeouts;
    this.totalEnds = timeouts.total().map(total -> System.nanoTime() + total.toNanos()).orElse(0L);
    enter(Phase.CONNECTING, Optional.of(timeouts.connect()));
  }

  /** Sends the request; everything else follows from what is told of it. */
  void send(boolean hasBody) {
    exchange.onEnd(end -> abortIfRunning());
    upstreamRequest.onRequestBegin(
        begun -> {
          if (hasBody) {
            enter(Phase.SENDING, Optional.of(timeouts.idle()));
          } else {
            enter(Phase.WAITING, Optional.of(timeouts.response()));
          }
          client.watchAgain(this);
        });
    if (hasBody) {
      upstreamRequest.onRequestContent((sending, content) -> progress());
      upstreamRequest.onRequestSuccess(
          sent -> {
            enter(Phase.WAITING, Optional.of(timeouts.response()));
            client.watchAgain(this);
          });
    }
    client.watch(this);
    upstreamRequest.send(this);
  }

  /** Tells that the client's request broke off, so that it is not taken for the service's fault. */
  void clientFailed(Throwable failure) {
    clientFailure = failure;
  }

  // What is told of the upstream response.

  @Override
  public void onBegin(Response upstreamResponse) {
    clientResponse.setStatus(upstreamResponse.getStatus());
  }

  @Override
  public void onHeaders(Response upstreamResponse) {
    String type = upstreamResponse.getHeaders().get(HttpHeader.CONTENT_TYPE);
    quietAllowed = type != null && type.regionMatches(true, 0, "text/event-stream", 0, 17);
    enter(Phase.RECEIVING, quietAllowed ? Optional.empty() : Optional.of(timeouts.idle()));
    client.watchAgain(this);
    proxy.onServerResponseHeaders(
        (HttpServletRequest) async.getRequest(), clientResponse, upstreamResponse);
  }

  @Override
  public void onContent(Response upstreamResponse, Content.Chunk chunk, Runnable next) {
    progress();
    chunk.retain();
    received.set(chunk);
    demander = next;
    boolean first = writing == Writing.NOT_BEGUN;
    writing = Writing.READY;
    try {
      if (first) {
        ServletOutputStream stream = clientResponse.getOutputStream();
        output = stream;
        // Calls onWritePossible, perhaps at once and on another thread.
        stream.setWriteListener(this);
      } else {
        onWritePossible();
      }
    } catch (IOException | RuntimeException e) {
      onError(e);
    }
  }

  @Override
  public void onComplete(Result result) {
    Throwable failure =
        result.getResponseFailure() != null ? result.getResponseFailure() : result.getFailure();
    // A service may answer before it has read the request; its whole answer then counts.
    boolean answered = result.getResponseFailure() == null && phase == Phase.RECEIVING;
    end(failure == null || (answered && clientFailure == null) ? null : failure);
  }

  // What is told of the client's connection.

  @Override
  public void onWritePossible() throws IOException {
    ServletOutputStream stream = output;
    if (stream == null) {
      return;
    }
    if (writing == Writing.READY) {
      write(stream);
      writing = Writing.PENDING;
      if (stream.isReady()) {
        next();
      }
    } else if (writing == Writing.PENDING) {
      next();
    }
  }

  private void write(ServletOutputStream stream) throws IOException {
    Content.Chunk current = received.getAndSet(null);
    if (current == null) {
      return;
    }
    beingWritten = current;
    ByteBuffer bytes = current.getByteBuffer();
    int length = bytes.remaining();
    if (bytes.hasArray()) {
      stream.write(bytes.array(), bytes.arrayOffset() + bytes.position(), length);
    } else {
      byte[] copy = new byte[length];
      bytes.duplicate().get(copy);
      stream.write(copy, 0, length);
    }
    exchange.sent(length);
  }

  private void next() {
    progress();
    // Only now: Jetty writes from the array itself until it is ready for the next one.
    releaseWritten();
    Runnable next = demander;
    demander = null;
    writing = Writing.IDLE;
    if (next != null) {
      next.run();
    }
  }

  @Override
  public void onError(Throwable failure) {
    releaseWritten();
    if (!ended.get()) {
      exchange.failed(Failure.CLIENT_GONE, "write", failure);
      abort(failure);
    }
  }

  private void releaseWritten() {
    Content.Chunk written = beingWritten;
    beingWritten = null;
    if (written != null) {
      written.release();
    }
  }

  // Time.

  /** Synchronized because the end of the request and the begin of the answer may come together. */
  private synchronized void enter(Phase next, Optional<Duration> limit) {
    if (next.compareTo(phase) < 0) {
      return;
    }
    phase = next;
    long phaseEnds = limit.map(time -> System.nanoTime() + time.toNanos()).orElse(Long.MAX_VALUE);
    expires = earlierOfTotal(phaseEnds);
  }

  private void progress() {
    if (!quietAllowed) {
      expires = earlierOfTotal(System.nanoTime() + timeouts.idle().toNanos());
    }
  }

  private long earlierOfTotal(long phaseEnds) {
    if (totalEnds == 0) {
      return phaseEnds;
    }
    return phaseEnds == Long.MAX_VALUE || totalEnds - phaseEnds < 0 ? totalEnds : phaseEnds;
  }

  @Override
  public long getExpireNanoTime() {
    return expires;
  }

  /** Called on the timer's thread when the time is up. */
  void expired() {
    Throwable before = aborted;
    expires = System.nanoTime() + GRACE_NANOS;
    if (before == null) {
      TimeoutException timeout = new TimeoutException("time-out while " + phase);
      aborted = timeout;
      client.http().getExecutor().execute(() -> abort(timeout));
    } else {
      client.http().getExecutor().execute(() -> end(before));
    }
  }

  private void abortIfRunning() {
    if (!ended.get()) {
      abort(new IOException("the exchange has ended"));
    }
  }

  /** Gives the upstream request up; onComplete tells when that is done. */
  @SuppressWarnings("FutureReturnValueIgnored")
  void abort(Throwable why) {
    upstreamRequest.abort(why);
  }

  // The end.

  private void end(@Nullable Throwable failure) {
    if (!ended.compareAndSet(false, true)) {
      return;
    }
    client.unwatch(this);
    Content.Chunk unwritten = received.getAndSet(null);
    if (unwritten != null) {
      unwritten.release();
    }
    if (failure != null) {
      Throwable timeout = aborted;
      fail(timeout == null ? failure : timeout);
      return;
    }
    try {
      async.complete();
    } catch (IllegalStateException e) {
      // The server has ended the exchange already, because it lost the client.
      exchange.failed(Failure.CLIENT_GONE, "ended_by_server", e);
      exchange.close(Failure.CLIENT_GONE.status());
    }
  }

  private void fail(Throwable cause) {
    Failure failure = clientFailure != null ? Failure.CLIENT_GONE : judge(cause, phase);
    String reason = failure.code() + "_" + phase.name().toLowerCase(Locale.ROOT);
    exchange.failed(failure, reason, cause);
    boolean canAnswer = !clientResponse.isCommitted() && writing != Writing.PENDING;
    if (canAnswer && exchange.failure() != Failure.CLIENT_GONE) {
      try {
        Refusal.send(exchange, clientResponse, failure, reason, cause);
        async.complete();
        return;
      } catch (IOException | IllegalStateException e) {
        // The client is gone, or the server is already at an answer: nothing more can be said.
        breakOff(e);
        return;
      }
    }
    breakOff(cause);
  }

  /**
   * Makes the client see that the answer is not whole. The Servlet API has no word for that: Jetty
   * takes the error -1 for it; Tomcat closes the connection when a servlet fails on its own thread.
   */
  private void breakOff(Throwable cause) {
    int status = clientResponse.getStatus();
    try {
      if (abortedByJetty()) {
        async.complete();
      } else {
        async.getRequest().setAttribute(BROKEN, cause);
        async.dispatch();
      }
    } catch (RuntimeException endedByServer) {
      exchange.failed(Failure.CLIENT_GONE, "ended_by_server", endedByServer);
    }
    // Jetty tells no listener of an answer that was broken off.
    exchange.close(status);
  }

  private boolean abortedByJetty() {
    try {
      clientResponse.sendError(-1);
      return true;
    } catch (IOException | RuntimeException otherServer) {
      return false;
    }
  }

  /** What went wrong, from what was thrown and how far the attempt had come. */
  static Failure judge(Throwable cause, Phase phase) {
    // First of all: a time-out may stand behind or be an I/O exception, which means another thing.
    for (Throwable t = cause; t != null; t = t.getCause()) {
      if (t instanceof TimeoutException || t instanceof SocketTimeoutException) {
        return Failure.UPSTREAM_TIMEOUT;
      }
    }
    for (Throwable t = cause; t != null; t = t.getCause()) {
      if (t instanceof RejectedExecutionException) {
        return Failure.SATURATED;
      } else if (t instanceof UnresolvedAddressException || t instanceof UnknownHostException) {
        return Failure.UPSTREAM_UNREACHABLE;
      } else if (t instanceof HttpException || t instanceof HttpResponseException) {
        return Failure.UPSTREAM_GARBLED;
      } else if (t instanceof IOException) {
        return phase == Phase.CONNECTING ? Failure.UPSTREAM_UNREACHABLE : Failure.UPSTREAM_RESET;
      }
    }
    return Failure.INTERNAL;
  }
}
