package dev.gatehouse.proxy;

import java.util.Locale;
import java.util.Set;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;

/**
 * How an answer is handed to the client, by what its header says.
 *
 * @param inParts each part at once: somebody waits for it, and not for the whole
 * @param mayBeQuiet for as long as nothing happens that is worth an event
 * @param takesHeartbeats a comment between two events changes nothing for whoever reads it
 */
record Delivery(boolean inParts, boolean mayBeQuiet, boolean takesHeartbeats) {

  private static final String EVENTS = "text/event-stream";

  private static final Set<String> IN_PARTS =
      Set.of(
          EVENTS,
          "application/x-ndjson",
          "application/ndjson",
          "application/jsonl",
          "application/json-seq",
          "application/stream+json",
          "multipart/x-mixed-replace");

  private static final Delivery WHOLE = new Delivery(false, false, false);

  static Delivery of(HttpFields fields, boolean hasBody) {
    String contentType = fields.get(HttpHeader.CONTENT_TYPE);
    if (!hasBody || contentType == null) {
      return WHOLE;
    }
    int semicolon = contentType.indexOf(';');
    String type =
        (semicolon < 0 ? contentType : contentType.substring(0, semicolon))
            .strip()
            .toLowerCase(Locale.ROOT);
    boolean events = type.equals(EVENTS);
    // What nginx has taught services to say.
    boolean unbuffered = "no".equalsIgnoreCase(fields.get("X-Accel-Buffering"));
    boolean plain =
        !fields.contains(HttpHeader.CONTENT_LENGTH)
            && !fields.contains(HttpHeader.CONTENT_ENCODING);
    return new Delivery(unbuffered || IN_PARTS.contains(type), events, events && plain);
  }
}
