package dev.gatehouse.proxy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Iterator;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.eclipse.jetty.client.AbstractConnectionPool;
import org.eclipse.jetty.client.Connection;
import org.eclipse.jetty.client.ContinueProtocolHandler;
import org.eclipse.jetty.client.Destination;
import org.eclipse.jetty.client.EarlyHintsProtocolHandler;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.HttpClientTransport;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.Response;
import org.eclipse.jetty.client.transport.HttpClientTransportOverHTTP;
import org.eclipse.jetty.client.transport.HttpDestination;
import org.eclipse.jetty.client.transport.HttpExchange;
import org.eclipse.jetty.client.transport.SendFailure;
import org.eclipse.jetty.client.transport.internal.HttpConnectionOverHTTP;
import org.eclipse.jetty.http.HttpCookieStore;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.io.ClientConnectionFactory;
import org.eclipse.jetty.io.ClientConnector;
import org.eclipse.jetty.io.CyclicTimeouts;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.io.ManagedSelector;
import org.eclipse.jetty.io.SocketChannelEndPoint;
import org.eclipse.jetty.io.ssl.SslClientConnectionFactory;
import org.eclipse.jetty.io.ssl.SslConnection;
import org.eclipse.jetty.util.IO;
import org.eclipse.jetty.util.Promise;
import org.eclipse.jetty.util.component.LifeCycle;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.eclipse.jetty.util.thread.ScheduledExecutorScheduler;
import org.eclipse.jetty.util.thread.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * The one HTTP client of all services, with its own threads: Jetty's proxy servlets would make one
 * each, and on Tomcat would find no threads to borrow. It adds nothing to a request and takes
 * nothing from a response.
 *
 * <p>It also keeps the time of every attempt: one timer looks at all of them when the earliest is
 * due, which costs a request nothing while all goes well.
 */
final class UpstreamClient implements AutoCloseable {

  private static final String CONTINUE = UpstreamClient.class.getName() + ".continue";
  private static final int CONTINUE_WAIT_MILLIS = 1_000;
  private static final int MAX_THREADS = 200;
  private static final int MAX_CONNECTIONS = 256;
  private static final int MAX_QUEUED = 1024;

  /** Servers take 8 KiB as they come; what an admin has them take besides shall go through. */
  private static final int REQUEST_BUFFER_BYTES = 10 * 1024;

  private static final int REQUEST_HEADERS_BYTES = 128 * 1024;

  /** What stock Jetty can send with our own fields besides: it ends at 16 KiB. */
  private static final int RESPONSE_HEADERS_BYTES = 15 * 1024;

  /** Below the keep-alive time of common servers, so that they rarely close first. */
  private static final Duration POOLED_IDLE = Duration.ofSeconds(20);

  private static final int BUFFER_BYTES = 8 * 1024;

  /** Of a long answer: a client that does not read holds one of these. */
  private static final int LONG_BUFFER_BYTES = 32 * 1024;

  private static final int MOST_FILLS = 16;

  /** How long a thread waits for an answer before it leaves that to the client's threads. */
  private static final Duration PATIENCE = Duration.ofMillis(20);

  /** So many threads wait at a time: a part of what servers have. */
  private static final int MOST_WAITING = 32;

  private final HttpClient client;
  private final ClientConnector connector;
  private final Set<Attempt> attempts = ConcurrentHashMap.newKeySet();
  private final CyclicTimeouts<Attempt> timer;
  private final UpstreamBuffers buffers =
      new UpstreamBuffers(REQUEST_BUFFER_BYTES, BUFFER_BYTES, LONG_BUFFER_BYTES);
  private final AtomicInteger waiting = new AtomicInteger();
  private volatile boolean closing;

