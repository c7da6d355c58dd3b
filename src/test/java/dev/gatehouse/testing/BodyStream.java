package dev.gatehouse.testing;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

/**
 * The body of a message while it arrives, without its framing. It has an end only if the body is
 * whole; where it breaks off, reading fails.
 */
public final class BodyStream extends InputStream {
  private final InputStream in;
  private final boolean chunked;
  private final boolean endsWithConnection;
  private long left;
  private boolean ended;
  private boolean lineEndDue;
  private int chunks;

  /** The body behind a head whose lines are these; {@code bodiless} if none can follow. */
  BodyStream(InputStream in, List<String> head, boolean bodiless, boolean response) {
    List<String> length = Wire.values(head, "Content-Length");
    this.in = in;
    this.chunked = !bodiless && !Wire.values(head, "Transfer-Encoding").isEmpty();
    this.endsWithConnection = response && !bodiless && !chunked && length.isEmpty();
    this.left = bodiless || chunked || length.isEmpty() ? 0 : Long.parseLong(length.get(0));
    this.ended = !chunked && !endsWithConnection && left == 0;
  }

  /** How many chunks have begun, without the last, which is empty. */
  public int chunks() {
    return chunks;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    if (chunked && left == 0 && !ended) {
      nextChunk();
    }
    if (ended) {
      return -1;
    }
    int wanted = endsWithConnection ? length : (int) Math.min(left, length);
    int count = in.read(bytes, offset, wanted);
    if (endsWithConnection) {
      ended = count < 0;
      return count;
    }
    if (count < 0) {
      throw new EOFException("the body broke off");
    }
    left -= count;
    ended = !chunked && left == 0;
    return count;
  }

  private void nextChunk() throws IOException {
    // The line end behind a chunk is no part of it: some servers send it with the next one.
    if (lineEndDue && Wire.readLine(in) == null) {
      throw new EOFException("the body broke off behind a chunk");
    }
    lineEndDue = false;
    int size = Wire.readChunkSize(in);
    if (size < 0) {
      throw new EOFException("the body broke off between chunks");
    }
    left = size;
    if (size > 0) {
      chunks++;
      lineEndDue = true;
    } else if (!Wire.readTrailers(in, new ArrayList<>())) {
      throw new EOFException("the body broke off in its trailers");
    } else {
      ended = true;
    }
  }
}
