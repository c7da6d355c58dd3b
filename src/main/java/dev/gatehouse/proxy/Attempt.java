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
import org.eclipse.jetty.client.Connection;
import org.eclipse.jetty.client.HttpResponseException;
import org.eclipse.jetty.client.Response;
import org.eclipse.jetty.client.Result;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpFields;
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
   * upstream, one event after the other, and the container's threads tell of the client's connection,
   * at any time. They meet in the writing of the body, whose state goes round like this, each step by
   * compareAndSet, so that whoever makes it is the only one who goes on:
   *
   *   IDLE -> READY      onContent: a chunk is there
   *   READY -> WRITING   onContent or, for the first chunk, onWritePossible: hands it to the server
   *   WRITING -> PENDING the server has it, but may still read from its array
   *   PENDING -> IDLE    the server is ready: the chunk is freed, and the next one asked for
   *
   * A chunk is freed by that last step, or by who ends an attempt before its writing has begun. If
   * neither comes it is left to the garbage collector: freed too early or twice, its buffer would be
   * filled with another response while the server still sends it.
   *
   * The server's objects. When the server has ended an exchange it uses request, response and
   * AsyncContext again, for another client. So whatever ends an answer is done under this monitor, and
   * only while the exchange is open: onEnd, which the server's thread must pass before the objects are
   * used again, takes it, too.
   *
   * Time. `expires` is the earlier of the current phase's end and the total's. The timer only reads
   * it, so moving it costs one write. Whoever expires is aborted, which comes back as onComplete; if
   * that does not come, the next expiry closes the connection and ends the exchange without it.
   */

  /** How far an attempt has come; each phase has its own time-out. */
  enum Phase {
    AWAITING_CLIENT,
    CONNECTING,
    SENDING,
    WAITING,
    RECEIVING
  }

  /** Whose turn it is in the writing of the body. */
  private enum Writing {
    IDLE,
    READY,
    WRITING,
    PENDING
  }

  /** Where a container's thread finds out that it shall break off an answer. */
  static final String BROKEN = Attempt.class.getName() + ".broken";

  private static final long GRACE_NANOS = Duration.ofSeconds(5).toNanos();

  private final ServiceProxy proxy;
  private final UpstreamClient client;
  private final Exchange exchange;
  private final AsyncContext async;
  private final HttpServletRequest clientRequest;
  private final HttpServletResponse clientResponse;
  private final UpstreamRequest upstreamRequest;
  private final Timeouts timeouts;
  private final long totalEnds;
  private final AtomicBoolean ended = new AtomicBoolean();

  private volatile Phase phase = Phase.AWAITING_CLIENT;
  private volatile long expires;
  private volatile @Nullable Throwable aborted;
  private volatile @Nullable Throwable clientFailure;
  private volatile boolean quietAllowed;

  private final AtomicReference<Writing> writing = new AtomicReference<>(Writing.IDLE);
  private final AtomicReference<Content.@Nullable Chunk> received = new AtomicReference<>();
  private volatile Content.@Nullable Chunk beingWritten;
  private volatile @Nullable Runnable demander;
  private volatile @Nullable ServletOutputStream output;

  /** The server may use its objects for another exchange. Guarded by this. */
  private boolean endedByServer;

  Attempt(
      ServiceProxy proxy,
      UpstreamClient client,
      Exchange exchange,
      AsyncContext async,
      UpstreamRequest upstreamRequest,
      Timeouts timeouts) {
    this.proxy = proxy;
    this.client = client;
    this.exchange = exchange;
    this.async = async;
    this.clientRequest = (HttpServletRequest) async.getRequest();
    this.clientResponse = (HttpServletResponse) async.getResponse();
    this.upstreamRequest = upstreamRequest;
    this.timeouts = timeouts;
    this.totalEnds = timeouts.total().map(total -> System.nanoTime() + total.toNanos()).orElse(0L);
    exchange.onEnd(end -> exchangeEnded());
  }

  /** Keeps the time until the client has said whether a body follows. */
  void awaitClient() {
    enter(Phase.AWAITING_CLIENT, Optional.of(timeouts.idle()));
    client.watch(this);
  }

  /** Sends the request; everything else follows from what is told of it. */
  void send(boolean hasBody) {
    enter(Phase.CONNECTING, Optional.of(timeouts.connect()));
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
    int status = upstreamResponse.getStatus();
    if (status < 200) {
      // 101 would end HTTP on the connection, and nobody has asked for that.
      abort(new HttpResponseException("not an answer: " + status, upstreamResponse));
    } else {
      clientResponse.setStatus(status);
    }
  }

  @Override
  public void onHeaders(Response upstreamResponse) {
    HttpFields fields = upstreamResponse.getHeaders();
    if (upstreamResponse.getStatus() < 200 || announcesImpossibleBody(upstreamResponse)) {
      abort(new HttpResponseException("a body where none can be", upstreamResponse));
      return;
    }
    String type = fields.get(HttpHeader.CONTENT_TYPE);
    quietAllowed = type != null && type.regionMatches(true, 0, "text/event-stream", 0, 17);
    enter(Phase.RECEIVING, quietAllowed ? Optional.empty() : Optional.of(timeouts.idle()));
    client.watchAgain(this);
    proxy.onServerResponseHeaders(clientRequest, clientResponse, upstreamResponse);
  }

  /** Its body would be taken for the next answer on the connection (RFC 9112 section 6.3). */
  private static boolean announcesImpossibleBody(Response upstreamResponse) {
    HttpFields fields = upstreamResponse.getHeaders();
    return upstreamResponse.getStatus() == 204
        && (fields.getLongField(HttpHeader.CONTENT_LENGTH) > 0
            || fields.contains(HttpHeader.TRANSFER_ENCODING));
  }

  @Override
  public void onContent(Response upstreamResponse, Content.Chunk chunk, Runnable next) {
    progress();
    chunk.retain();
    demander = next;
    received.set(chunk);
    writing.set(Writing.READY);
    try {
      if (output == null) {
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
  public void onSuccess(Response upstreamResponse) {
    // A service that answers without having asked for the body does not want it.
    client.expectNoMore(upstreamRequest);
  }

  @Override
  public void onComplete(Result result) {
    Throwable failure =
        result.getResponseFailure() != null ? result.getResponseFailure() : result.getFailure();
    // A service may answer before it has read the request; its whole answer then counts.
    boolean answered = result.getResponseFailure() == null && phase == Phase.RECEIVING;
    end(answered ? null : failure);
  }

  // What is told of the client's connection.

  @Override
  public void onWritePossible() throws IOException {
    ServletOutputStream stream = output;
    if (stream == null) {
      return;
    }
    if (writing.compareAndSet(Writing.READY, Writing.WRITING)) {
      write(stream);
      writing.set(Writing.PENDING);
      if (stream.isReady()) {
        written();
      }
    } else {
      written();
    }
  }

  private void write(ServletOutputStream stream) throws IOException {
    Content.Chunk chunk = received.getAndSet(null);
    if (chunk == null) {
      return;
    }
    beingWritten = chunk;
    ByteBuffer bytes = chunk.getByteBuffer();
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

  private void written() {
    if (!writing.compareAndSet(Writing.PENDING, Writing.IDLE)) {
      return;
    }
    Content.Chunk chunk = beingWritten;
    beingWritten = null;
    if (chunk != null) {
      chunk.release();
    }
    Runnable next = demander;
    demander = null;
    if (next != null && !ended.get()) {
      progress();
      next.run();
    }
  }

  @Override
  public void onError(Throwable failure) {
    clientLost("write", failure);
  }

  /**
   * Ends the exchange here and now, because the connection to the client is lost. When a listener's
   * onError returns, Tomcat uses its objects again, and tells nothing more.
   */
  void clientLost(String where, Throwable failure) {
    exchange.failed(Failure.CLIENT_GONE, where, failure);
    synchronized (this) {
      if (!endedByServer && ended.compareAndSet(false, true)) {
        try {
          mustBeOurs();
          async.complete();
        } catch (RuntimeException takenBack) {
          // The server has done so already.
        }
      }
      endedByServer = true;
    }
    forget();
    exchange.close(Failure.CLIENT_GONE.status());
    abort(failure);
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
      client.http().getExecutor().execute(() -> giveUp(timeout));
    } else {
      client.http().getExecutor().execute(() -> endWithoutCompletion(before));
    }
  }

  private void giveUp(TimeoutException timeout) {
    if (phase == Phase.AWAITING_CLIENT) {
      clientFailed(timeout);
      end(timeout);
    }
    abort(timeout);
  }

  /** Lets no connection stay behind of which nobody will tell anything any more. */
  private void endWithoutCompletion(Throwable timeout) {
    Connection connection = upstreamRequest.getConnection();
    if (connection != null) {
      connection.close();
    }
    end(timeout);
  }

  private void exchangeEnded() {
    synchronized (this) {
      endedByServer = true;
    }
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
    forget();
    if (!ended.compareAndSet(false, true)) {
      return;
    }
    boolean brokenOff = false;
    int status = Failure.CLIENT_GONE.status();
    synchronized (this) {
      if (endedByServer) {
        return;
      }
      try {
        mustBeOurs();
        status = clientResponse.getStatus();
        if (failure == null) {
          async.complete();
        } else {
          Throwable timeout = aborted;
          brokenOff = fail(timeout == null ? failure : timeout);
        }
      } catch (RuntimeException lost) {
        // The server has lost the client, and has taken its objects back without a word.
        exchange.failed(Failure.CLIENT_GONE, "ended_by_server", lost);
        brokenOff = true;
      }
    }
    if (brokenOff) {
      // Jetty tells no listener of an answer that was broken off.
      exchange.close(status);
    }
  }

  /**
   * Makes sure that the server has not begun another exchange with this AsyncContext. When a flush
   * fails while Tomcat tells whether it is ready, it takes everything back without telling anybody.
   */
  @SuppressWarnings("ReferenceEquality") // The object itself is the point.
  private void mustBeOurs() {
    if (async.getRequest() != clientRequest) {
      throw new IllegalStateException("the server has taken its objects back");
    }
  }

  private void forget() {
    client.unwatch(this);
    Content.Chunk unwritten = received.getAndSet(null);
    if (unwritten != null) {
      unwritten.release();
    }
  }

  /**
   * Answers for the service; returns true if it was too late for that, and the answer is broken.
   */
  private boolean fail(Throwable cause) {
    Failure failure = whoFailed(cause);
    String reason = failure.code() + "_" + phase.name().toLowerCase(Locale.ROOT);
    exchange.failed(failure, reason, cause);
    boolean canAnswer = !clientResponse.isCommitted() && writing.get() != Writing.PENDING;
    if (canAnswer) {
      try {
        // 499 is for the log only; a client that is there all the same gets an error, too.
        Failure told = failure == Failure.CLIENT_GONE ? Failure.INTERNAL : failure;
        Refusal.send(exchange, clientResponse, told, reason, cause);
        async.complete();
        return false;
      } catch (IOException | IllegalStateException nothingMoreCanBeSaid) {
        breakOff(nothingMoreCanBeSaid);
        return true;
      }
    }
    breakOff(cause);
    return true;
  }

  private Failure whoFailed(Throwable cause) {
    if (clientFailure != null) {
      return Failure.CLIENT_GONE;
    }
    Failure failure = judge(cause, phase);
    if (failure == Failure.UPSTREAM_TIMEOUT && writing.get() == Writing.PENDING) {
      // It is the client that does not take what the service has sent.
      return Failure.CLIENT_GONE;
    }
    if (failure == Failure.UPSTREAM_TIMEOUT
        && phase == Phase.CONNECTING
        && client.isSaturated(upstreamRequest)) {
      return Failure.SATURATED;
    }
    return failure;
  }

  /**
   * Makes the client see that the answer is not whole. The Servlet API has no word for that: Jetty
   * takes the error -1 for it; Tomcat closes the connection when a servlet fails on its own thread.
   */
  private void breakOff(Throwable cause) {
    if (!clientResponse.isCommitted()) {
      clientResponse.setStatus(Failure.INTERNAL.status());
      async.complete();
    } else if (!abortedByJetty()) {
      clientRequest.setAttribute(BROKEN, cause);
      async.dispatch();
    }
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
