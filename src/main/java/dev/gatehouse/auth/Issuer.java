package dev.gatehouse.auth;

import com.auth0.jwt.JWT;
import com.auth0.jwt.JWTVerifier;
import com.auth0.jwt.algorithms.Algorithm;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One issuer of tokens with its keys, which vouch for nobody else. */
final class Issuer {

  /** How many keys are tried on a token that does not say which. */
  private static final int MOST_TRIED = 4;

  /** What a published key can verify: secrets are not published. */
  private static final Set<String> PUBLISHED =
      Set.of("RS256", "RS384", "RS512", "ES256", "ES384", "ES512");

  private final IssuerSettings settings;
  private final List<VerifyingKey> written;
  private final @Nullable KeySet published;

  private Issuer(IssuerSettings settings, Clock clock, @Nullable KeySet published) {
    this.settings = settings;
    this.published = published;
    // The keys that are written down have no names; a token that names one may mean them, too.
    this.written =
        settings.algorithms().isEmpty()
            ? List.of()
            : List.of(verifying(settings, settings.algorithms(), clock));
  }

  /** One whose keys are all written down. */
  static Issuer of(IssuerSettings settings, Clock clock) {
    return new Issuer(settings, clock, null);
  }

  /**
   * One that publishes keys.
   *
   * @param publisher makes the set of those keys, with what makes verifiers of them
   */
  static Issuer of(
      IssuerSettings settings,
      Clock clock,
      Function<Function<PublishedKey, VerifyingKey>, KeySet> publisher) {
    return new Issuer(
        settings, clock, publisher.apply(key -> verifying(settings, key.algorithms(), clock)));
  }

  private static VerifyingKey verifying(
      IssuerSettings settings, List<Algorithm> algorithms, Clock clock) {
    Map<String, JWTVerifier> verifiers = new HashMap<>();
    for (Algorithm algorithm : algorithms) {
      JWTVerifier.BaseVerification verification =
          (JWTVerifier.BaseVerification)
              JWT.require(algorithm)
                  .acceptLeeway(settings.leeway().toSeconds())
                  .withClaimPresence("exp");
      settings.issuer().ifPresent(verification::withIssuer);
      settings.audience().ifPresent(verification::withAudience);
      verifiers.put(algorithm.getName(), verification.build(clock));
    }
    return new VerifyingKey(verifiers);
  }

  IssuerSettings settings() {
    return settings;
  }

  /** The last good set of the published keys; null if there is none. */
  KeySet.@Nullable Fetched now() {
    return published == null ? null : published.now();
  }

  /**
   * The keys that may have signed a token.
   *
   * @param fetched what is published
   * @param id the token's {@code kid}, or null
   * @param algorithm the token's {@code alg}, for which each of them has a verifier
   */
  List<VerifyingKey> candidates(
      KeySet.@Nullable Fetched fetched, @Nullable String id, String algorithm) {
    List<VerifyingKey> candidates = new ArrayList<>(written.size() + 1);
    for (VerifyingKey key : fetched == null ? List.<VerifyingKey>of() : fetched.find(id)) {
      if (key.verifier(algorithm) != null && candidates.size() < MOST_TRIED) {
        candidates.add(key);
      }
    }
    for (VerifyingKey key : written) {
      if (key.verifier(algorithm) != null) {
        candidates.add(key);
      }
    }
    return candidates;
  }

  /** The key set that may have a token's key when it is fetched again, or null. */
  @Nullable KeySet mayHave(
      KeySet.@Nullable Fetched fetched, @Nullable String id, String algorithm) {
    if (published == null || !PUBLISHED.contains(algorithm)) {
      return null;
    }
    return fetched == null || (id != null && !fetched.names(id)) ? published : null;
  }
}
