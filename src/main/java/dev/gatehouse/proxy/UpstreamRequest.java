package dev.gatehouse.proxy;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.transport.HttpConversation;
import org.eclipse.jetty.client.transport.HttpRequest;
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

  UpstreamRequest(
      HttpClient client,
      Upstream upstream,
      String method,
      String rawPath,
      @Nullable String rawQuery) {
    super(client, new HttpConversation(), ANY);
    scheme(upstream.scheme());
    host(upstream.host());
    port(upstream.port());
    this.upstream = upstream;
    this.method = method;
    this.path = onTheWire(rawPath);
    this.query = rawQuery == null ? null : onTheWire(rawQuery);
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
