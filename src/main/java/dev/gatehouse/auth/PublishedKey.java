package dev.gatehouse.auth;

import com.auth0.jwt.algorithms.Algorithm;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A key of a key set (RFC 7517): what it may verify is decided by its type, its curve and its own
 * {@code alg}.
 *
 * @param id {@code kid}, or null if it has none
 * @param algorithm {@code alg}, or null if it has none
 */
record PublishedKey(@Nullable String id, PublicKey key, @Nullable String algorithm) {

  private static final Map<String, String> CURVES =
      Map.of("P-256", "secp256r1", "P-384", "secp384r1", "P-521", "secp521r1");

  /** Hundreds are many already, and each that is bad costs time, too. */
  private static final int MOST = 1000;

  /** Trailing text and duplicate names are no JSON that two readers would read alike. */
  private static final ObjectReader JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build()
          .reader();

  /** What the key verifies; never empty for a key of a set. */
  List<Algorithm> algorithms() {
    return Keys.ofPublicKey(key).stream()
        .filter(allowed -> algorithm == null || algorithm.equals(allowed.getName()))
        .toList();
  }

  /**
   * Reads a key set. Keys that are not for RSA or ECDSA signatures, are too weak or malformed are
   * left out (RFC 7517 section 5); certificates and URLs in it are not looked at.
   *
   * @return at least one key
   * @throws IllegalArgumentException if it is no key set, or none of its keys can be used
   */
  static List<PublishedKey> set(String document) {
    JsonNode listed = json(document).path("keys");
    if (!listed.isArray() || listed.size() > MOST) {
      throw new IllegalArgumentException(
          listed.isArray() ? "more than " + MOST + " keys" : "no key set");
    }
    List<PublishedKey> keys = new ArrayList<>();
    for (JsonNode jwk : listed) {
      try {
        PublishedKey key = of(jwk);
        if (!key.algorithms().isEmpty()) {
          keys.add(key);
        }
      } catch (RuntimeException | GeneralSecurityException e) {
        // One that we cannot use does not spoil the others.
      }
    }
    if (keys.isEmpty()) {
      throw new IllegalArgumentException("none of its keys can be used");
    }
    return keys;
  }

  /**
   * A JSON object.
   *
   * @throws IllegalArgumentException if it is none
   */
  static JsonNode json(String document) {
    try {
      JsonNode json = JSON.readTree(document);
      if (json.isObject()) {
        return json;
      }
    } catch (IOException e) {
      // Told without its words, which quote the document.
    }
    throw new IllegalArgumentException("no JSON object");
  }

  private static PublishedKey of(JsonNode jwk) throws GeneralSecurityException {
    JsonNode operations = jwk.path("key_ops");
    // Some write what they do not say as null, and no operations as an empty list.
    boolean forAll = operations.isMissingNode() || operations.isNull();
    if ((jwk.hasNonNull("use") && !text(jwk, "use").equals("sig"))
        || (!forAll && !(operations.isArray() && isForVerifying(operations)))) {
      throw new IllegalArgumentException("not for signatures");
    }
    String id = jwk.hasNonNull("kid") ? text(jwk, "kid") : null;
    String algorithm = jwk.hasNonNull("alg") ? text(jwk, "alg") : null;
    return new PublishedKey(id, key(jwk), algorithm);
  }

  private static boolean isForVerifying(JsonNode operations) {
    for (JsonNode operation : operations) {
      if (operation.isTextual() && operation.textValue().equals("verify")) {
        return true;
      }
    }
    return operations.isEmpty();
  }

  private static PublicKey key(JsonNode jwk) throws GeneralSecurityException {
    String type = text(jwk, "kty");
    if (type.equals("RSA")) {
      return KeyFactory.getInstance("RSA")
          .generatePublic(new RSAPublicKeySpec(number(jwk, "n"), number(jwk, "e")));
    }
    String curve = type.equals("EC") ? CURVES.get(text(jwk, "crv")) : null;
    if (curve == null) {
      throw new IllegalArgumentException("another type of key");
    }
    ECPoint point = new ECPoint(number(jwk, "x"), number(jwk, "y"));
    return KeyFactory.getInstance("EC")
        .generatePublic(new ECPublicKeySpec(point, Keys.curve(curve)));
  }

  private static BigInteger number(JsonNode jwk, String name) {
    return new BigInteger(1, Base64.getUrlDecoder().decode(text(jwk, name)));
  }

  private static String text(JsonNode jwk, String name) {
    JsonNode value = jwk.path(name);
    if (!value.isTextual()) {
      throw new IllegalArgumentException(name);
    }
    return value.textValue();
  }
}
