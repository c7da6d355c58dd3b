package dev.gatehouse;

import jakarta.servlet.ServletRequest;
import jakarta.servlet.http.HttpServletRequest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One request and its answer: opened once, closed once, and what the parts of the chain tell each
 * other of it.
 *
 * <p>The chain runs on one container thread at a time; once a servlet has gone asynchronous, a
 * client thread may tell of failures and of bytes sent, so those fields are volatile. After its end
 * an exchange is only read, also by the log's thread: it keeps what the log needs and never asks
 * the server's request, which is used again by then.
 */
public final class Exchange {

  private static final String ATTRIBUTE = Exchange.class.getName();

  @SuppressWarnings("UnnecessaryLambda") // The object itself is the point.
  private static final Runnable CHAIN_LEFT = () -> {};

  private final String id;
  private final Instant start;
  private final long startNanos;
  private final Route route;
  private final String method;
  private final String rawPath;
  private final @Nullable String rawQuery;
  private final String protocol;
  private final @Nullable String authority;
  private final String peerAddress;
  private final @Nullable String referer;
  private final @Nullable String userAgent;

  private final List<Map.Entry<String, String>> upstreamFields = new ArrayList<>(16);
  private final List<Map.Entry<String, String>> clientFields = new ArrayList<>(0);
  private final List<Consumer<Exchange>> ends = new ArrayList<>(4);
  private final AtomicBoolean closed = new AtomicBoolean();
  private @Nullable Runnable stop;

  private String clientAddress;
  private boolean callerTrusted;
  private @Nullable Caller caller;
  private volatile @Nullable Failure failure;
  private volatile String reason = "";
  private volatile @Nullable Throwable cause;
  private boolean clientInDoubt;
  private final AtomicReference<@Nullable Runnable> afterChain = new AtomicReference<>();
  private volatile long bytesSent;
  private volatile int answered;
  private volatile int status;
  private volatile long endNanos;

  public Exchange(String id, Instant start, Route route, HttpServletRequest clientRequest) {
    this.id = id;
    this.start = start;
    this.startNanos = System.nanoTime();
    this.route = route;
    this.method = clientRequest.getMethod();
    this.rawPath = clientRequest.getRequestURI();
    this.rawQuery = clientRequest.getQueryString();
    this.protocol = clientRequest.getProtocol();
    this.authority = authority(clientRequest);
    // Tomcat has none any more if the client is gone; Forwarded knows this word (RFC 7239 section
    // 6).
    this.peerAddress = Objects.requireNonNullElse(clientRequest.getRemoteAddr(), "unknown");
    this.referer = clientRequest.getHeader("Referer");
    this.userAgent = clientRequest.getHeader("User-Agent");
    this.clientAddress = peerAddress;
    clientRequest.setAttribute(ATTRIBUTE, this);
  }

  /**
   * The exchange of a request.
   *
   * @throws IllegalStateException if it was not opened: open-exchange is not the first filter
   */
  public static Exchange of(ServletRequest clientRequest) {
    Exchange exchange = (Exchange) clientRequest.getAttribute(ATTRIBUTE);
    if (exchange == null) {
      throw new IllegalStateException(
          "no exchange was opened: in web.xml the filter open-exchange must be mapped first, to /*");
    }
    return exchange;
  }

  public String id() {
    return id;
  }

  public Instant start() {
    return start;
  }

  public Route route() {
    return route;
  }

  public String method() {
    return method;
  }

  /** The path as the client sent it, context path included, nothing decoded. */
  public String rawPath() {
    return rawPath;
  }

  /** The query as the client sent it, without its question mark; null if there was none. */
  public @Nullable String rawQuery() {
    return rawQuery;
  }

  public String protocol() {
    return protocol;
  }

  /** Host and port as the client named them; null if it did not. */
  public @Nullable String authority() {
    return authority;
  }

  private static @Nullable String authority(HttpServletRequest clientRequest) {
    String host = clientRequest.getHeader("Host");
    if (host != null || clientRequest.getProtocol().startsWith("HTTP/1")) {
      return host;
    }
    // HTTP/2 has a pseudo-header instead, which servers do not show as a field.
    int port = clientRequest.getServerPort();
    boolean standard = port == (clientRequest.isSecure() ? 443 : 80);
    return clientRequest.getServerName() + (standard ? "" : ":" + port);
  }

  /** The address of the other end of the connection. */
  public String peerAddress() {
    return peerAddress;
  }

  public @Nullable String referer() {
    return referer;
  }

  public @Nullable String userAgent() {
    return userAgent;
  }

  /** The address that counts as the client's: the peer's, or what trusted proxies say of it. */
  public String clientAddress() {
    return clientAddress;
  }

