package dev.gatehouse.testing;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Locale;

/**
 * A client that speaks just enough HTTP/2, in clear text, to ask one thing after the other and to
 * leave.
 */
public final class RawHttp2Client implements AutoCloseable {
  private static final int DATA = 0;
  private static final int HEADERS = 1;
  private static final int RST_STREAM = 3;
  private static final int SETTINGS = 4;
  private static final short INITIAL_WINDOW_SIZE = 4;
  private static final int GOAWAY = 7;
  private static final int WINDOW_UPDATE = 8;
  private static final int ACKNOWLEDGED = 1;
  private static final int END_STREAM = 1;
  private static final int END_HEADERS = 4;
  private static final int END_STREAM_AND_HEADERS = 5;
  private static final byte CANCEL = 8;

  // Fields and names of the static table (RFC 7541 appendix A); the literals are not indexed.
  private static final int METHOD = 2;
  private static final int SCHEME_HTTP = 0x80 | 6;
  private static final int AUTHORITY = 1;
  private static final int PATH = 4;
  private static final byte[] AUTHORIZATION = {15, 23 - 15};
  private static final int STATUS = 8;
  private static final int[] INDEXED_STATUS = {200, 204, 206, 304, 400, 404, 500};

  private static final int LONGEST_SHORT_LENGTH = 126;

  private final RawClient connection;
  private int stream = 1;
  private boolean ended;

  /** Begins to speak on a connection that nothing was sent on yet. */
  public RawHttp2Client(RawClient connection) {
    this(connection, new byte[0]);
  }

  /**
   * One that takes the head of an answer, and so many bytes of its body (RFC 9113 section 6.9.2).
   */
  public static RawHttp2Client taking(int window, RawClient connection) {
    return new RawHttp2Client(
        connection, ByteBuffer.allocate(6).putShort(INITIAL_WINDOW_SIZE).putInt(window).array());
  }

  /** Takes so many bytes more. */
  public void take(int bytes) {
    byte[] increment = ByteBuffer.allocate(4).putInt(bytes).array();
    connection.send(frame(WINDOW_UPDATE, 0, 0, increment));
    connection.send(frame(WINDOW_UPDATE, 0, stream, increment));
  }

