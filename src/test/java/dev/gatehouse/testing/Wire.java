package dev.gatehouse.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Reads HTTP/1.1 messages as they are, without understanding more than where they end. */
final class Wire {
  private Wire() {}

  /** The lines up to the empty one, without their ends; an empty list at the end of the stream. */
  static List<String> readHead(InputStream in) throws IOException {
    List<String> lines = new ArrayList<>();
    for (String line = readLine(in); line != null; line = readLine(in)) {
      if (line.isEmpty() && !lines.isEmpty()) {
        return lines;
      }
      if (!line.isEmpty()) {
        lines.add(line);
      }
    }
    if (!lines.isEmpty()) {
      throw new IOException("the connection ended within the head: " + lines);
    }
    return lines;
  }

  /** The values of a field in the order of its lines, without the white space around them. */
  static List<String> values(List<String> lines, String name) {
    String start = name.toLowerCase(Locale.ROOT) + ":";
    return lines.stream()
        .filter(line -> line.toLowerCase(Locale.ROOT).startsWith(start))
        .map(line -> line.substring(start.length()).strip())
        .toList();
  }

  /** Reads exactly so many bytes into {@code body}; false when the stream ends before. */
  static boolean readFixed(InputStream in, long length, ByteArrayOutputStream body)
      throws IOException {
    for (long left = length; left > 0; ) {
      byte[] part = in.readNBytes((int) Math.min(left, 65_536));
      body.write(part);
      left -= part.length;
      if (part.length == 0) {
        return false;
      }
    }
    return true;
  }

  /**
   * Reads a chunked body, and its trailer fields into {@code trailers}; false when the stream ends
   * before them.
   */
  static boolean readChunked(InputStream in, ByteArrayOutputStream body, List<String> trailers)
      throws IOException {
    while (true) {
      int size = readChunkSize(in);
      if (size < 0) {
        return false;
      }
      if (size > 0 && !readFixed(in, size, body)) {
        return false;
      }
      if (size == 0) {
        return readTrailers(in, trailers);
      }
      if (readLine(in) == null) {
        return false;
      }
    }
  }

  /** Reads the line before a chunk; its size, or -1 at the end of the stream. */
  static int readChunkSize(InputStream in) throws IOException {
    String line = readLine(in);
    return line == null ? -1 : Integer.parseInt(line.replaceFirst(";.*", "").strip(), 16);
  }

  /** Reads what follows the last chunk; false when the stream ends before. */
  static boolean readTrailers(InputStream in, List<String> trailers) throws IOException {
    String line = readLine(in);
    while (line != null && !line.isEmpty()) {
      trailers.add(line);
      line = readLine(in);
    }
    return line != null;
  }

  /** A line without its end; null at the end of the stream, even amid a line. */
  static String readLine(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = in.read(); b >= 0; b = in.read()) {
      if (b == '\n') {
        String text = line.toString(ISO_8859_1);
        return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
      }
      line.write(b);
    }
    return null;
  }
}
