package dev.gatehouse.proxy;

import dev.gatehouse.Exchange;
import dev.gatehouse.Failure;
import dev.gatehouse.Refusal;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.RequestDispatcher;
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
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import javax.net.ssl.SSLHandshakeException;
import org.eclipse.jetty.client.Connection;
import org.eclipse.jetty.client.HttpResponseException;
import org.eclipse.jetty.client.Response;
import org.eclipse.jetty.client.Result;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.CyclicTimeouts;
import org.eclipse.jetty.util.thread.SerializedExecutor;
import org.jspecify.annotations.Nullable;

/**
 * One try at having a service answer an exchange: hears what becomes of the upstream request, has
 * the upstream response written to the client, keeps the time, and ends the exchange exactly once.
 */
final class Attempt implements Response.Listener, CyclicTimeouts.Expirable {

  /*
   * Threads. Until send() the container's thread is alone. Then the client's threads tell of the
   * upstream, one event after the other, and the container's threads tell of the client's connection,
   * at any time. They meet in the writing of the body: see BodyWriter.
   *
   * The server's objects. When the server has ended an exchange it uses request, response, streams and
   * AsyncContext again, for another client, perhaps while a call on them is under way. So whatever reads
   * from the client, writes to it or ends an answer is done by ifOpen(), under `lock`, and only while
   * the exchange is open: onEnd, which the server's thread must pass before the objects are used again,
   * takes it, too. Nothing that is done there waits for anybody, but the refusal of a body that cannot be
   * read. Tomcat's threads come with a lock of the connection; what takes that lock (setting a listener)
   * is done outside. One thing cannot be: the read that finds the end of a chunked body takes it. So
   * where a body is read like that, Tomcat's threads leave writing to the client's, and wait for `lock`
   * no longer than lockInTime() does. Over HTTP/2, Tomcat writes while the thread waits: such writes are
   * left to Tomcat's own threads, and the last one to a dispatch, where no listener is set any more (see
   * complete()).
   *
   * Time. `expires` is the earlier of the current phase's end and the total's. The timer only reads
   * it, so moving it costs one write. Whoever expires is aborted, which comes back as onComplete; if
   * that does not come, the next expiry closes the connection and ends the exchange without it.
   *
   * Sending again. A service may close a pooled connection in the moment in which it is used. A
   * request that may be repeated is then sent once more, on a connection of its own. Whoever aborts
   * first says so (ended, aborted), then takes the request; sendAgain() puts the new request in its
   * place first, then looks: one of the two sees the other.
   */

  /** How far an attempt has come; each phase has its own time-out. */
  enum Phase {
    AWAITING_CLIENT,
    CONNECTING,
    SENDING,
    WAITING,
    RECEIVING
  }

  /** Where a container's thread finds out that it shall break off an answer. */
  static final String BROKEN = Attempt.class.getName() + ".broken";

  /** Where a container's thread finds the end of the answer's body that it shall write. */
  static final String LAST = Attempt.class.getName() + ".last";

  /** What a service may be asked twice without harm (RFC 9110 section 9.2.2). */
  private static final Set<String> REPEATABLE = Set.of("GET", "HEAD", "OPTIONS", "PUT", "DELETE");

  private static final byte[] NOTHING = {};
  private static final int LARGE_HEAD = 4 * 1024;

  /** What a selector's thread passes on of an answer before it leaves the rest to the pool. */
  private static final int LONG_ANSWER_BYTES = 64 * 1024;

  private static final int LONG_ANSWER_PARTS = 64;
  private static final int MOST_HINTS = 8;

  private static final int LAST_LOOK_MILLIS = 100;
  private static final int DOUBT_MILLIS = 100;
  private static final int VAIN_WAIT_MILLIS = 1_000;

  /** What Jetty's parser says of a head that breaks off. */
  private static final String EARLY_END = "Early EOF";

  /** What Jetty's client says of a head that it cannot send. */
  private static final String TOO_LARGE = "Request headers too large";

  private static final long GRACE_NANOS = Duration.ofSeconds(5).toNanos();
  private static final long LAST_BYTES_NANOS = Duration.ofSeconds(1).toNanos();

  private final ServiceProxy proxy;
  private final UpstreamClient client;
  private final Exchange exchange;
  private final AsyncContext async;
  private final HttpServletRequest clientRequest;
  private final HttpServletResponse clientResponse;
  private final BodyWriter writer;
  private final Timeouts timeouts;
  private final boolean http2InTomcat;
  private final long totalEnds;
  private final AtomicBoolean ended = new AtomicBoolean();

  /** Held while the server's objects are touched, and while an exchange is ended. */
  private final ReentrantLock lock = new ReentrantLock();

  /** Held while a phase begins or the time is found to be up; never while anything else is done. */
  private final Object clock = new Object();

  private volatile Phase phase = Phase.AWAITING_CLIENT;
  private volatile long expires;
  private volatile @Nullable Throwable aborted;
  private volatile @Nullable Throwable unsendable;
  private volatile @Nullable BodyReader reader;
  private volatile boolean bodyIsLate;
  private volatile boolean quietAllowed;
  private volatile @Nullable Duration heartbeat;

