package dev.gatehouse.proxy;

import dev.gatehouse.Exchange;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicReference;
import org.eclipse.jetty.io.Content;
import org.jspecify.annotations.Nullable;

/**
 * Passes the body of an upstream response on, a chunk at a time: the next one is asked for when the
 * server has taken the last.
 *
 * <p>Servers collect what they are given in a buffer. For a download that is right, and Tomcat is
 * told when to send what it has collected; an answer whose parts mean something each, such as an
 * event stream, is flushed after each of them.
 */
final class BodyWriter implements WriteListener {

  /*
   * Threads. The client's threads bring chunks, the timer brings heartbeats, and the container's
   * threads say when more may be written, at any time. The state goes round like this, each step by
   * compareAndSet, so that whoever makes it is the only one who goes on:
   *
   *   IDLE -> READY      there is a chunk, a heartbeat, a head to be flushed
   *   READY -> WRITING   it is handed to the server
   *   WRITING -> PENDING the server has it, but may still read from its array
   *   PENDING -> WRITING the server is ready: what it had is flushed, if it must be, or it gets more
   *                      of the chunk (-> PENDING), or all was taken (-> IDLE)
   *   WRITING -> BROKEN  the server refused it; for good
   *
   * Who finds the state not IDLE leaves the work where whoever makes it IDLE finds it.
   *
   * A chunk is freed when it was taken, or when the attempt ends before its writing has begun. If
   * neither comes it is left to the garbage collector: freed too early or twice, its buffer would be
   * filled with another response while the server still sends it.
   */

  private enum State {
    IDLE,
    READY,
    WRITING,
    PENDING,
    BROKEN
  }

  /** What came at once, and what of it the server has not been given yet. */
  private record Part(Content.Chunk chunk, ByteBuffer rest, Runnable next) {}

  /** A comment: whoever reads an event stream passes it over (HTML, section 9.2.5). */
  private static final byte[] HEARTBEAT = ":\n\n".getBytes(StandardCharsets.US_ASCII);

  private static final int AT_THE_START = ('\n' << 8) | '\n';

  /** What Tomcat gathers, as it comes. */
  private static final int PORTION_BYTES = 8 * 1024;

  /** The most that it is given at once of an answer that is known to be longer. */
  private static final int LONG_PORTION_BYTES = 32 * 1024;

  private final Attempt attempt;
  private final Exchange exchange;
  private final HttpServletResponse clientResponse;

  private final AtomicReference<State> state = new AtomicReference<>(State.IDLE);
  private final AtomicReference<@Nullable Part> received = new AtomicReference<>();
  private final AtomicReference<@Nullable Runnable> last = new AtomicReference<>();
  private volatile @Nullable Part beingWritten;
  private volatile @Nullable ServletOutputStream output;
  private volatile boolean eager;
  private volatile boolean flushDue;
  private volatile boolean headDue;
  private volatile boolean beatDue;
  private volatile long announced = -1;

  /** The most that the server is given before it is flushed. */
  private volatile long portion = Long.MAX_VALUE;

  /** What it was given since. Whoever makes the state WRITING is alone. */
  private long gathered;

  private volatile byte[] heldBack = {};

  /** The last four bytes of the body. */
  private volatile int tail = AT_THE_START;

  BodyWriter(Attempt attempt, Exchange exchange, HttpServletResponse clientResponse) {
    this.attempt = attempt;
    this.exchange = exchange;
    this.clientResponse = clientResponse;
  }

  /** Tells how long the body will be; negative if that is not known. */
  void announce(long length) {
    announced = length;
  }

  /**
   * Hands over no more than fits into the server's buffer, and flushes that. What does not fit,
   * Tomcat lays aside, even if the client takes it, and sends it on a thread that its poller wakes;
   * what a flush sends at once needs neither. To be called before anything is written.
   */
  void inPortions() {
    boolean isLong = announced > LONG_PORTION_BYTES;
    if (isLong) {
      clientResponse.setBufferSize(LONG_PORTION_BYTES);
    }
    // It may be larger than it must be: that of an earlier answer. 0 would mean that there is none.
    int fits = clientResponse.getBufferSize();
    if (fits > 0) {
      portion = Math.min(fits, isLong ? LONG_PORTION_BYTES : PORTION_BYTES);
    }
  }

