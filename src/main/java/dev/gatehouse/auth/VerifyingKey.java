package dev.gatehouse.auth;

import com.auth0.jwt.JWTVerifier;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A key of an issuer, with a verifier for each algorithm that it allows. */
final class VerifyingKey {

  private final Map<String, JWTVerifier> verifiers;
  private volatile boolean withdrawn;

  VerifyingKey(Map<String, JWTVerifier> verifiers) {
    this.verifiers = Map.copyOf(verifiers);
  }

  /** What verifies with this key and an algorithm; null if the key does not allow it. */
  @Nullable JWTVerifier verifier(String algorithm) {
    return verifiers.get(algorithm);
  }

  /** Tells that the provider no longer stands for it: what it has verified counts no more. */
  void withdraw() {
    withdrawn = true;
  }

  boolean isWithdrawn() {
    return withdrawn;
  }
}