  UpstreamClient() {
    QueuedThreadPool threads = new QueuedThreadPool(MAX_THREADS);
    threads.setName("gatehouse-client");
    threads.setDaemon(true);
    ScheduledExecutorScheduler scheduler = new ScheduledExecutorScheduler("gatehouse-timer", true);
    connector = new Connector(buffers);
    connector.setSelectors(Math.max(1, Runtime.getRuntime().availableProcessors() / 2));
    connector.setExecutor(threads);
    connector.setScheduler(scheduler);
    client = new Client(new Transport(connector));
    client.setName("gatehouse");
    client.setExecutor(threads);
    client.setScheduler(scheduler);
    // For connections that nobody uses; attempts keep their own time.
    client.setIdleTimeout(POOLED_IDLE.toMillis());
    client.setMaxConnectionsPerDestination(MAX_CONNECTIONS);
    client.setMaxRequestsQueuedPerDestination(MAX_QUEUED);
    client.setRequestBufferSize(REQUEST_BUFFER_BYTES);
    client.setMaxRequestHeadersSize(REQUEST_HEADERS_BYTES);
    client.setMaxResponseHeadersSize(RESPONSE_HEADERS_BYTES);
    client.setResponseBufferSize(BUFFER_BYTES);
    client.setByteBufferPool(buffers);
    client.setUseOutputDirectByteBuffers(false);
    // A servlet takes arrays only: a body read into the heap needs no second copy.
    client.setUseInputDirectByteBuffers(false);
    client.setFollowRedirects(false);
    client.setUserAgentField(null);
    client.setDefaultRequestContentType(null);
    // Cookies of one client must never reach another.
    client.setHttpCookieStore(new HttpCookieStore.Empty());
    try {
      client.start();
    } catch (Exception e) {
      throw new IllegalStateException("cannot start the HTTP client", e);
    }
    client.getContentDecoderFactories().clear();
    client.getProtocolHandlers().clear();
    client.getProtocolHandlers().put(new Continue());
    client.getProtocolHandlers().put(new Hints());
    client.getProtocolHandlers().put(new Interim());
    timer = new Timer();
  }

  HttpClient http() {
    return client;
  }

  /** Lets a connection attempt of the operating system last as long as somebody waits for it. */
  synchronized void atLeastConnectTimeout(Duration timeout) {
    if (connector.getConnectTimeout().compareTo(timeout) < 0) {
      connector.setConnectTimeout(timeout);
    }
    if (client.getAddressResolutionTimeout() < timeout.toMillis()) {
      client.setAddressResolutionTimeout(timeout.toMillis());
    }
  }

  /** Whether all connections to a request's server are in use. */
  boolean isSaturated(Request upstreamRequest) {
    return client.resolveDestination(upstreamRequest) instanceof HttpDestination destination
        && destination.getConnectionPool() instanceof AbstractConnectionPool pool
        && pool.getActiveConnectionCount() >= pool.getMaxConnectionCount();
  }

  void send(UpstreamRequest upstreamRequest, Attempt attempt) {
    buffers.during(() -> upstreamRequest.send(attempt));
  }

  /** Whether this thread may wait for an answer. If so, {@link #endWait} must follow. */
  boolean mayWaitFor(UpstreamRequest upstreamRequest) {
    if (waiting.incrementAndGet() > MOST_WAITING) {
      waiting.decrementAndGet();
      return false;
    }
    buffers.waitFrom(upstreamRequest);
    return true;
  }

  void endWait() {
    buffers.waitNoMore();
    waiting.decrementAndGet();
  }

  /**
   * Sends a request, and waits a moment for its answer to begin: most are quick and short, and are
   * then told of on this very thread, for which no other must be woken. Whatever is not, or does
   * not begin within that moment, is told of by the client's threads.
   */
  void sendAndWait(UpstreamRequest upstreamRequest, QuickAnswer answer) {
    upstreamRequest.waitFor(Thread.currentThread());
    buffers.during(() -> upstreamRequest.send(answer));
    upstreamRequest.waitFor(null);
    if (upstreamRequest.isLeftHere()
        && upstreamRequest.getConnection() instanceof PooledConnection connection) {
      connection.await(upstreamRequest);
    }
  }

  /** Opens a connection of its own for a request; it never joins the pool. */
  void connect(Request upstreamRequest, Consumer<Connection> connected, Consumer<Throwable> not) {
    client.resolveDestination(upstreamRequest).newConnection(Promise.from(connected, not));
  }

  /** Whether a connection has brought an answer before. */
  static boolean isReused(@Nullable Connection connection) {
    return connection instanceof org.eclipse.jetty.io.Connection counting
        && counting.getMessagesIn() > 0;
  }

  void watch(Attempt attempt) {
    attempts.add(attempt);
    timer.schedule(attempt);
    if (closing) {
      // It may have come too late to be stopped.
      attempt.endWithApplication();
    }
  }

  /** Looks at an attempt's time again, which may now end earlier than before. */
  void watchAgain(Attempt attempt) {
    timer.schedule(attempt);
  }

  void unwatch(Attempt attempt) {
    attempts.remove(attempt);
  }

