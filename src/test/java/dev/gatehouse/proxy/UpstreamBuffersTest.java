package dev.gatehouse.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.eclipse.jetty.io.RetainableByteBuffer;
import org.junit.jupiter.api.Test;

class UpstreamBuffersTest {

  private static final int SIZE = 1024;
  private static final int READ = 512;
  private static final int LONG_READ = 4096;

  private final UpstreamBuffers buffers = new UpstreamBuffers(SIZE, READ, LONG_READ);

  @SuppressWarnings("ByteBufferBackingArray") // The memory itself is the point.
  private static byte[] array(ByteBuffer buffer) {
    return buffer.array();
  }

  private static void letGo(RetainableByteBuffer buffer) {
    assertThat(buffer.release()).isTrue();
  }

  /** The bytes behind the buffer that this thread gets next while it sends. */
  private byte[] next() {
    byte[][] next = new byte[1][];
    buffers.during(() -> next[0] = array(buffers.acquire(SIZE, false).getByteBuffer()));
    return next[0];
  }

  @Test
  void aBufferThatWasLetGoWithinTheSendingIsUsedAgainAndEmpty() {
    byte[][] first = new byte[1][];
    buffers.during(
        () -> {
          RetainableByteBuffer buffer = buffers.acquire(SIZE, false);
          ByteBuffer bytes = buffer.getByteBuffer();
          bytes.limit(7).position(7);
          first[0] = array(bytes);
          letGo(buffer);
        });

    buffers.during(
        () -> {
          ByteBuffer again = buffers.acquire(SIZE, false).getByteBuffer();
          assertThat(array(again)).isSameAs(first[0]);
          assertThat(again.remaining()).isZero();
          assertThat(again.capacity()).isEqualTo(SIZE);
        });
  }

  @Test
  void oneThatWasNotSentWholeIsNotUsedAgain() {
    byte[][] first = new byte[1][];
    buffers.during(
        () -> {
          RetainableByteBuffer buffer = buffers.acquire(SIZE, false);
          ByteBuffer bytes = buffer.getByteBuffer();
          bytes.limit(7).position(3);
          first[0] = array(bytes);
          letGo(buffer);
        });

    assertThat(next()).isNotSameAs(first[0]);
  }

  @Test
  void twoThatAreInUseAreTwo() {
    buffers.during(
        () ->
            assertThat(array(buffers.acquire(SIZE, false).getByteBuffer()))
                .isNotSameAs(array(buffers.acquire(SIZE, false).getByteBuffer())));
  }

  @Test
  void oneThatIsLetGoAfterTheSendingIsNotUsedAgain() {
    RetainableByteBuffer[] late = new RetainableByteBuffer[1];
    buffers.during(() -> late[0] = buffers.acquire(SIZE, false));
    letGo(late[0]);

    assertThat(next()).isNotSameAs(array(late[0].getByteBuffer()));
  }

  @Test
  void oneThatIsLetGoInALaterSendingIsNotUsedAgain() {
    RetainableByteBuffer[] late = new RetainableByteBuffer[1];
    buffers.during(() -> late[0] = buffers.acquire(SIZE, false));
    buffers.during(() -> letGo(late[0]));

    assertThat(next()).isNotSameAs(array(late[0].getByteBuffer()));
  }

  @Test
  void oneThatAnotherThreadLetsGoIsUsedAgainByNobody() {
    RetainableByteBuffer[] buffer = new RetainableByteBuffer[1];
    byte[][] ofTheOther = new byte[1][];
    Thread other =
        new Thread(
            () ->
                buffers.during(
                    () -> {
                      letGo(buffer[0]);
                      ofTheOther[0] = array(buffers.acquire(SIZE, false).getByteBuffer());
                    }));
    buffers.during(
        () -> {
          buffer[0] = buffers.acquire(SIZE, false);
          other.start();
          joined(other);
        });

    byte[] first = array(buffer[0].getByteBuffer());
    assertThat(ofTheOther[0]).isNotNull().isNotSameAs(first);
    assertThat(next()).isNotSameAs(first);
  }