  /** Whether all was handed to the server, of which the server knows that it is all. */
  boolean isWhole() {
    return announced >= 0 && exchange.bytesSent() >= announced;
  }

  /** Keeps the end of a body for whoever completes the exchange. */
  void holdBack(byte[] end) {
    heldBack = end;
  }

  /** What is left to be written; empty if all was handed to the server. */
  byte[] heldBack() {
    return heldBack;
  }

  /** Sends now what the server has. */
  void flush() {
    flushDue = true;
    begin();
  }

  /** Sends the head now, ahead of what has come of the body. */
  void flushHead() {
    headDue = true;
    flush();
  }

  /** Sends the head now, and from here on everything at once. */
  void flushEachPart() {
    eager = true;
    flush();
  }

  /**
   * Writes a chunk, which is kept until the server has taken it; then asks for the next. What
   * reaches the answer's length may be held back for {@link Attempt}, which ends the answer.
   */
  void write(Content.Chunk chunk, Runnable next) {
    int length = chunk.remaining();
    if (announced >= 0 && exchange.bytesSent() + length >= announced && attempt.isHttp2InTomcat()) {
      byte[] end = new byte[length];
      chunk.getByteBuffer().duplicate().get(end);
      holdBack(end);
      next.run();
      return;
    }
    chunk.retain();
    received.set(new Part(chunk, chunk.getByteBuffer().slice(), next));
    begin();
  }

  /** Writes a comment into an event stream, unless an event is under way or something else is. */
  void beat() {
    beatDue = true;
    begin();
  }

  /** Does something when all that came before was taken. */
  void thenDo(Runnable end) {
    last.set(end);
    begin();
  }

  /** Whether the server has not taken yet what it was given. */
  boolean isBusy() {
    State now = state.get();
    return now == State.WRITING || now == State.PENDING;
  }

  /** Whether the server was asked for a stream, or will be. */
  boolean hasBegun() {
    return output != null || state.get() != State.IDLE;
  }

  /** Frees what will not be written any more. */
  void forget() {
    Part unwritten = received.getAndSet(null);
    if (unwritten != null) {
      unwritten.chunk().release();
    }
  }

  private void begin() {
    if (!state.compareAndSet(State.IDLE, State.READY)) {
      return;
    }
    if (nothingToWrite()) {
      goOnOrBreak();
      return;
    }
    if (output != null) {
      attempt.whereWritesMayWait(this::goOnOrBreak);
      return;
    }
    // Until then Tomcat's thread has its lock of the connection, which setting the listener takes.
    exchange.afterChain(this::listen);
  }

  private void listen() {
    if (!attempt.ifOpen(attempt::isUnderWay)) {
      return;
    }
    try {
      ServletOutputStream stream = clientResponse.getOutputStream();
      output = stream;
      // Calls onWritePossible, perhaps at once and on another thread. Not in ifOpen: Tomcat takes a
      // lock here under which its threads come for the attempt's.
      stream.setWriteListener(this);
    } catch (IOException | RuntimeException e) {
      attempt.cannotWrite(e);
    }
  }

  /** An answer without a body needs no stream. */
  private boolean nothingToWrite() {
    return received.get() == null && !flushDue && !beatDue;
  }

  @Override
  public void onWritePossible() {
    if (attempt.readsElsewhere()) {
      // A reader may hold the attempt's lock and wait for the one of Tomcat's that this thread has.
      attempt.elsewhere(this::goOnOrBreak);
    } else {
      goOnOrBreak();
    }
  }

  private void goOnOrBreak() {
    try {
      goOn();
    } catch (IOException | RuntimeException e) {
      state.set(State.BROKEN);
      attempt.cannotWrite(e);
    }
  }

  private void goOn() throws IOException {
    while (true) {
      Attempt.Touch<IOException> step;
      if (state.compareAndSet(State.READY, State.WRITING)) {
        step = this::handOver;
      } else if (!state.compareAndSet(State.PENDING, State.WRITING)) {
        return;
      } else if (flushDue && output != null) {
        step = this::flushNow;
      } else if (isPartLeft()) {
        step = this::handOverMore;
      } else if (taken()) {
        continue;
      } else {
        return;
      }
      // Once it was given up, another thread of the server's may be at work on the answer.
      if (!attempt.ifOpen(() -> attempt.isUnderWay() && step.run())) {
        return;
      }
    }
  }

