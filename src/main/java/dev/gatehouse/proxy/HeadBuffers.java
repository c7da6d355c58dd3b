package dev.gatehouse.proxy;

import java.nio.ByteBuffer;
import org.eclipse.jetty.io.ByteBufferPool;
import org.eclipse.jetty.io.RetainableByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Buffers for Jetty's client. The one for the head of a request is used again by the thread that
 * sends it, if it was written out and let go within the sending. All others serve once.
 *
 * <p>Under aborts the client now and then frees a buffer that another thread still fills or sends.
 * Out of a common pool another exchange would get it in this state. A head that is still being sent
 * when the sending has returned is left to the garbage collector, and so is one that another thread
 * frees, and one that was not sent whole; so nobody else has the one that is used again.
 */
final class HeadBuffers implements ByteBufferPool {

  private static final int BUFFER = 0;
  private static final int SENDING = 1;

  private final int size;

  /** Of JDK classes only, so that a container's thread keeps nothing of a stopped application. */
  private final ThreadLocal<@Nullable Object[]> kept =
      ThreadLocal.withInitial(() -> new @Nullable Object[2]);

  /**
   * @param size of the buffer for a head, in bytes
   */
  HeadBuffers(int size) {
    this.size = size;
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

  @Override
  public RetainableByteBuffer.Mutable acquire(int wanted, boolean direct) {
    @Nullable Object[] mine = kept.get();
    Object sending = mine[SENDING];
    if (sending == null || direct || wanted != size) {
      return NON_POOLING.acquire(wanted, direct);
    }
    ByteBuffer last = (ByteBuffer) mine[BUFFER];
    mine[BUFFER] = null;
    ByteBuffer buffer = last == null ? ByteBuffer.allocate(size) : last.clear();
    return RetainableByteBuffer.wrap(buffer.limit(0), () -> release(buffer, mine, sending));
  }

  private void release(ByteBuffer buffer, @Nullable Object[] user, Object sending) {
    @Nullable Object[] mine = kept.get();
    if (mine == user && mine[SENDING] == sending && !buffer.hasRemaining()) {
      mine[BUFFER] = buffer;
    }
  }

  @Override
  public void clear() {
    // A thread keeps at most one buffer, which the garbage collector may have after the client.
  }
}