  private RawHttp2Client(RawClient connection, byte[] settings) {
    this.connection = connection;
    ByteArrayOutputStream preface = new ByteArrayOutputStream();
    preface.writeBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII));
    preface.writeBytes(frame(SETTINGS, 0, 0, settings));
    connection.send(preface.toByteArray());
  }

  /** Sends a GET with a bearer token. */
  public void get(String target, String token) {
    connection.send(frame(HEADERS, END_STREAM_AND_HEADERS, stream, block("GET", target, token)));
  }

  /** Sends a HEAD with a bearer token. */
  public void head(String target, String token) {
    connection.send(frame(HEADERS, END_STREAM_AND_HEADERS, stream, block("HEAD", target, token)));
  }

  /** Sends the head of a request with a bearer token, and not that nothing follows. */
  public void begin(String method, String target, String token) {
    connection.send(frame(HEADERS, END_HEADERS, stream, block(method, target, token)));
  }

  /** Sends the head of a request with these header lines, and whether nothing follows. */
  public void begin(String method, String target, List<String> lines, boolean whole) {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    block.writeBytes(block(method, target));
    for (String line : lines) {
      int colon = line.indexOf(':');
      block.write(0);
      text(block, line.substring(0, colon).toLowerCase(Locale.ROOT));
      text(block, line.substring(colon + 1).strip());
    }
    int flags = whole ? END_STREAM_AND_HEADERS : END_HEADERS;
    connection.send(frame(HEADERS, flags, stream, block.toByteArray()));
  }

  /** Sends a part of the body. */
  public void send(byte[] part) {
    connection.send(frame(DATA, 0, stream, part));
  }

  /** Sends the last part of the body. */
  public void sendLast(byte[] part) {
    connection.send(frame(DATA, END_STREAM, stream, part));
  }

  /** Sends a field behind the body, which is its end. */
  public void sendTrailers() {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    block.write(0);
    text(block, "x-behind");
    text(block, "it");
    connection.send(frame(HEADERS, END_STREAM_AND_HEADERS, stream, block.toByteArray()));
  }

  /** Takes the request back (RFC 9113 section 5.4.2). */
  public void cancel() {
    connection.send(frame(RST_STREAM, 0, stream, new byte[] {0, 0, 0, CANCEL}));
  }

  /** What is sent and received from here on is another exchange. */
  public void next() {
    stream += 2;
    ended = false;
  }

  private static byte[] block(String method, String target, String token) {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    block.writeBytes(block(method, target));
    block.writeBytes(AUTHORIZATION);
    text(block, "Bearer " + token);
    return block.toByteArray();
  }

  private static byte[] block(String method, String target) {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    block.write(METHOD);
    text(block, method);
    block.write(SCHEME_HTTP);
    block.write(AUTHORITY);
    text(block, "gateway.example");
    block.write(PATH);
    text(block, target);
    return block.toByteArray();
  }

  /** Reads until the answer's head has come. */
  public void awaitHead() throws IOException {
    while (!receiveFrame().is(HEADERS)) {
      // Settings and the like.
    }
  }

  /** Reads until the answer's head has come, and returns its status. */
  public int receiveStatus() throws IOException {
    Frame frame = receiveFrame();
    while (!frame.is(HEADERS)) {
      if (frame.is(RST_STREAM)) {
        throw new IOException("the stream was reset without an answer");
      }
      frame = receiveFrame();
    }
    return status(ByteBuffer.wrap(frame.payload));
  }

  /** The first field of a block (RFC 7541 section 6), which is the status. */
  private static int status(ByteBuffer block) throws IOException {
    int first = block.get();
    while ((first & 0xe0) == 0x20) {
      // The size of the dynamic table, which may need more bytes.
      boolean more = (first & 0x1f) == 0x1f;
      while (more) {
        more = (block.get() & 0x80) != 0;
      }
      first = block.get();
    }
    if ((first & 0x80) != 0) {
      return INDEXED_STATUS[(first & 0x7f) - STATUS];
    }
    int name = first & ((first & 0x40) != 0 ? 0x3f : 0x0f);
    if (name < STATUS || name >= STATUS + INDEXED_STATUS.length) {
      throw new IOException("the first field is not a status: " + name);
    }
    int length = block.get();
    byte[] value = new byte[length & 0x7f];
    block.get(value);
    return Integer.parseInt((length & 0x80) == 0 ? new String(value, US_ASCII) : digits(value));
  }

  /** Huffman-coded digits (RFC 7541 appendix B): 0 to 2 have five bits, the others six. */
  private static String digits(byte[] coded) {
    String bits = String.format("%" + 8 * coded.length + "s", new BigInteger(1, coded).toString(2));
    bits = bits.replace(' ', '0');
    StringBuilder digits = new StringBuilder();
    int at = 0;
    while (digits.length() < 3) {
      int five = Integer.parseInt(bits.substring(at, at + 5), 2);
      int length = five <= 2 ? 5 : 6;
      int code = Integer.parseInt(bits.substring(at, at + length), 2);
      digits.append(length == 5 ? code : code - 0x16);
      at += length;
    }
    return digits.toString();
  }

  /** Reads the body of the answer until it has so many bytes, or is at its end. */
  public byte[] receiveBody(int length) throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    while (body.size() < length && !ended) {
      Frame frame = receiveFrame();
      if (frame.is(DATA)) {
        body.writeBytes(frame.payload);
      } else if (frame.is(RST_STREAM) || frame.is(GOAWAY)) {
        throw new IOException("broken off after " + body.size() + " bytes");
      }
    }
    return body.toByteArray();
  }

  /** Whether the answer has come to its end. */
  public boolean ended() {
    return ended;
  }

  private static final class Frame {
    private final int type;
    private final int flags;
    private final byte[] payload;

    private Frame(int type, int flags, byte[] payload) {
      this.type = type;
      this.flags = flags;
      this.payload = payload;
    }

    private boolean is(int wanted) {
      return type == wanted;
    }
  }

  private Frame receiveFrame() throws IOException {
    byte[] head = connection.receive(9);
    int length = ((head[0] & 0xff) << 16) | ((head[1] & 0xff) << 8) | (head[2] & 0xff);
    Frame frame = new Frame(head[3], head[4], connection.receive(length));
    int of = ByteBuffer.wrap(head).getInt(5);
    if (of != 0 && of != stream) {
      return receiveFrame();
    }
    if (frame.is(SETTINGS) && frame.flags == 0) {
      connection.send(frame(SETTINGS, ACKNOWLEDGED, 0, new byte[0]));
    }
    ended = ended || ((frame.is(DATA) || frame.is(HEADERS)) && (frame.flags & END_STREAM) != 0);
    return frame;
  }

  /** Leaves at once: the other side sees a reset. */
  public void abort() {
    connection.abort();
  }

  @Override
  public void close() {
    connection.close();
  }

  private static byte[] frame(int type, int flags, int stream, byte[] payload) {
    return ByteBuffer.allocate(9 + payload.length)
        .put((byte) (payload.length >> 16))
        .put((byte) (payload.length >> 8))
        .put((byte) payload.length)
        .put((byte) type)
        .put((byte) flags)
        .putInt(stream)
        .put(payload)
        .array();
  }

  /** A literal of plain octets (RFC 7541 section 5.2). */
  private static void text(ByteArrayOutputStream block, String text) {
    int length = text.length();
    if (length <= LONGEST_SHORT_LENGTH) {
      block.write(length);
    } else {
      block.write(LONGEST_SHORT_LENGTH + 1);
      int rest = length - LONGEST_SHORT_LENGTH - 1;
      for (; rest >= 128; rest /= 128) {
        block.write(rest % 128 + 128);
      }
      block.write(rest);
    }
    block.writeBytes(text.getBytes(US_ASCII));
  }
}
