package dev.gatehouse.proxy;

import java.nio.ByteBuffer;
import org.eclipse.jetty.io.ByteBufferPool;
import org.eclipse.jetty.io.RetainableByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Buffers for Jetty's client. The one for the head of a request is used again by the thread that
 * sends it, if it was written out and let go within the sending; and the one for an answer by the
 * thread that waits for it, if it was let go within the wait. All others serve once; who has just
 * read a buffer full gets a larger one, because each takes its turn in the server.
 *
 * <p>Under aborts the client now and then frees a buffer that another thread still fills or sends.
 * Out of a common pool another exchange would get it in this state. A buffer that is still in use
 * when the sending or the wait is over is left to the garbage collector, and so is one that another
 * thread frees, and a head that was not sent whole; so nobody else has the one that is used again.
 */
final class UpstreamBuffers implements ByteBufferPool {

  private static final int HEAD = 0;
  private static final int SENDING = 1;
  private static final int MORE = 2;
  private static final int ANSWER = 3;
  private static final int WAITING = 4;

  private final int size;
  private final int readSize;
  private final int longReadSize;

  /** Of JDK classes only, so that a container's thread keeps nothing of a stopped application. */
  private final ThreadLocal<@Nullable Object[]> kept =
      ThreadLocal.withInitial(() -> new @Nullable Object[5]);

  /**
   * @param size of the buffer for a head, in bytes
   * @param readSize of a buffer that an answer is read into, as the client asks for it
   * @param longReadSize what it gets in its place where more is to be read than that
   */
  UpstreamBuffers(int size, int readSize, int longReadSize) {
    this.size = size;
    this.readSize = readSize;
    this.longReadSize = longReadSize;
  }

  /** Tells that this thread has read, and whether the buffer was too small for all there was. */
  void read(boolean more) {
    kept.get()[MORE] = more ? Boolean.TRUE : null;
  }

  /** Sends something; until this returns, this thread may use a buffer again. */
  void during(Runnable sending) {
    @Nullable Object[] mine = kept.get();
    Object outer = mine[SENDING];
    mine[SENDING] = sending;
    try {
      sending.run();
    } finally {
      mine[SENDING] = outer;
    }
  }

  /** This thread waits for an answer from here on, until it does not any more. */
  void waitFrom(Object wait) {
    kept.get()[WAITING] = wait;
  }

  /** This thread waits no longer. */
  void waitNoMore() {
    kept.get()[WAITING] = null;
  }

  @Override
  public RetainableByteBuffer.Mutable acquire(int wanted, boolean direct) {
    @Nullable Object[] mine = kept.get();
    Object sending = mine[SENDING];
    Object waiting = mine[WAITING];
    if (direct) {
      return NON_POOLING.acquire(wanted, true);
    } else if (wanted == size && sending != null) {
      ByteBuffer buffer = take(mine, HEAD, size);
      return RetainableByteBuffer.wrap(
          buffer,
          () -> {
            if (!buffer.hasRemaining()) {
              giveBack(mine, SENDING, sending, HEAD, buffer);
            }
          });
    } else if (wanted != readSize) {
      return NON_POOLING.acquire(wanted, false);
    } else if (mine[MORE] != null) {
      return NON_POOLING.acquire(longReadSize, false);
    } else if (waiting == null) {
      return NON_POOLING.acquire(readSize, false);
    }
    ByteBuffer buffer = take(mine, ANSWER, readSize);
    return RetainableByteBuffer.wrap(
        buffer, () -> giveBack(mine, WAITING, waiting, ANSWER, buffer));
  }

  private static ByteBuffer take(@Nullable Object[] mine, int which, int size) {
    ByteBuffer last = (ByteBuffer) mine[which];
    mine[which] = null;
    return (last == null ? ByteBuffer.allocate(size) : last.clear()).limit(0);
  }

  private void giveBack(
      @Nullable Object[] user, int occasion, Object same, int which, ByteBuffer buffer) {
    @Nullable Object[] mine = kept.get();
    if (mine == user && mine[occasion] == same) {
      mine[which] = buffer;
    }
  }

  @Override
  public void clear() {
    // A thread keeps at most two buffers, which the garbage collector may have after the client.
  }
}
