package dev.gatehouse.auth;

import com.auth0.jwt.algorithms.Algorithm;
import com.auth0.jwt.exceptions.SignatureVerificationException;
import com.auth0.jwt.interfaces.Claim;
import com.auth0.jwt.interfaces.DecodedJWT;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Map;

/**
 * The three parts of a compact JWS, taken as they are: java-jwt's own decoder refuses a payload
 * that is no JSON, and so would never come to check its signature.
 */
record Jws(String header, String payload, String signature) implements DecodedJWT {

  /** A token of exactly three parts. */
  static Jws of(String token) {
    String[] parts = token.split("\\.", -1);
    if (parts.length != 3) {
      throw new IllegalArgumentException(parts.length + " parts");
    }
    return new Jws(parts[0], parts[1], parts[2]);
  }

  /** A token with such a header, and a signature made of these bytes. */
  static Jws of(String algorithm, String payload, byte[] signature) {
    return new Jws(
            encode("{\"alg\":\"%s\"}".formatted(algorithm).getBytes(StandardCharsets.UTF_8)),
            encode(payload.getBytes(StandardCharsets.UTF_8)),
            "")
        .withSignature(signature);
  }

  static String encode(byte[] part) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(part);
  }

  static byte[] decode(String part) {
    return Base64.getUrlDecoder().decode(part);
  }

  Jws withHeader(String other) {
    return new Jws(other, payload, signature);
  }

  Jws withPayload(String other) {
    return new Jws(header, other, signature);
  }

  Jws withSignature(byte[] other) {
    return new Jws(header, payload, encode(other));
  }

  byte[] signed() {
    return (header + "." + payload).getBytes(StandardCharsets.UTF_8);
  }

  /**
   * The names of those algorithms that take the signature for a good one. Only the one exception
   * that java-jwt promises means no: any other leaves this method.
   */
  List<String> verifiedBy(List<Algorithm> algorithms) {
    return algorithms.stream().filter(this::isVerifiedBy).map(Algorithm::getName).toList();
  }

  private boolean isVerifiedBy(Algorithm algorithm) {
    try {
      algorithm.verify(this);
      return true;
    } catch (SignatureVerificationException e) {
      return false;
    }
  }

  @Override
  public String getToken() {
    return header + "." + payload + "." + signature;
  }

  @Override
  public String getHeader() {
    return header;
  }

  @Override
  public String getPayload() {
    return payload;
  }

  @Override
  public String getSignature() {
    return signature;
  }

  // No signature depends on what follows. The key identifier is asked for, but to no end: the
  // algorithm has its key.

  @Override
  public String getAlgorithm() {
    throw new UnsupportedOperationException();
  }

  @Override
  public String getType() {
    throw new UnsupportedOperationException();
  }

  @Override
  public String getContentType() {
    throw new UnsupportedOperationException();
  }

  @Override
  public String getKeyId() {
    return "any";
  }

  @Override
  public Claim getHeaderClaim(String name) {
    throw new UnsupportedOperationException();
  }

  @Override
  public String getIssuer() {
    throw new UnsupportedOperationException();
  }

  @Override
  public String getSubject() {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<String> getAudience() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Date getExpiresAt() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Date getNotBefore() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Date getIssuedAt() {
    throw new UnsupportedOperationException();
  }

  @Override
  public String getId() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Claim getClaim(String name) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Map<String, Claim> getClaims() {
    throw new UnsupportedOperationException();
  }
}