  private boolean flushNow() throws IOException {
    ServletOutputStream stream = output;
    flushDue = false;
    if (stream != null) {
      stream.flush();
    }
    return isReady(stream);
  }

  /** Whether this thread shall go on. If not, the server's will, as soon as it is ready. */
  private boolean isReady(@Nullable ServletOutputStream stream) {
    if (stream != null) {
      attempt.clientsTurn();
    }
    state.set(State.PENDING);
    return stream == null || stream.isReady();
  }

  private boolean handOver() throws IOException {
    Part part = headDue ? null : received.getAndSet(null);
    headDue = false;
    boolean beat = beatDue;
    beatDue = false;
    ServletOutputStream stream = output;
    if (stream != null && part != null) {
      beingWritten = part;
      write(stream, part.rest());
    } else if (stream != null && beat && mayBeat()) {
      flushDue = true;
      stream.write(HEARTBEAT);
      exchange.sent(HEARTBEAT.length);
    } else if (!flushDue) {
      // The server has nothing of ours, so there is nothing to ask it; perhaps all is over.
      stream = null;
    }
    return isReady(stream);
  }

  private boolean mayBeat() {
    return !attempt.isOver() && last.get() == null && endsEvent(tail);
  }

  private boolean isPartLeft() {
    Part part = beingWritten;
    return part != null && part.rest().hasRemaining();
  }

  private boolean handOverMore() throws IOException {
    ServletOutputStream stream = output;
    Part part = beingWritten;
    if (stream != null && part != null) {
      write(stream, part.rest());
    }
    return isReady(stream);
  }

  /** Writes of a part what fits into the server's buffer. */
  private void write(ServletOutputStream stream, ByteBuffer rest) throws IOException {
    int length = (int) Math.min(rest.remaining(), portion - gathered);
    int begin = rest.position();
    rest.position(begin + length);
    for (int i = Math.max(0, length - 4); eager && i < length; i++) {
      tail = (tail << 8) | (rest.get(begin + i) & 0xff);
    }
    gathered += length;
    // First: with the last byte Tomcat 11 closes the request's stream, too.
    exchange.sent(length);
    if (eager || isFlushDue()) {
      flushDue = true;
      gathered = 0;
    }
    if (rest.hasArray()) {
      stream.write(rest.array(), rest.arrayOffset() + begin, length);
    } else {
      byte[] copy = new byte[length];
      rest.duplicate().position(begin).get(copy);
      stream.write(copy, 0, length);
    }
  }

  /** As soon as Tomcat would send by itself, and at the end of what takes more than one portion. */
  private boolean isFlushDue() {
    return portion != Long.MAX_VALUE
        && (gathered >= Math.min(portion, PORTION_BYTES) || (isWhole() && announced > portion));
  }

  /** Ends with one part; returns whether this thread shall begin another. */
  private boolean taken() {
    Part part = beingWritten;
    beingWritten = null;
    if (part != null) {
      part.chunk().release();
    }
    state.set(State.IDLE);
    boolean goesOn = attempt.taken();
    if (part != null && goesOn) {
      part.next().run();
      boolean more = received.get() != null || last.get() != null;
      return more && state.compareAndSet(State.IDLE, State.READY);
    }
    if (received.get() != null) {
      return state.compareAndSet(State.IDLE, State.READY);
    }
    Runnable end = last.get();
    if (end != null && last.compareAndSet(end, null)) {
      end.run();
    }
    return false;
  }

  /** Whether a comment may follow: only an empty line lies between two events. */
  static boolean endsEvent(int lastFourBytes) {
    int two = lastFourBytes & 0xffff;
    return two == 0x0a0a || two == 0x0d0d || (lastFourBytes & 0xffffff) == 0x0a0d0a;
  }

  @Override
  public void onError(Throwable failure) {
    attempt.clientLost("write", failure);
  }
}
