package dev.gatehouse.auth;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Where a provider publishes its keys.
 *
 * @param url of the key set, or of the document that names it
 * @param discoveredFor the issuer whose document that is (OpenID Connect Discovery 1.0 section 4)
 */
record KeySetSource(URI url, Optional<String> discoveredFor) {

  private static final String WELL_KNOWN = "/.well-known/openid-configuration";

  /**
   * @throws IllegalArgumentException if it is no such URL; the message says what was expected
   */
  static KeySetSource of(String jwksUrl) {
    return new KeySetSource(httpUrl(jwksUrl), Optional.empty());
  }

  /**
   * @throws IllegalArgumentException if the issuer is no URL that has such a document
   */
  static KeySetSource discoveredFor(String issuer) {
    String base = issuer.endsWith("/") ? issuer.substring(0, issuer.length() - 1) : issuer;
    if (httpUrl(issuer).getRawQuery() != null) {
      throw new IllegalArgumentException("an issuer without a query");
    }
    return new KeySetSource(httpUrl(base + WELL_KNOWN), Optional.of(issuer));
  }

  private static URI httpUrl(String text) {
    try {
      URI url = URI.create(text);
      if (("https".equals(url.getScheme()) || "http".equals(url.getScheme()))
          && url.getHost() != null
          && url.getPort() <= 65535
          && url.getRawUserInfo() == null
          && url.getRawFragment() == null) {
        return url;
      }
    } catch (IllegalArgumentException e) {
      // Said below in words that are ours.
    }
    throw new IllegalArgumentException(
        "an http or https URL with a host of letters, digits and -, without user and fragment");
  }

  /** Whether nobody on the way can put keys of his own in place. */
  boolean isAuthentic() {
    String host = url.getHost();
    return url.getScheme().equals("https")
        || host.equals("localhost")
        || host.equals("[::1]")
        || host.matches("127(\\.\\d{1,3}){3}");
  }

  /** Fetches the set, as it comes; fails with a {@link KeySetException}. */
  CompletableFuture<String> fetch(KeySetClient client) {
    CompletableFuture<String> document = client.get(url);
    return discoveredFor.isEmpty()
        ? document
        : document.thenCompose(discovered -> client.get(named(discovered)));
  }

  /** The key set that a discovery document names. */
  private URI named(String document) {
    try {
      JsonNode discovered = PublishedKey.json(document);
      // Else one provider could name another's keys as its own (section 4.3).
      if (!discoveredFor.equals(Optional.ofNullable(discovered.path("issuer").textValue()))) {
        throw new IllegalArgumentException("it is another issuer's");
      }
      URI named = httpUrl(Objects.requireNonNullElse(discovered.path("jwks_uri").textValue(), ""));
      if (url.getScheme().equals("https") && !named.getScheme().equals("https")) {
        throw new IllegalArgumentException("its jwks_uri leaves https");
      }
      return named;
    } catch (IllegalArgumentException e) {
      throw new CompletionException(
          new KeySetException("garbled", "the document at " + url + ": " + e.getMessage()));
    }
  }
}
