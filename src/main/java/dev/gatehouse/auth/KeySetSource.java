package dev.gatehouse.auth;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/**
 * Where a provider publishes its keys: a URL, or the one that its issuer's discovery document names
 * (OpenID Connect Discovery 1.0 section 4).
 *
 * @param url of the key set, or nothing if it is to be discovered
 * @param issuer whose document names it; not looked at if there is a URL
 */
record KeySetSource(Optional<URI> url, String issuer) {

  private static final String WELL_KNOWN = "/.well-known/openid-configuration";

  /** Hundreds of keys with certificates are less. */
  private static final int LARGEST = 1 << 20;

  private static final Duration CONNECT = Duration.ofSeconds(3);
  private static final Duration SILENCE = Duration.ofSeconds(5);
  private static final Duration TOTAL = Duration.ofSeconds(10);

  /**
   * @param text of an admin or of a provider
   * @throws IllegalArgumentException if it is none; the message says what was expected
   */
  static URI url(String text) {
    try {
      URI url = URI.create(text);
      if (("https".equals(url.getScheme()) || "http".equals(url.getScheme()))
          && url.getHost() != null
          && url.getUserInfo() == null
          && url.getFragment() == null) {
        return url;
      }
    } catch (IllegalArgumentException e) {
      // Said below in words that are ours.
    }
    throw new IllegalArgumentException("an http or https URL without user and fragment");
  }

  /** The URL that is asked first; it tells one source from another. */
  URI first() {
    return url.orElseGet(
        () -> {
          String base = issuer.endsWith("/") ? issuer.substring(0, issuer.length() - 1) : issuer;
          return url(base + WELL_KNOWN);
        });
  }

  /** Whether nobody on the way can put keys of his own in place. */
  boolean isAuthentic() {
    String host = first().getHost();
    return "https".equals(first().getScheme())
        || host.equals("localhost")
        || host.equals("[::1]")
        || host.startsWith("127.");
  }

  /**
   * Fetches the set; blocks for some 10 s at most, and for as long again if it has to be
   * discovered.
   *
   * @param threads break off what takes too long
   * @return the document, as it came
   */
  String fetch(KeyThreads threads) throws KeySetException {
    String document = get(first(), threads);
    return url.isPresent() ? document : get(named(document), threads);
  }

  private URI named(String document) throws KeySetException {
    try {
      JsonNode discovered = PublishedKey.json(document);
      // Else one provider could name another's keys as its own (section 4.3).
      if (!issuer.equals(discovered.path("issuer").textValue())) {
        throw new KeySetException("garbled", "the document at " + first() + " is another issuer's");
      }
      URI named = url(String.valueOf(discovered.path("jwks_uri").textValue()));
      if (issuer.startsWith("https:") && !"https".equals(named.getScheme())) {
        throw new KeySetException("garbled", "its jwks_uri leaves https: " + named);
      }
      return named;
    } catch (IllegalArgumentException e) {
      throw new KeySetException("garbled", first() + " names no jwks_uri: " + e.getMessage());
    }
  }

  /**
   * Gets a document. The JDK's old client keeps no thread and, so told, no connection between two
   * fetches, and knows the proxies that the JVM was told of.
   */
  private static String get(URI from, KeyThreads threads) throws KeySetException {
    long end = System.nanoTime() + TOTAL.toNanos();
    try {
      HttpURLConnection connection = (HttpURLConnection) from.toURL().openConnection();
      connection.setConnectTimeout((int) CONNECT.toMillis());
      connection.setReadTimeout((int) SILENCE.toMillis());
      connection.setInstanceFollowRedirects(false);
      connection.setUseCaches(false);
      connection.setRequestProperty("Accept", "application/json");
      connection.setRequestProperty("Connection", "close");
      // A head that comes byte by byte is never silent for long enough.
      KeyThreads.Limit limit = threads.limit(TOTAL, connection::disconnect);
      try {
        int status = connection.getResponseCode();
        if (status != 200) {
          throw new KeySetException("status", from + " answered " + status);
        }
        try (InputStream in = connection.getInputStream()) {
          return read(in, from, end);
        }
      } finally {
        limit.end();
        connection.disconnect();
      }
    } catch (SocketTimeoutException e) {
      throw new KeySetException("timeout", from + " did not answer in time");
    } catch (IOException | RuntimeException e) {
      throw new KeySetException("unreachable", from + ": " + e);
    }
  }

  private static String read(InputStream in, URI from, long end)
      throws IOException, KeySetException {
    ByteArrayOutputStream document = new ByteArrayOutputStream();
    byte[] bytes = new byte[8192];
    for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
      document.write(bytes, 0, count);
      if (document.size() > LARGEST) {
        throw new KeySetException("too_large", from + " answered with more than 1 MiB");
      }
      if (System.nanoTime() - end > 0) {
        throw new SocketTimeoutException();
      }
    }
    return document.toString(StandardCharsets.UTF_8);
  }
}
