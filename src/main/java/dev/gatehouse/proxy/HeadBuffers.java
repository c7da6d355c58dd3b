package dev.gatehouse.proxy;

import java.nio.ByteBuffer;
import org.eclipse.jetty.io.ByteBufferPool;
import org.eclipse.jetty.io.RetainableByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Buffers for Jetty's client. The one for the head of a request is used again by the thread that
 * sends it, if it was written out and let go within the sending. All others serve once; who has
 * just read a buffer full gets a larger one, because each takes its turn in the server.
 *
 * <p>Under aborts the client now and then frees a buffer that another thread still fills or sends.
 * Out of a common pool another exchange would get it in this state. A head that is still being sent
 * when the sending has returned is left to the garbage collector, and so is one that another thread
 * frees, and one that was not sent whole; so nobody else has the one that is used again.
 */
final class HeadBuffers implements ByteBufferPool {

  private static final int BUFFER = 0;
  private static final int SENDING = 1;
  private static final int MORE = 2;

  private final int size;
  private final int readSize;
  private final int longReadSize;

  /** Of JDK classes only, so that a container's thread keeps nothing of a stopped application. */
  private final ThreadLocal<@Nullable Object[]> kept =
      ThreadLocal.withInitial(() -> new @Nullable Object[3]);

  /**
   * @param size of the buffer for a head, in bytes
   * @param readSize of a buffer that an answer is read into, as the client asks for it
   * @param longReadSize what it gets in its place where more is to be read than that
   */
  HeadBuffers(int size, int readSize, int longReadSize) {
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

  @Override
  public RetainableByteBuffer.Mutable acquire(int wanted, boolean direct) {
    @Nullable Object[] mine = kept.get();
    Object sending = mine[SENDING];
    if (sending == null || direct || wanted != size) {
      boolean large = mine[MORE] != null && !direct && wanted == readSize;
      return NON_POOLING.acquire(large ? longReadSize : wanted, direct);
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