  /** Does something on a thread of the client, after a while. */
  void later(int millis, Runnable action) {
    client
        .getScheduler()
        .schedule(() -> client.getExecutor().execute(action), millis, TimeUnit.MILLISECONDS);
  }

  /**
   * Says what to do when the service has asked for the body with 100 Continue; or when it has not
   * for a second since it was asked: not every service knows the question (RFC 9110 section
   * 10.1.1).
   */
  void onContinue(UpstreamRequest upstreamRequest, Runnable action) {
    AtomicBoolean done = new AtomicBoolean();
    Runnable once =
        () -> {
          if (done.compareAndSet(false, true)) {
            action.run();
          }
        };
    upstreamRequest.attribute(CONTINUE, once);
    upstreamRequest.onRequestCommit(
        asked -> later(CONTINUE_WAIT_MILLIS, () -> proceed(upstreamRequest, once)));
  }

  private static void proceed(UpstreamRequest upstreamRequest, Runnable action) {
    HttpExchange exchange = upstreamRequest.getConversation().getExchanges().peekLast();
    if (exchange != null) {
      exchange.proceed(action, null);
    }
  }

  /** Whether the application is being stopped. */
  boolean isClosing() {
    return closing;
  }

  @Override
  public void close() {
    closing = true;
    attempts.forEach(Attempt::endWithApplication);
    // Stops the threads and closes all connections; exchanges that are under way fail.
    LifeCycle.stop(client);
    timer.destroy();
    attempts.forEach(Attempt::stop);
  }

  /**
   * Tells the end of a body over TLS from a connection that was cut (RFC 9112 section 9.8), and
   * does not ask a socket again that has just been emptied.
   */
  private static final class Connector extends ClientConnector {

    private final UpstreamBuffers buffers;

    private Connector(UpstreamBuffers buffers) {
      this.buffers = buffers;
    }

    @Override
    protected EndPoint newEndPoint(
        SelectableChannel channel, ManagedSelector selector, SelectionKey key) {
      return new SparingEndPoint((SocketChannel) channel, selector, key, getScheduler(), buffers);
    }

    @Override
    public ClientConnectionFactory newSslClientConnectionFactory(
        SslContextFactory.Client tls, ClientConnectionFactory next) {
      ClientConnectionFactory factory = super.newSslClientConnectionFactory(tls, next);
      ((SslClientConnectionFactory) factory).setRequireCloseMessage(true);
      return factory;
    }
  }

  /**
   * An endpoint that takes a read that left room in its buffer for the last: Jetty reads until
   * there is nothing, which costs a system call for each answer. Whatever comes then wakes the
   * selector. Nor is it read for ever: a service that never stops, be it with interim answers only,
   * must let the selector look at the others.
   */
  private static final class SparingEndPoint extends SocketChannelEndPoint {

    /** Whoever fills is alone. */
    private boolean emptied;

    private int fillsInARow;

    private final UpstreamBuffers buffers;

    /*
     * Who reads. A connection begins as watched: the selector tells of what comes. When an answer for
     * which somebody could have waited has come quickly, release() lays the connection to rest: nobody
     * is told of anything. send() looks whether it was quiet since. If the thread that sends waits,
     * nobody else reads until it has been told of what came first; then, or when it has waited for too
     * long, it has the rest watched. If it does not wait, send() has the connection watched.
     *
     * FillInterest takes care that one thread at a time reads, whoever finds that there is something:
     * to watch does no harm at any time, but that it costs a wake-up.
     */

    /** The selector tells of what comes. */
    private volatile boolean watched = true;

    /** Made for whoever waits first. */
    private volatile @Nullable Selector own;

    private SparingEndPoint(
        SocketChannel channel,
        ManagedSelector selector,
        SelectionKey key,
        Scheduler scheduler,
        UpstreamBuffers buffers) {
      super(channel, selector, key, scheduler);
      this.buffers = buffers;
    }

    @Override
    protected void needsFillInterest() {
      // Either this sees that it is watched, or watch() sees that somebody is interested.
      if (watched) {
        super.needsFillInterest();
      }
    }

    /** Leaves to the selector what comes. Does no harm at any time. */
    private void watch() {
      watched = true;
      if (getFillInterest().isInterested()) {
        super.needsFillInterest();
      }
    }

