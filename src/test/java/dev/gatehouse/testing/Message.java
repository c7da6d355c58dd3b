package dev.gatehouse.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What the bytes of one message say, as text of ISO-8859-1.
 *
 * @param head its lines up to the empty one
 * @param body its body, chunks joined
 * @param trailers the lines of the trailer fields behind it
 */
public record Message(List<String> head, String body, List<String> trailers) {
  /** Reads a message that is whole. */
  public static Message of(String bytes) {
    InputStream in = new ByteArrayInputStream(bytes.getBytes(ISO_8859_1));
    try {
      List<String> head = Wire.readHead(in);
      ByteArrayOutputStream body = new ByteArrayOutputStream();
      List<String> trailers = new ArrayList<>();
      List<String> lengths = Wire.values(head, "Content-Length");
      if (Wire.values(head, "Transfer-Encoding").contains("chunked")) {
        Wire.readChunked(in, body, trailers);
      } else if (!lengths.isEmpty()) {
        Wire.readFixed(in, Long.parseLong(lengths.get(0)), body);
      } else {
        in.transferTo(body);
      }
      return new Message(head, body.toString(ISO_8859_1), trailers);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The values of a field in the order of its lines. */
  public List<String> values(String name) {
    return Wire.values(head.subList(1, head.size()), name);
  }
}
