package dev.gatehouse.proxy;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.transport.HttpConversation;
import org.eclipse.jetty.client.transport.HttpRequest;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.jspecify.annotations.Nullable;

/**
 * A request whose method, path and query go out byte for byte. Jetty's own takes them through
 * {@link URI}, which refuses what clients do send ({@code ?q=a|b}), and turns the method to upper
 * case.
 */
final class UpstreamRequest extends HttpRequest {

  /** What Jetty's class wants to be made with; it takes no host name with an underscore. */
  private static final URI ANY = URI.create("http://localhost/");

  private final Upstream upstream;
  private final String method;
  private final String path;
  private final @Nullable String query;
  private volatile Consumer<HttpFields> earlyHints = fields -> {};
  private volatile BooleanSupplier mayWait = () -> true;
  private volatile @Nullable Thread waiting;
  private boolean leftHere;

  UpstreamRequest(
      HttpClient client,
      Upstream upstream,
      String method,
      String rawPath,
      @Nullable String rawQuery) {
    this(
        client,
        upstream,
        onTheWire(rawPath),
        rawQuery == null ? null : onTheWire(rawQuery),
        method,
        HttpFields.EMPTY);
  }

  private UpstreamRequest(
      HttpClient client,
      Upstream upstream,
      String path,
      @Nullable String query,
      String method,
      HttpFields fields) {
    super(client, new HttpConversation(), ANY);
    scheme(upstream.scheme());
    host(upstream.host());
    port(upstream.port());
    if (fields.size() > 0) {
      headers(headers -> headers.clear().add(fields));
    }
    this.upstream = upstream;
    this.method = method;
    this.path = path;
    this.query = query;
  }

  /** The same request once more. It must have no body: that is gone. */
  UpstreamRequest again() {
    return new UpstreamRequest(getHttpClient(), upstream, path, query, method, getHeaders());
  }

  /**
   * Says that no body follows. Jetty's client would give a bodiless GET with a Content-Type a
   * length of zero, and would take that of a PATCH or DELETE away; it looks only at fields that it
   * knows.
   */
  void withoutBody() {
    if (!method.equals("POST") && !method.equals("PUT")) {
      headers(
          headers -> {
            headers.computeField(HttpHeader.CONTENT_LENGTH, UpstreamRequest::unknown);
            headers.computeField(HttpHeader.CONTENT_TYPE, UpstreamRequest::unknown);
          });
    }
  }

  private static @Nullable HttpField unknown(HttpHeader header, @Nullable List<HttpField> fields) {
    return fields == null ? null : new HttpField(null, header.asString(), fields.get(0).getValue());
  }

  /** Says what to do with a 103; nothing, if nothing is said (RFC 8297). */
  void onEarlyHints(Consumer<HttpFields> listener) {
    earlyHints = listener;
  }

  /** Says how to find out whether whoever hears of the answer may have to wait for a thread. */
  void mayWaitIf(BooleanSupplier condition) {
    mayWait = condition;
  }

  /** Says which thread sends it and waits for the answer; nobody does if null. */
  void waitFor(@Nullable Thread thread) {
    waiting = thread;
  }

  boolean isWaitedForHere() {
    return waiting == Thread.currentThread();
  }

  /** Says whether nobody hears of the answer but the thread that waits for it. */
  void leaveHere(boolean left) {
    leftHere = left;
  }

  boolean isLeftHere() {
    return leftHere;
  }

  boolean mayWait() {
    return mayWait.getAsBoolean();
  }

  void tellEarlyHints(HttpFields fields) {
    earlyHints.accept(fields);
  }

  /** Jetty reads what is no ASCII as UTF-8, but writes a target one byte for each character. */
  private static String onTheWire(String target) {
    for (int i = 0; i < target.length(); i++) {
      if (target.charAt(i) >= 0x80) {
        return new String(target.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
      }
    }
    return target;
  }

  Upstream upstream() {
    return upstream;
  }

  @Override
  public String getMethod() {
    return method;
  }

  @Override
  public String getPath() {
    return path;
  }

  @Override
  public @Nullable String getQuery() {
    return query;
  }

  /** The origin only: whoever needs the target asks for path and query. */
  @Override
  public URI getURI() {
    return getOrigin();
  }
}