  private volatile UpstreamRequest upstreamRequest;
  private volatile boolean connectionReused;
  private volatile boolean requestSent;
  private volatile boolean answering;
  private volatile int answerStatus;
  private volatile boolean allReceived;
  private volatile boolean sentAgain;
  private volatile boolean stopped;
  private volatile boolean answerIsLong;
  private final AtomicInteger hintsWaiting = new AtomicInteger();

  /** Told one after the other. */
  private int parts;

  /** Takes the events that follow on hints, while a thread of the pool relays these. */
  private volatile @Nullable SerializedExecutor afterHints;

  /** Sends an answer of our own, outside of the lock; for who has put it there. */
  private @Nullable Runnable afterwards;

  /** An answer of our own is on its way. Guarded by lock. */
  private boolean refusing;

  /** The client is lost, and the server is left to end the exchange. Written under lock. */
  private volatile boolean lost;

  /** Until when the server may tell of a loss that it has recorded. Guarded by lock. */
  private long serverTellsUntil;

  /** The server may use its objects for another exchange. Written under lock. */
  private volatile boolean endedByServer;

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
    this.writer = new BodyWriter(this, exchange, clientResponse);
    this.upstreamRequest = upstreamRequest;
    this.timeouts = timeouts;
    this.http2InTomcat = proxy.isInTomcat() && isHttp2();
    this.totalEnds = timeouts.total().map(total -> System.nanoTime() + total.toNanos()).orElse(0L);
    exchange.onEnd(end -> exchangeEnded());
    exchange.onStop(this::stop);
  }

  /** Keeps the time until the client has said whether a body follows. */
  void awaitClient() {
    enter(Phase.AWAITING_CLIENT, Optional.of(timeouts.idle()));
    client.watch(this);
  }

  /**
   * Sends the request; everything else follows from what is told of it.
   *
   * @param body what reads the client's body; null if it has none
   */
  void send(@Nullable BodyReader body) {
    reader = body;
    enter(Phase.CONNECTING, Optional.of(timeouts.connect()));
    listenTo(upstreamRequest);
    client.watch(this);
    client.send(upstreamRequest, this);
  }

  /**
   * Goes on with a request without a body that was sent, for whose answer nobody waits any more.
   */
  void goOn(QuickAnswer answer) {
    enter(Phase.CONNECTING, Optional.of(timeouts.connect()));
    upstreamRequest.mayWaitIf(this::mayWait);
    client.watch(this);
    answer.tell(this);
  }

  private void listenTo(UpstreamRequest request) {
    boolean hasBody = reader != null;
    request.onEarlyHints(this::earlyHints);
    request.mayWaitIf(this::mayWait);
    request.onRequestBegin(begun -> requestBegins());
    if (hasBody) {
      request.onRequestContent((sending, content) -> progress());
      request.onRequestSuccess(
          sent -> {
            requestSent = true;
            enter(Phase.WAITING, Optional.of(timeouts.response()));
            client.watchAgain(this);
          });
    }
  }

  void requestBegins() {
    connected();
    client.watchAgain(this);
  }

  private void connected() {
    connectionReused = UpstreamClient.isReused(upstreamRequest.getConnection());
    if (reader != null) {
      enter(Phase.SENDING, Optional.of(timeouts.idle()));
    } else {
      enter(Phase.WAITING, Optional.of(timeouts.response()));
    }
  }

  // What is told of the upstream response.

  /**
   * Whether to hear of the answer may mean to wait: for the client's window, or for a thread that
   * reads a body; or to be busy for as long as the service sends and the client reads.
   */
  private boolean mayWait() {
    return reader != null || answerIsLong || http2InTomcat || afterHints != null;
  }

  /** Relays what a service says ahead of its answer (RFC 8297), which may wait for the client. */
  void earlyHints(HttpFields fields) {
    answering = true;
    BodyReader body = reader;
    if (body != null && !body.isStarted()) {
      // The client waits for a 100 first; Jetty would add that it closes the connection.
      return;
    }
    if (!proxy.relaysEarlyHints() || hintsWaiting.get() >= MOST_HINTS) {
      // A service can send them faster than any client reads.
      return;
    }
    hintsWaiting.incrementAndGet();
    SerializedExecutor turn = afterHints;
    if (turn == null) {
      turn = new SerializedExecutor(this::elsewhere);
      afterHints = turn;
    }
    turn.execute(() -> relay(fields));
  }

  private void relay(HttpFields fields) {
    try {
      ifOpen(
          () -> {
            if (!ended.get()) {
              proxy.onEarlyHints(clientRequest, clientResponse, fields);
            }
            return true;
          });
    } finally {
      hintsWaiting.decrementAndGet();
    }
  }

  /** Leaves an event to a thread of the pool that relays hints; returns whether it has. */
  private boolean isLeftToRelay(Runnable event) {
    SerializedExecutor turn = afterHints;
    if (turn != null) {
      turn.execute(event);
    }
    return turn != null;
  }

  @Override
  public void onBegin(Response upstreamResponse) {
    if (!isLeftToRelay(() -> begun(upstreamResponse))) {
      begun(upstreamResponse);
    }
  }

  private void begun(Response upstreamResponse) {
    answering = true;
    Throwable late = aborted;
    int status = upstreamResponse.getStatus();
    if (late != null) {
      abort(late);
    } else if (isNoAnswer(upstreamResponse)) {
      abort(noAnswer(upstreamResponse));
    } else {
      ifOpen(
          () -> {
            answerStatus = status;
            clientResponse.setStatus(status);
            return true;
          });
    }
  }

  /** 101 would end HTTP on the connection, and nobody has asked for that. */
  static boolean isNoAnswer(Response upstreamResponse) {
    return upstreamResponse.getStatus() < 200 || upstreamResponse.getVersion().getVersion() > 11;
  }

  static Exception noAnswer(Response upstreamResponse) {
    return new HttpResponseException(
        "not an answer: " + upstreamResponse.getStatus(), upstreamResponse);
  }

  @Override
  public void onHeaders(Response upstreamResponse) {
    if (!isLeftToRelay(() -> headersCame(upstreamResponse))) {
      headersCame(upstreamResponse);
    }
  }

  private void headersCame(Response upstreamResponse) {
    HttpFields fields = upstreamResponse.getHeaders();
    if (upstreamResponse.getStatus() < 200 || announcesImpossibleBody(upstreamResponse)) {
      abort(new HttpResponseException("a body where none, or no such, can be", upstreamResponse));
      return;
    }
    if (!enter(Phase.RECEIVING, Optional.of(timeouts.idle()))) {
      // Its head would be broken off at once.
      abort(new TimeoutException("the answer came late"));
      return;
    }
    boolean hasBody = hasBody(upstreamResponse);
    Delivery delivery = Delivery.of(fields, hasBody);
    quietAllowed = delivery.mayBeQuiet();
    heartbeat = delivery.takesHeartbeats() ? timeouts.heartbeat().orElse(null) : null;
    if (hasBody) {
      writer.announce(fields.getLongField(HttpHeader.CONTENT_LENGTH));
    }
    progress();
    client.watchAgain(this);
    ifOpen(
        () -> {
          proxy.onServerResponseHeaders(clientRequest, clientResponse, upstreamResponse);
          if (hasBody && fields.contains(HttpHeader.TRANSFER_ENCODING)) {
            proxy.passTrailers(clientRequest, clientResponse, upstreamResponse);
          }
          if (hasBody && takesPortions()) {
            writer.inPortions();
          }
          return true;
        });
    if (delivery.inParts()) {
      writer.flushEachPart();
    } else if (mustBeFlushed(fields, hasBody) && !isHeadInTomcatsHttp2()) {
      writer.flushHead();
    }
  }

  /** Tomcat's connector for AJP would wait in a flush. */
  private boolean takesPortions() {
    return isHttp1InTomcat()
        && isUnderWay()
        && !clientResponse.isCommitted()
        && !clientRequest.getServletConnection().getProtocol().equals("ajp");
  }

  private boolean isHttp2() {
    return exchange.protocol().startsWith("HTTP/2");
  }

  private boolean isHeadInTomcatsHttp2() {
    return http2InTomcat && exchange.method().equals("HEAD");
  }

  /**
   * Whether the head must go before a server can see the whole answer. Jetty would say that a
   * bodiless answer to HEAD has a body of length 0; and Tomcat says only now that it cannot send a
   * head this large, later it would just close the connection.
   */
  static boolean mustBeFlushed(HttpFields fields, boolean hasBody) {
    return (!hasBody && !fields.contains(HttpHeader.CONTENT_LENGTH)) || isLarge(fields);
  }

  private static boolean isLarge(HttpFields fields) {
    int characters = 0;
    for (HttpField field : fields) {
      String value = field.getValue();
      characters += field.getName().length() + (value == null ? 0 : value.length()) + 4;
    }
    return characters > LARGE_HEAD;
  }

  static boolean hasBody(Response upstreamResponse) {
    int status = upstreamResponse.getStatus();
    return !upstreamResponse.getRequest().getMethod().equals("HEAD")
        && status != 204
        && status != 205
        && status != 304;
  }

  /** Whether there is nothing about an answer, once it is whole, but to pass it on. */
  static boolean isPlain(Response upstreamResponse) {
    HttpFields fields = upstreamResponse.getHeaders();
    return !isNoAnswer(upstreamResponse)
        && !fields.contains(HttpHeader.TRANSFER_ENCODING)
        && !announcesImpossibleBody(upstreamResponse)
        && !isLarge(fields);
  }

  /**
   * Its body would be taken for the next answer on the connection (RFC 9112 section 6.3), or for
   * something else than it is: Jetty's client undoes no transfer coding but chunked.
   */
  static boolean announcesImpossibleBody(Response upstreamResponse) {
    HttpFields fields = upstreamResponse.getHeaders();
    String coding = fields.get(HttpHeader.TRANSFER_ENCODING);
    return (coding != null && !coding.equalsIgnoreCase("chunked"))
        || (upstreamResponse.getStatus() == 204
            && (fields.getLongField(HttpHeader.CONTENT_LENGTH) > 0 || coding != null));
  }

  @Override
  public void onContent(Response upstreamResponse, Content.Chunk chunk, Runnable next) {
    chunk.retain();
    if (!isLeftToRelay(() -> contentCame(chunk, next))) {
      contentCame(chunk, next);
    }
  }

  private void contentCame(Content.Chunk chunk, Runnable next) {
    progress();
    boolean isLong = exchange.bytesSent() >= LONG_ANSWER_BYTES || ++parts > LONG_ANSWER_PARTS;
    if (isLong && !answerIsLong) {
      answerIsLong = true;
      writer.write(chunk, () -> elsewhere(next));
    } else {
      writer.write(chunk, next);
    }
    chunk.release();
  }

  @Override
  public void onSuccess(Response upstreamResponse) {
    if (!isLeftToRelay(this::answerCame)) {
      answerCame();
    }
  }

  private void answerCame() {
    BodyReader body = reader;
    if (body == null || requestSent) {
      return;
    }
    if (body.isAtTheEnd()) {
      // The last bytes of the request are on their way, but no service must take them.
      heartbeat = null;
      expireAfter(LAST_BYTES_NANOS);
      client.watchAgain(this);
    } else {
      // A service that answers before it has the whole body does not want the rest.
      abort(new IOException("answered without the whole body"));
    }
  }

  @Override
  public void onComplete(Result result) {
    if (!isLeftToRelay(() -> completed(result))) {
      completed(result);
    }
  }

  private void completed(Result result) {
    // A service may answer before it has read the request; its whole answer then counts.
    boolean answered = result.getResponseFailure() == null && phase == Phase.RECEIVING;
    Throwable failure =
        result.getResponseFailure() != null ? result.getResponseFailure() : result.getFailure();
    if (phase == Phase.CONNECTING && UpstreamClient.isReused(upstreamRequest.getConnection())) {
      // A pooled connection has ended before the request could begin.
      connected();
    }
    if (answered) {
      allReceived = true;
      finish();
    } else if (failure != null && mayBeSentAgain(failure)) {
      sendAgain();
    } else {
      end(failure == null ? new IOException("what has come is no answer") : failure);
    }
  }

  /** Ends the exchange when the client has taken all that was received. */
  private void finish() {
    Throwable refused = unsendable;
    if (refused != null) {
      end(refused);
      return;
    }
    if (quietAllowed) {
      // From here on it is the client who must not be quiet.
      quietAllowed = false;
      heartbeat = null;
      progress();
      client.watchAgain(this);
    }
    if (http2InTomcat && exchange.bytesSent() > 0) {
      // What it holds when an answer is ended, Tomcat 11 forgets if the client's window is full.
      writer.flush();
    }
    writer.thenDo(() -> end(null));
  }

  // Sending again.

  private boolean mayBeSentAgain(Throwable failure) {
    return connectionReused
        && !answering
        && !sentAgain
        && reader == null
        && aborted == null
        && !ended.get()
        && !isStopping()
        && REPEATABLE.contains(exchange.method())
        && judge(failure, phase) == Failure.UPSTREAM_RESET;
  }

  private void sendAgain() {
    sentAgain = true;
    proxy.onSentAgain();
    UpstreamRequest again = upstreamRequest.again();
    listenTo(again);
    synchronized (clock) {
      phase = Phase.CONNECTING;
      expires = earlierOfTotal(System.nanoTime() + timeouts.connect().toNanos());
      upstreamRequest = again;
    }
    client.watchAgain(this);
    client.connect(again, this::sendOn, this::end);
  }

  private void sendOn(Connection connection) {
    if (ended.get() || aborted != null) {
      connection.close();
      end(new IOException("given up before it was sent again"));
    } else {
      connection.send(upstreamRequest, this);
      if (ended.get() || aborted != null) {
        // It was given up just before: an abort ahead of the sending does nothing.
        connection.close();
      }
    }
  }

  // What is told of the client's connection.

  /** The server does not take the answer: the client is gone, or the answer cannot be sent. */
  void cannotWrite(Exception failure) {
    if (failure instanceof RuntimeException && !ended.get() && !isCommitted()) {
      unsendable = failure;
      // Here, because it may be Tomcat's own thread, which closes the connection when it returns.
      end(failure);
      if (!allReceived) {
        abort(failure);
      }
    } else {
      clientSeemsLost("write", failure);
    }
  }

  /** Who has sent nothing more, or nonsense, must not take the end for success. */
  private void refuseWhoIsThere(boolean stalled, Throwable failure) {
    writer.holdBack(NOTHING);
    try {
      if (stalled) {
        Refusal.send(exchange, clientResponse, Failure.CLIENT_TIMEOUT, "read", failure);
      } else {
        Refusal.sendBare(exchange, clientResponse, HttpStatus.BAD_REQUEST_400);
      }
      if (stalled || (proxy.isInTomcat() && !isHttp2())) {
        // Tomcat closes the connection when this returns, and keeps what it holds.
        clientResponse.flushBuffer();
      }
    } catch (IOException | RuntimeException gone) {
      // As was to be expected.
    }
  }

  private boolean isCommitted() {
    try {
      return clientResponse.isCommitted();
    } catch (RuntimeException takenBack) {
      return true;
    }
  }

  /**
   * Ends the exchange, because a call of ours has found the connection to the client lost. Tomcat
   * is given time to tell of it first (see leftToServer), which it does not of every loss.
   */
  void clientSeemsLost(String where, Throwable failure) {
    if (http2InTomcat && !isStopping()) {
      clientSeemsLostToServer(where, failure);
    } else {
      clientLost(where, failure);
    }
  }

  /**
   * The same where the server is about to find out, too. Until it has told of it, Tomcat takes no
   * answer to a request whose body it could not read.
   */
  void clientSeemsLostToServer(String where, Throwable failure) {
    if (!proxy.isInTomcat() || isStopping()) {
      clientLost(where, failure);
      return;
    }
    exchange.failed(whoIsLost(where, failure), where, failure);
    lock.lock();
    try {
      if ((ended.compareAndSet(false, true) || refusing) && !endedByServer) {
        leaveToServer();
      }
    } finally {
      lock.unlock();
    }
    abort(failure);
  }

  /**
   * Leaves the exchange to the server if that has recorded a loss of the client; returns whether it
   * was left. Over HTTP/2, Tomcat records a reset and tells of it on a thread of its own; what is
   * flushed or completed in that very moment fails in a way that closes the connection and spoils
   * the server's objects for their next user, who gets an empty 500. For the lock's holder.
   */
  private boolean leftToServer() {
    if (!lost && isLossRecorded()) {
      leaveToServer();
    }
    return lost;
  }

  private boolean isLossRecorded() {
    if (!http2InTomcat || isStopping()) {
      return false;
    }
    try {
      mustBeOurs();
      return BodyReader.wasReset(clientRequest);
    } catch (RuntimeException takenBack) {
      return false;
    }
  }

  private void leaveToServer() {
    lost = true;
    serverTellsUntil = System.nanoTime() + GRACE_NANOS;
    expires = serverTellsUntil;
    client.watch(this);
    client.later(DOUBT_MILLIS, this::endLost);
  }

  /** Ends an exchange of whose loss the server tells nothing. */
  private void endLost() {
    lock.lock();
    try {
      if (!lost || endedByServer) {
        return;
      }
      if (isLossRecorded() && serverTellsUntil - System.nanoTime() > 0) {
        client.later(DOUBT_MILLIS, this::endLost);
        return;
      }
    } finally {
      lock.unlock();
    }
    clientLost("write", new IOException("the client is lost"));
  }

  private static Failure whoIsLost(String where, Throwable failure) {
    boolean stalled = where.equals("read") && isTimeout(failure);
    return stalled ? Failure.CLIENT_TIMEOUT : Failure.CLIENT_GONE;
  }

  /**
   * Ends the exchange here and now, because the connection to the client is lost. When a listener's
   * onError returns, Tomcat uses its objects again, and tells nothing more.
   */
  void clientLost(String where, Throwable failure) {
    Failure what = whoIsLost(where, failure);
    exchange.failed(what, where, failure);
    boolean locked = lockInTime();
    try {
      boolean open = ended.compareAndSet(false, true) || refusing || lost;
      if (locked && !endedByServer && open) {
        try {
          mustBeOurs();
          if (!clientResponse.isCommitted()) {
            refuseWhoIsThere(what == Failure.CLIENT_TIMEOUT, failure);
            if (isHttp1InTomcat()) {
              // Tomcat refuses by itself when a thread of ours could not read, and would show this.
              clientRequest.removeAttribute(RequestDispatcher.ERROR_EXCEPTION);
            }
            async.complete();
          } else if (!abortedByJetty()) {
            if (!http2InTomcat) {
              // Tomcat answers by itself when a thread of ours could not read, and would show this.
              clientRequest.removeAttribute(RequestDispatcher.ERROR_EXCEPTION);
            }
            async.complete();
          }
        } catch (RuntimeException takenBack) {
          // The server has done so already.
        }
      }
      endedByServer = true;
      lost = false;
    } finally {
      unlock(locked);
    }
    forget();
    exchange.close(what.status());
    abort(failure);
  }

  /**
   * Takes the lock on a thread that may hold Tomcat's lock of the connection, and returns whether
   * it was got. A reader's thread may hold this one and wait for that one at the end of a chunked
   * body: then nothing of the server's is touched any more, there or here.
   */
  private boolean lockInTime() {
    if (!readsElsewhere()) {
      lock.lock();
      return true;
    }
    try {
      return lock.tryLock(GRACE_NANOS, TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return lock.tryLock();
    }
  }

  private void unlock(boolean locked) {
    if (locked) {
      lock.unlock();
    }
  }

  /** What is done with the server's objects of this exchange; tells whether to go on. */
  interface Touch<E extends Exception> {
    boolean run() throws E;
  }

  /**
   * Does something with the server's objects, unless they are no longer this exchange's.
   *
   * @return what it tells; false if it was not done
   */
  <E extends Exception> boolean ifOpen(Touch<E> touch) throws E {
    lock.lock();
    try {
      return !endedByServer && !lost && !(isUnderWay() && leftToServer()) && touch.run();
    } finally {
      lock.unlock();
    }
  }

  // Time.

  /**
   * Enters a phase, unless a later one has begun: the end of the request and the begin of the
   * answer may come together. Returns false if the time is up, and this comes too late.
   */
  private boolean enter(Phase next, Optional<Duration> limit) {
    synchronized (clock) {
      if (aborted != null || (next == Phase.RECEIVING && totalIsOver())) {
        return false;
      }
      if (next.compareTo(phase) >= 0) {
        phase = next;
        long phaseEnds =
            limit.map(time -> System.nanoTime() + time.toNanos()).orElse(Long.MAX_VALUE);
        expires = earlierOfTotal(phaseEnds);
      }
      return true;
    }
  }

  /** Which tells of an end first and only then that it was a reset, and writes while one waits. */
  boolean isHttp2InTomcat() {
    return http2InTomcat;
  }

  /** Which has an event of the connection handled by whoever reads the end of a chunked body. */
  boolean isHttp1InTomcat() {
    return proxy.isInTomcat() && !isHttp2();
  }

  /** Does something on a thread that is not the server's. */
  void elsewhere(Runnable action) {
    try {
      client.http().getExecutor().execute(action);
    } catch (RejectedExecutionException e) {
      if (!isStopping()) {
        throw e;
      }
      // The stop ends the exchange.
    }
  }

  /** Whether the client's body is read on threads that are not the server's. */
  boolean readsElsewhere() {
    BodyReader body = reader;
    return body != null && body.isElsewhere();
  }

  /** Does something that writes, where it may wait. Not to be called in {@link #ifOpen}. */
  void whereWritesMayWait(Runnable action) {
    if (http2InTomcat) {
      try {
        async.start(action);
        return;
      } catch (RuntimeException takenBack) {
        // The action finds out that there is nothing left to do.
      }
    }
    action.run();
  }

  /** Whether the client's answer was given to the server whole, as far as its length tells. */
  boolean isAnsweredWhole() {
    return writer.isWhole();
  }

  /** Does something when an end that is none would have shown. */
  void afterDoubt(Runnable action) {
    client.later(DOUBT_MILLIS, action);
  }

  /** Does something when a body would have begun, if there were one. */
  void afterVainWait(Runnable action) {
    long patience = timeouts.idle().toMillis() / 2;
    client.later((int) Math.min(VAIN_WAIT_MILLIS, patience), action);
  }

  /** Gives the exchange up: the service was asked without the body that comes now. */
  void bodyCameLate() {
    if (allReceived || isOver()) {
      // The service needed no body for its answer.
      return;
    }
    bodyIsLate = true;
    TimeoutException late = new TimeoutException("the client's body came late");
    synchronized (clock) {
      expires = System.nanoTime() + GRACE_NANOS;
      aborted = late;
    }
    client.watchAgain(this);
    giveUp(late);
  }

  /** Whether something is still to be written; for {@link #ifOpen}. */
  boolean isUnderWay() {
    return !ended.get() || refusing;
  }

  boolean isOver() {
    return ended.get();
  }

  boolean isStopped() {
    return stopped;
  }

  /** From here on it is the client who must not be quiet: something is handed to the server. */
  void clientsTurn() {
    if (quietAllowed) {
      expireAfter(timeouts.idle().toNanos());
      client.watchAgain(this);
    }
  }

  /** The server has taken what it was given; returns whether the exchange goes on. */
  boolean taken() {
    boolean goesOn = progress();
    if (writer.isWhole()) {
      exchange.answeredWhole(answerStatus);
    }
    if (quietAllowed) {
      client.watchAgain(this);
    }
    return goesOn;
  }

  /** Moves the end of the phase, because something came; returns whether it goes on. */
  boolean progress() {
    Duration limit = quietAllowed ? heartbeat : timeouts.idle();
    expireAfter(limit == null ? Long.MAX_VALUE : limit.toNanos());
    return !isOver();
  }

  /** Moves the end of the phase, unless it was found; then it is the grace that runs. */
  private void expireAfter(long nanos) {
    synchronized (clock) {
      if (aborted == null) {
        expires =
            earlierOfTotal(nanos == Long.MAX_VALUE ? Long.MAX_VALUE : System.nanoTime() + nanos);
      }
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
    if (ended.get()) {
      client.http().getExecutor().execute(this::refusedInVain);
      return;
    }
    Duration beat = heartbeat;
    if (beat != null && aborted == null && !totalIsOver() && !writer.isBusy()) {
      progress();
      client.http().getExecutor().execute(writer::beat);
      return;
    }
    Throwable before;
    TimeoutException timeout;
    synchronized (clock) {
      if (expires == Long.MAX_VALUE || expires - System.nanoTime() > 0) {
        // Something came in this moment. The timer looks at the new end.
        return;
      }
      before = aborted;
      timeout = new TimeoutException("time-out while " + phase);
      expires = System.nanoTime() + GRACE_NANOS;
      aborted = before == null ? timeout : before;
    }
    if (before == null) {
      client.http().getExecutor().execute(() -> giveUp(timeout));
    } else {
      client.http().getExecutor().execute(() -> endWithoutCompletion(before));
    }
  }

  private boolean totalIsOver() {
    return totalEnds != 0 && System.nanoTime() - totalEnds >= 0;
  }

  private void giveUp(TimeoutException timeout) {
    boolean nothingIsUnderWay =
        allReceived || phase == Phase.AWAITING_CLIENT || (phase == Phase.CONNECTING && sentAgain);
    if (nothingIsUnderWay) {
      end(timeout);
    }
    abort(timeout);
  }

  /** Lets no connection stay behind of which nobody will tell anything any more. */
  private void endWithoutCompletion(Throwable timeout) {
    Connection connection = upstreamRequest.getConnection();
    if (connection != null && !allReceived) {
      connection.close();
    }
    end(timeout);
  }

  /**
   * Ends the exchange for good, because the application is being stopped. A stopped client tells
   * nothing any more of a connection that was being opened, and keeps no time.
   */
  void stop() {
    stopped = true;
    endWithApplication();
    Throwable why = beingStopped();
    boolean locked = lockInTime();
    unlock(locked);
    if (!locked) {
      // Who has it waits for Tomcat's lock, which this thread has; and nobody reads any more.
      endUntouched(why);
      return;
    }
    abort(why);
    endWithoutCompletion(why);
    refusedInVain();
    endLost();
  }

  /** Has Tomcat end what nobody else does, because its application has stopped. */
  void endWithApplication() {
    try {
      async.setTimeout(ServiceProxy.UNTIL_STOPPED);
    } catch (RuntimeException takenBack) {
      // Then nothing is left to be ended.
    }
  }

  private void endUntouched(Throwable why) {
    if (ended.compareAndSet(false, true)) {
      endedByServer = true;
      forget();
      exchange.failed(Failure.STOPPING, reason(Failure.STOPPING), why);
      exchange.close(Failure.STOPPING.status());
    }
    abort(why);
  }

  private static IOException beingStopped() {
    return new IOException("the application is being stopped");
  }

  private boolean isStopping() {
    return stopped || client.isClosing();
  }

  private void exchangeEnded() {
    boolean locked = lockInTime();
    endedByServer = true;
    unlock(locked);
    client.unwatch(this);
    if (ended.compareAndSet(false, true)) {
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
    if (ended.get()) {
      // Whoever has ended it may be here with Tomcat's lock of the connection.
      return;
    }
    boolean brokenOff = false;
    int status = Failure.CLIENT_GONE.status();
    lock.lock();
    try {
      if (!ended.compareAndSet(false, true) || endedByServer || leftToServer()) {
        return;
      }
      try {
        mustBeOurs();
        status = clientResponse.getStatus();
        boolean cannotEnd = isStopping() && needsDispatch();
        Throwable why = failure == null && cannotEnd ? beingStopped() : failure;
        if (why == null) {
          complete();
        } else {
          Throwable timeout = aborted;
          brokenOff = fail(timeout == null ? why : timeout);
        }
      } catch (RuntimeException takenBack) {
        // The server has lost the client, and has taken its objects back without a word.
        exchange.failed(Failure.CLIENT_GONE, "ended_by_server", takenBack);
        brokenOff = true;
      }
    } finally {
      lock.unlock();
    }
    Runnable refusal = afterwards;
    if (refusal != null) {
      client.watch(this);
      refusal.run();
    } else if (brokenOff || isStopping()) {
      // Jetty tells no listener of an answer that was broken off; and logs are closed soon.
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

  /**
   * Over HTTP/2, Tomcat ends the stream of an answer to HEAD before it has sent the head; and
   * Tomcat 11 waits for the client's window in the write that reaches the answer's length, for
   * longer than it must where a listener is set. A dispatch has none, and a thread that may wait.
   */
  private void complete() {
    if (leftToServer()) {
      return;
    }
    if (needsDispatch()) {
      clientRequest.setAttribute(LAST, writer.heldBack());
      async.dispatch();
    } else {
      async.complete();
    }
  }

  private boolean needsDispatch() {
    return writer.heldBack().length > 0
        || (isHeadInTomcatsHttp2() && !clientResponse.isCommitted());
  }

  private void forget() {
    if (!lost) {
      client.unwatch(this);
    }
    writer.forget();
    Connection connection = upstreamRequest.getConnection();
    if (sentAgain && connection != null) {
      // The pool does not know it.
      connection.close();
    }
  }

  /**
   * Answers for the service; returns true if it was too late for that, and the answer is broken.
   */
  private boolean fail(Throwable cause) {
    Failure failure = whoFailed(cause);
    String reason = reason(failure);
    exchange.failed(failure, reason, cause);
    boolean canAnswer = !clientResponse.isCommitted() && !writer.isBusy();
    boolean waited =
        failure == Failure.UPSTREAM_TIMEOUT && phase == Phase.WAITING && !isHeadInTomcatsHttp2();
    if (canAnswer) {
      writer.holdBack(NOTHING);
      try {
        // 499 is for the log only; a client that is there all the same gets an error, too.
        Failure told = failure == Failure.CLIENT_GONE ? Failure.INTERNAL : failure;
        if (unsendable != null) {
          Refusal.sendBare(exchange, clientResponse, told.status());
        } else if (isHttp2() && isStopping()) {
          // A body might have to wait for the window, and there is no servlet to dispatch to.
          Refusal.sendBare(exchange, clientResponse, told.status());
          if (isHeadInTomcatsHttp2()) {
            clientResponse.flushBuffer();
          }
        } else if (http2InTomcat && !waited) {
          // Where the thread may wait for the client's window.
          writer.holdBack(Refusal.prepare(exchange, clientResponse, told, reason, cause));
        } else if (waited || (isHttp2() && !isHeadInTomcatsHttp2() && !writer.hasBegun())) {
          byte[] body = Refusal.prepare(exchange, clientResponse, told, reason, cause);
          refusing = true;
          expires = System.nanoTime() + timeouts.idle().toNanos();
          if (waited) {
            exchange.doubtClient();
          }
          afterwards = waited ? () -> refuseWhoWaited(body) : () -> refuse(body);
          return false;
        } else {
          Refusal.send(exchange, clientResponse, told, reason, cause);
        }
        complete();
        return false;
      } catch (IOException | IllegalStateException nothingMoreCanBeSaid) {
        breakOff();
        return true;
      }
    }
    breakOff();
    return true;
  }

  private String reason(Failure failure) {
    return failure.code() + "_" + phase.name().toLowerCase(Locale.ROOT);
  }

  /**
   * Refuses somebody who may have left long ago. A connection tells so only when it is written to,
   * a round trip later: so the head goes first.
   */
  private void refuseWhoWaited(byte[] body) {
    writer.flush();
    writer.thenDo(() -> client.later(LAST_LOOK_MILLIS, () -> refuse(body)));
  }

  private void refuse(byte[] body) {
    lock.lock();
    try {
      if (endedByServer || !refusing) {
        return;
      }
    } finally {
      lock.unlock();
    }
    if (body.length > 0) {
      Content.Chunk chunk = Content.Chunk.from(ByteBuffer.wrap(body), false);
      writer.announce(body.length);
      writer.write(chunk, () -> {});
      chunk.release();
    }
    writer.thenDo(this::refused);
  }

  private void refused() {
    lock.lock();
    try {
      if (endedByServer || !refusing) {
        return;
      }
      refusing = false;
      client.unwatch(this);
      mustBeOurs();
      complete();
      if (isStopping()) {
        exchange.close(clientResponse.getStatus());
      }
    } catch (RuntimeException takenBack) {
      exchange.failed(Failure.CLIENT_GONE, "ended_by_server", takenBack);
      exchange.close(Failure.CLIENT_GONE.status());
    } finally {
      lock.unlock();
    }
  }

  /** Ends an exchange whose client does not even take an answer of our own. */
  private void refusedInVain() {
    lock.lock();
    try {
      if (lost) {
        return;
      }
      if (!endedByServer && refusing && !stopped && expires - System.nanoTime() > 0) {
        // Something was taken in this moment, or the refusal has but begun.
        client.watchAgain(this);
        return;
      }
      client.unwatch(this);
      if (endedByServer || !refusing) {
        return;
      }
      refusing = false;
      endedByServer = true;
      try {
        mustBeOurs();
        breakOff();
      } catch (RuntimeException takenBack) {
        exchange.failed(Failure.CLIENT_GONE, "ended_by_server", takenBack);
      }
    } finally {
      lock.unlock();
    }
    exchange.close(Failure.CLIENT_GONE.status());
  }

  private Failure whoFailed(Throwable cause) {
    if (unsendable != null) {
      return Failure.UPSTREAM_GARBLED;
    }
    if (isStopping()) {
      return Failure.STOPPING;
    }
    Failure failure = judge(cause, phase);
    if (failure == Failure.UPSTREAM_TIMEOUT && writer.isBusy() && !bodyIsLate) {
      // It is the client that does not take what the service has sent.
      return Failure.CLIENT_GONE;
    }
    BodyReader body = reader;
    boolean clientStalls =
        phase == Phase.AWAITING_CLIENT
            || bodyIsLate
            || (phase == Phase.SENDING
                && body != null
                && body.isStarted()
                && body.waitsForClient());
    if (failure == Failure.UPSTREAM_TIMEOUT && clientStalls) {
      return Failure.CLIENT_TIMEOUT;
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
   * takes the error -1 for it; Tomcat closes the connection when a servlet fails on its own thread,
   * and by itself when the application is being stopped, which no longer has a servlet to dispatch
   * to.
   */
  private void breakOff() {
    if (!clientResponse.isCommitted()) {
      Failure told = isStopping() ? Failure.STOPPING : Failure.INTERNAL;
      Refusal.sendBare(exchange, clientResponse, told.status());
      if (!leftToServer()) {
        async.complete();
      }
    } else if (!abortedByJetty()) {
      if (isStopping()) {
        endWithApplication();
      } else if (!leftToServer()) {
        clientRequest.setAttribute(BROKEN, true);
        async.dispatch();
      }
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

  private static boolean isTimeout(Throwable cause) {
    for (Throwable t = cause; t != null; t = t.getCause()) {
      if (t instanceof TimeoutException || t instanceof SocketTimeoutException) {
        return true;
      }
    }
    return false;
  }

  /** What went wrong, from what was thrown and how far the attempt had come. */
  static Failure judge(Throwable cause, Phase phase) {
    // First of all: a time-out may stand behind or be an I/O exception, which means another thing.
    if (isTimeout(cause)) {
      return Failure.UPSTREAM_TIMEOUT;
    }
    for (Throwable t = cause; t != null; t = t.getCause()) {
      if (t instanceof RejectedExecutionException) {
        return Failure.SATURATED;
      } else if (t instanceof UnresolvedAddressException
          || t instanceof UnknownHostException
          || t instanceof SSLHandshakeException) {
        return Failure.UPSTREAM_UNREACHABLE;
      } else if (t instanceof HttpException http && EARLY_END.equals(http.getReason())) {
        return Failure.UPSTREAM_RESET;
      } else if (t instanceof HttpException
          || (t instanceof HttpResponseException && !(t.getCause() instanceof HttpException))) {
        return Failure.UPSTREAM_GARBLED;
      } else if (t instanceof IllegalArgumentException && TOO_LARGE.equals(t.getMessage())) {
        return Failure.HEADERS_TOO_LARGE;
      } else if (t instanceof IOException) {
        return phase == Phase.CONNECTING ? Failure.UPSTREAM_UNREACHABLE : Failure.UPSTREAM_RESET;
      }
    }
    return Failure.INTERNAL;
  }
}