  /** Whether the peer is a proxy whose forwarding headers are believed. */
  public boolean callerTrusted() {
    return callerTrusted;
  }

  /** Tells that the peer is a trusted proxy, and whom it speaks for. */
  public void forwardedFor(String address) {
    clientAddress = address;
    callerTrusted = true;
  }

  /** Who was authenticated, or null. */
  public @Nullable Caller caller() {
    return caller;
  }

  public void identified(Caller authenticated) {
    caller = authenticated;
  }

  /** Tells the service something: replaces whatever the client sent under that name. */
  public void tellUpstream(String name, String value) {
    upstreamFields.add(Map.entry(name, value));
  }

  /** The same for several. */
  public void tellUpstream(List<Map.Entry<String, String>> fields) {
    upstreamFields.addAll(fields);
  }

  /** What the service is told by the gateway, in the order in which it was said. */
  public List<Map.Entry<String, String>> upstreamFields() {
    return upstreamFields;
  }

  /**
   * Tells the client something besides what the service says; also in the gateway's own answers.
   */
  public void tellClient(String name, String value) {
    clientFields.add(Map.entry(name, value));
  }

  /** What the client is told by the gateway, in the order in which it was said. */
  public List<Map.Entry<String, String>> clientFields() {
    return clientFields;
  }

  /**
   * Tells that the exchange failed. The first failure counts: what follows is its consequence.
   *
   * @param why the exact reason, from a closed set of words, for log and metrics
   */
  public synchronized void failed(Failure what, String why, @Nullable Throwable because) {
    if (answered != 0 && what == Failure.CLIENT_GONE) {
      return;
    }
    if (failure == null || (clientInDoubt && what == Failure.CLIENT_GONE)) {
      reason = why;
      cause = because;
      failure = what;
    }
  }

  /**
   * Tells that the client may have left before the failure, which only an answer will show. If it
   * has, that is what counts.
   */
  public synchronized void doubtClient() {
    clientInDoubt = true;
  }

  /** Tells that the container's thread is out of the chain again, though the exchange goes on. */
  public void chainLeft() {
    Runnable action = afterChain.getAndSet(CHAIN_LEFT);
    if (action != null) {
      action.run();
    }
  }

  /**
   * Does something, once in an exchange, when no filter can hold it up any more: here, if the
   * container's thread is out of the chain, else on that thread, as soon as it is.
   */
  public void afterChain(Runnable action) {
    if (!afterChain.compareAndSet(null, action)) {
      action.run();
    }
  }

  public @Nullable Failure failure() {
    return failure;
  }

  /** Why it failed, in one word; the failure's code if there is nothing more exact to say. */
  public String reason() {
    return reason;
  }

  public @Nullable Throwable cause() {
    return cause;
  }

  /** Counts bytes of the body that were handed to the server for the client. */
  @SuppressWarnings("NonAtomicVolatileUpdate") // One writer at a time: the one who may write.
  public void sent(long bytes) {
    bytesSent += bytes;
  }

  /**
   * Tells that the server has taken the whole answer: a client that leaves from here on has it.
   *
   * @param answerStatus the status of the answer
   */
  public void answeredWhole(int answerStatus) {
    answered = answerStatus;
  }

  /** Tells that what was handed over so far is replaced. */
  public void startOver() {
    bytesSent = 0;
    answered = 0;
  }

  public long bytesSent() {
    return bytesSent;
  }

  /** Asks to be told, once, when the exchange has ended; whoever asks first is told first. */
  public void onEnd(Consumer<Exchange> listener) {
    ends.add(listener);
  }

  /** Says how to end the exchange at once; its servlet does so when it goes asynchronous. */
  public void onStop(Runnable how) {
    stop = how;
  }

  /** Ends the exchange at once, if its servlet has said how; returns whether it has. */
  public boolean stop() {
    Runnable how = stop;
    if (how != null) {
      how.run();
    }
    return how != null;
  }

  /**
   * Ends the exchange, the first time that it is called.
   *
   * @param clientStatus the status of the client's answer; that of a failure replaces it, so that
   *     an answer that was broken off never counts as success
   */
  public void close(int clientStatus) {
    if (closed.compareAndSet(false, true)) {
      Failure failed = failure;
      int sent = answered == 0 ? clientStatus : answered;
      status = failed == null ? sent : failed.status();
      endNanos = System.nanoTime();
      for (Consumer<Exchange> end : ends) {
        end.accept(this);
      }
    }
  }

  /** The status for log and metrics, after the end. */
  public int status() {
    return status;
  }

  /** How long it took, in nanoseconds, after the end. */
  public long nanos() {
    return endNanos - startNanos;
  }
}