    /** Has nobody told of what comes until it is watched. */
    private void rest() {
      if (getFillInterest().isInterested()) {
        // The selector has been asked to tell.
        return;
      }
      emptied = true;
      watched = false;
    }

    /** Whether the service has neither closed it nor said something that nobody has asked for. */
    private boolean isQuiet() {
      try {
        return getChannel().read(ByteBuffer.allocate(1)) == 0;
      } catch (IOException e) {
        return false;
      }
    }

    /** Waits for what comes, and tells of it on this thread, if it comes soon. */
    private void await(Duration patience) {
      try {
        Selector selector = own;
        if (selector == null) {
          selector = Selector.open();
          own = selector;
          getChannel().register(selector, SelectionKey.OP_READ);
        }
        if (selector.select(key -> {}, patience.toMillis()) > 0) {
          getFillInterest().fillable();
        }
      } catch (IOException | ClosedSelectorException e) {
        // It was closed, of which others tell.
      }
      if (!isOpen()) {
        forgetSelector();
      }
    }

    @Override
    public void doClose() {
      super.doClose();
      forgetSelector();
    }

    private void forgetSelector() {
      Selector selector = own;
      own = null;
      IO.close(selector);
    }

    @Override
    public int fill(ByteBuffer buffer) throws IOException {
      if ((emptied || ++fillsInARow > MOST_FILLS) && !isInputShutdown()) {
        emptied = false;
        fillsInARow = 0;
        return 0;
      }
      int room = buffer.hasRemaining() ? 0 : buffer.capacity();
      int filled = super.fill(buffer);
      emptied = filled > 0 && filled < room;
      buffers.read(filled > 0 && filled == room);
      if (filled <= 0) {
        fillsInARow = 0;
      }
      return filled;
    }

    /** A request without a body is one buffer and empty ones: a plain write does less. */
    @Override
    public boolean flush(ByteBuffer... buffers) throws IOException {
      ByteBuffer only = null;
      for (ByteBuffer buffer : buffers) {
        if (buffer.hasRemaining()) {
          if (only != null) {
            return super.flush(buffers);
          }
          only = buffer;
        }
      }
      if (only == null || isOutputShutdown()) {
        return super.flush(buffers);
      }
      try {
        if (getChannel().write(only) > 0) {
          notIdle();
        }
      } catch (IOException e) {
        throw new EofException(e);
      }
      return !only.hasRemaining();
    }
  }

  /** Keeps what it has found for a server: Jetty would look it up by a new key each time. */
  @SuppressWarnings("try") // How it closes is Jetty's.
  private static final class Client extends HttpClient {

    private final Map<Upstream, Destination> destinations = new ConcurrentHashMap<>();

    private Client(HttpClientTransport transport) {
      super(transport);
    }

    @Override
    public Destination resolveDestination(Request request) {
      if (!(request instanceof UpstreamRequest upstreamRequest)) {
        return super.resolveDestination(request);
      }
      Destination known = destinations.get(upstreamRequest.upstream());
      if (known == null) {
        known = super.resolveDestination(request);
        destinations.put(upstreamRequest.upstream(), known);
      }
      return known;
    }
  }

  /** Makes connections of which the selector's own thread tells, where that cannot hold it up. */
  private static final class Transport extends HttpClientTransportOverHTTP {

    private Transport(ClientConnector connector) {
      super(connector);
    }

    @Override
    public org.eclipse.jetty.io.Connection newConnection(
        EndPoint endPoint, Map<String, Object> context) {
      return customize(new PooledConnection(endPoint, context), context);
    }
  }

  /**
   * To wake another thread for each answer costs more than most answers do. But the selector's
   * thread serves other connections, too: so what may wait for somebody else, or goes on for long,
   * is told on a thread of the pool.
   */
  private static final class PooledConnection extends HttpConnectionOverHTTP {

    /** When a request was sent for which somebody waits; 0 if nobody does. */
    private volatile long sent;

    private PooledConnection(EndPoint endPoint, Map<String, Object> context) {
      super(endPoint, context);
    }

    /**
     * An attempt keeps its own time; to turn the endpoint's off and on for each would cost more.
     */
    @Override
    protected boolean onIdleTimeout(long idleTimeout) {
      return getHttpChannel().getHttpExchange() == null && super.onIdleTimeout(idleTimeout);
    }

