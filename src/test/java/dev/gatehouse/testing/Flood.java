package dev.gatehouse.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A body of any length that nobody needs to hold: each of its bytes follows from its place, so that
 * it can be compared while it arrives. One thread may write it while another reads it.
 */
public final class Flood {
  // A prime, so that no buffer's length divides it and bytes in a wrong place are seen.
  private static final byte[] PATTERN = new byte[1_048_573];
  private static final int PIECE = 65_536;

  static {
    new Random(1).nextBytes(PATTERN);
  }

  private final long length;
  private final AtomicLong written = new AtomicLong();
  private final AtomicLong read = new AtomicLong();

  /** A body of so many bytes. */
  public Flood(long length) {
    this.length = length;
  }

  /** Its length. */
  public long length() {
    return length;
  }

  /** How many bytes a socket has taken so far. */
  public long written() {
    return written.get();
  }

  /** How many bytes have arrived so far. */
  public long read() {
    return read.get();
  }

  /** Writes all that is left of it, as it is. */
  public void write(OutputStream out) throws IOException {
    write(out, length - written.get());
  }

  /** Writes the next bytes of it, as they are. */
  public void write(OutputStream out, long count) throws IOException {
    long end = written.get() + count;
    while (written.get() < end) {
      writePiece(out, pieceAt(written.get(), end));
    }
    out.flush();
  }

  /** Writes all that is left of it in chunks, the last chunk included. */
  public void writeChunked(OutputStream out) throws IOException {
    while (written.get() < length) {
      int piece = pieceAt(written.get(), length);
      out.write((Integer.toHexString(piece) + "\r\n").getBytes(StandardCharsets.US_ASCII));
      writePiece(out, piece);
      out.write("\r\n".getBytes(StandardCharsets.US_ASCII));
    }
    out.write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    out.flush();
  }

  private void writePiece(OutputStream out, int piece) throws IOException {
    out.write(PATTERN, (int) (written.get() % PATTERN.length), piece);
    written.addAndGet(piece);
  }

  /** Reads to the stream's end; fails where a byte differs, or if it has another length. */
  public void compare(InputStream in) throws IOException {
    compare(in, Long.MAX_VALUE - read.get());
    if (read.get() != length) {
      throw new AssertionError(read + " bytes arrived of " + length);
    }
  }

  /** Reads so many bytes, or to the stream's end; fails where a byte differs. */
  public void compare(InputStream in, long count) throws IOException {
    byte[] bytes = new byte[PIECE];
    long end = read.get() + count;
    while (read.get() < end) {
      long place = read.get();
      int got = in.read(bytes, 0, pieceAt(place, end));
      if (got < 0) {
        return;
      }
      int at = (int) (place % PATTERN.length);
      int differs = Arrays.mismatch(bytes, 0, got, PATTERN, at, at + got);
      if (differs >= 0 || place + got > length) {
        throw new AssertionError("a wrong byte arrived at " + (place + Math.max(differs, 0)));
      }
      read.addAndGet(got);
    }
  }

  /** How many bytes may be taken at once: not beyond the end, nor beyond the pattern's. */
  private static int pieceAt(long place, long end) {
    long toEndOfPattern = PATTERN.length - place % PATTERN.length;
    return (int) Math.min(PIECE, Math.min(end - place, toEndOfPattern));
  }
}