  private static void joined(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** The bytes behind the buffer that this thread gets next while it waits for an answer. */
  private byte[] nextAnswer() {
    buffers.waitFrom(new Object());
    byte[] next = array(buffers.acquire(READ, false).getByteBuffer());
    buffers.waitNoMore();
    return next;
  }

  @Test
  void anAnswersBufferThatWasLetGoWithinTheWaitIsUsedAgainAndEmpty() {
    buffers.waitFrom(new Object());
    RetainableByteBuffer buffer = buffers.acquire(READ, false);
    byte[] first = array(buffer.getByteBuffer());
    assertThat(array(buffers.acquire(READ, false).getByteBuffer())).isNotSameAs(first);
    buffer.getByteBuffer().limit(7).position(3);
    letGo(buffer);
    buffers.waitNoMore();

    buffers.waitFrom(new Object());
    ByteBuffer again = buffers.acquire(READ, false).getByteBuffer();
    buffers.waitNoMore();

    assertThat(array(again)).isSameAs(first);
    assertThat(again.remaining()).isZero();
    assertThat(again.capacity()).isEqualTo(READ);
  }

  @Test
  void anAnswersBufferThatIsLetGoAfterTheWaitIsNotUsedAgain() {
    buffers.waitFrom(new Object());
    RetainableByteBuffer late = buffers.acquire(READ, false);
    RetainableByteBuffer later = buffers.acquire(READ, false);
    buffers.waitNoMore();
    letGo(late);
    buffers.waitFrom(new Object());
    letGo(later);
    buffers.waitNoMore();

    assertThat(nextAnswer())
        .isNotSameAs(array(late.getByteBuffer()))
        .isNotSameAs(array(later.getByteBuffer()));
  }

  @Test
  void anAnswersBufferThatAnotherThreadLetsGoIsNotUsedAgain() {
    buffers.waitFrom(new Object());
    RetainableByteBuffer buffer = buffers.acquire(READ, false);
    byte[][] ofTheOther = new byte[1][];
    Thread other =
        new Thread(
            () -> {
              letGo(buffer);
              ofTheOther[0] = nextAnswer();
            });
    other.start();
    joined(other);
    byte[] ofThisOne = array(buffers.acquire(READ, false).getByteBuffer());
    buffers.waitNoMore();

    assertThat(ofThisOne).isNotSameAs(array(buffer.getByteBuffer()));
    assertThat(ofTheOther[0]).isNotNull().isNotSameAs(array(buffer.getByteBuffer()));
  }

  @Test
  void whoDoesNotWaitGetsABufferThatServesOnce() {
    RetainableByteBuffer buffer = buffers.acquire(READ, false);
    letGo(buffer);

    assertThat(array(buffers.acquire(READ, false).getByteBuffer()))
        .isNotSameAs(array(buffer.getByteBuffer()));
    assertThat(nextAnswer()).isNotSameAs(array(buffer.getByteBuffer()));
  }

  @Test
  void whatIsNotAHeadServesOnce() {
    RetainableByteBuffer outside = buffers.acquire(SIZE, false);
    byte[] first = array(outside.getByteBuffer());
    letGo(outside);
    assertThat(next()).isNotSameAs(first);

    buffers.during(
        () -> {
          RetainableByteBuffer larger = buffers.acquire(2 * SIZE, false);
          byte[] bytes = array(larger.getByteBuffer());
          letGo(larger);
          assertThat(array(buffers.acquire(2 * SIZE, false).getByteBuffer())).isNotSameAs(bytes);
        });
  }

  @Test
  void whoHasReadABufferFullGetsALargerOneToReadInto() {
    assertThat(buffers.acquire(READ, false).getByteBuffer().capacity()).isEqualTo(READ);

    buffers.read(true);
    assertThat(buffers.acquire(READ, false).getByteBuffer().capacity()).isEqualTo(LONG_READ);

    buffers.read(false);
    assertThat(buffers.acquire(READ, false).getByteBuffer().capacity()).isEqualTo(READ);
  }

  @Test
  void anotherSizeIsWhatWasAskedFor() {
    buffers.read(true);

    assertThat(buffers.acquire(SIZE, false).getByteBuffer().capacity()).isEqualTo(SIZE);
  }
}