    @Override
    public SendFailure send(HttpExchange exchange) {
      if (!(getEndPoint() instanceof SparingEndPoint endPoint)
          || !(exchange.getRequest() instanceof UpstreamRequest upstreamRequest)) {
        return super.send(exchange);
      }
      boolean waitedFor = upstreamRequest.isWaitedForHere();
      sent = waitedFor ? System.nanoTime() : 0;
      if (!endPoint.watched) {
        if (!endPoint.isQuiet()) {
          // To be sent again makes Jetty look for another connection.
          close();
          return new SendFailure(new EofException(), true);
        }
        if (!waitedFor) {
          endPoint.watch();
        }
      }
      upstreamRequest.leaveHere(!endPoint.watched);
      SendFailure failure = super.send(exchange);
      if (failure != null) {
        // It may be sent on another one.
        upstreamRequest.leaveHere(false);
      }
      return failure;
    }

    /** Waits for the answer to a request that was left to this thread. */
    private void await(UpstreamRequest upstreamRequest) {
      if (getEndPoint() instanceof SparingEndPoint endPoint && isBusyWith(upstreamRequest)) {
        endPoint.await(PATIENCE);
        if (isBusyWith(upstreamRequest)) {
          endPoint.watch();
        }
      }
    }

    @SuppressWarnings("ReferenceEquality") // The request itself is the point.
    private boolean isBusyWith(UpstreamRequest upstreamRequest) {
      HttpExchange exchange = getHttpChannel().getHttpExchange();
      return exchange != null && exchange.getRequest() == upstreamRequest;
    }

    /** The next request may have a body, which is then read from its client. */
    @Override
    public void release() {
      boolean wasQuick = sent != 0 && System.nanoTime() - sent < PATIENCE.toNanos();
      if (wasQuick && getEndPoint() instanceof SparingEndPoint endPoint) {
        // The next one shall be waited for.
        endPoint.rest();
      }
      HttpDestination destination = getHttpDestination();
      if (destination.getQueuedRequestCount() == 0) {
        super.release();
        return;
      }
      try {
        destination.getHttpClient().getExecutor().execute(super::release);
      } catch (RejectedExecutionException stopped) {
        close();
      }
    }

    @Override
    public InvocationType getInvocationType() {
      if (getMessagesIn() == 0 && getEndPoint() instanceof SslConnection.SslEndPoint) {
        // Much is calculated for a TLS handshake, and certificates may be asked about.
        return InvocationType.BLOCKING;
      }
      HttpExchange exchange = getHttpChannel().getHttpExchange();
      return exchange != null
              && exchange.getRequest() instanceof UpstreamRequest upstreamRequest
              && !upstreamRequest.mayWait()
          ? InvocationType.NON_BLOCKING
          : InvocationType.BLOCKING;
    }
  }

  private final class Timer extends CyclicTimeouts<Attempt> {

    private Timer() {
      super(client.getScheduler());
    }

    @Override
    protected Iterator<Attempt> iterator() {
      return attempts.iterator();
    }

    @Override
    protected boolean onExpired(Attempt attempt) {
      attempt.expired();
      return false;
    }
  }

  /**
   * Sends the body when the service asks for it. Every other answer goes its usual way; Jetty's own
   * handler would hold it back, up to a limit.
   */
  private static final class Continue extends ContinueProtocolHandler {

    @Override
    public boolean accept(Request upstreamRequest, Response upstreamResponse) {
      return upstreamResponse.getStatus() == 100
          && upstreamRequest.getAttributes().containsKey(CONTINUE)
          && super.accept(upstreamRequest, upstreamResponse);
    }

    @Override
    protected Runnable onContinue(Request upstreamRequest) {
      return Objects.requireNonNull((Runnable) upstreamRequest.getAttributes().get(CONTINUE));
    }
  }

  /** Tells of hints, then waits on for the answer. */
  private static final class Hints extends EarlyHintsProtocolHandler {

    @Override
    public String getName() {
      return "gatehouse-early-hints";
    }

    @Override
    protected void onEarlyHints(Request upstreamRequest, HttpFields fields) {
      ((UpstreamRequest) upstreamRequest).tellEarlyHints(fields);
    }
  }

  /** Waits on after any other interim answer (RFC 9110 section 15.2); 101 is for the attempt. */
  private static final class Interim extends EarlyHintsProtocolHandler {

    @Override
    public boolean accept(Request upstreamRequest, Response upstreamResponse) {
      int status = upstreamResponse.getStatus();
      return status >= 100 && status < 200 && status != 101 && status != 103;
    }
  }
}
