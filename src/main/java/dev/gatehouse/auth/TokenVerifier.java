package dev.gatehouse.auth;

import com.auth0.jwt.JWT;
import com.auth0.jwt.JWTVerifier;
import com.auth0.jwt.algorithms.Algorithm;
import com.auth0.jwt.exceptions.AlgorithmMismatchException;
import com.auth0.jwt.exceptions.IncorrectClaimException;
import com.auth0.jwt.exceptions.JWTDecodeException;
import com.auth0.jwt.exceptions.MissingClaimException;
import com.auth0.jwt.exceptions.SignatureVerificationException;
import com.auth0.jwt.exceptions.TokenExpiredException;
import com.auth0.jwt.interfaces.Claim;
import com.auth0.jwt.interfaces.DecodedJWT;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.gatehouse.Caller;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a token is genuine and valid now (RFC 7519, RFC 8725). The algorithms are those
 * that the configured keys allow; a token's header only chooses among them.
 */
final class TokenVerifier {

  /** Longer ones are refused unread; servers rarely take a header of this size anyway. */
  private static final int LONGEST = 8192;

  private static final JsonFactory STRICT =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  /** What became of a token: a caller, or the reason why not. */
  sealed interface Verdict {

    record Accepted(Caller caller) implements Verdict {}

    /**
     * @param reason one word, from a closed set, for log and metrics; clients do not learn it
     */
    record Refused(String reason) implements Verdict {}
  }

  private final Map<String, JWTVerifier> verifiers = new HashMap<>();

  TokenVerifier(
      List<Algorithm> algorithms,
      Optional<String> issuer,
      Optional<String> audience,
      Duration leeway,
      Clock clock) {
    for (Algorithm algorithm : algorithms) {
      JWTVerifier.BaseVerification verification =
          (JWTVerifier.BaseVerification)
              JWT.require(algorithm)
                  .acceptLeeway(leeway.plusMillis(999).toSeconds())
                  .withClaimPresence("exp");
      issuer.ifPresent(verification::withIssuer);
      audience.ifPresent(verification::withAudience);
      verifiers.put(algorithm.getName(), verification.build(clock));
    }
  }

  Verdict verify(String token) {
    if (token.length() > LONGEST) {
      return new Verdict.Refused("too_long");
    }
    try {
      DecodedJWT unverified = JWT.decode(token);
      JWTVerifier verifier = verifiers.get(String.valueOf(unverified.getAlgorithm()));
      if (verifier == null) {
        return new Verdict.Refused("algorithm");
      }
      // No extension is understood here, so none may be critical (RFC 7515 section 4.1.11).
      if (!unverified.getHeaderClaim("crit").isMissing()
          || !unverified.getHeaderClaim("b64").isMissing()) {
        return new Verdict.Refused("critical");
      }
      DecodedJWT verified = verifier.verify(unverified);
      if (!isUnequivocal(verified.getHeader()) || !isUnequivocal(verified.getPayload())) {
        return new Verdict.Refused("malformed");
      }
      if (verified.getExpiresAtAsInstant() == null) {
        return new Verdict.Refused("exp_missing");
      }
      return accept(verified);
    } catch (RuntimeException e) {
      return new Verdict.Refused(reason(e));
    }
  }

  /**
   * Whether a part is one JSON text without duplicate names: of two claims of one name, who reads
   * the token behind the gateway may take the other one (RFC 7519 section 4).
   */
  private static boolean isUnequivocal(String part) {
    try (JsonParser json = STRICT.createParser(Base64.getUrlDecoder().decode(part))) {
      int depth = 0;
      for (JsonToken token = json.nextToken(); token != null; token = json.nextToken()) {
        depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
        if (depth == 0) {
          return json.nextToken() == null;
        }
      }
      return false;
    } catch (IOException e) {
      return false;
    }
  }

  private static Verdict accept(DecodedJWT token) {
    // Not getSubject(), which makes a text of numbers, objects and arrays.
    Claim sub = token.getClaim("sub");
    String subject = sub.asString();
    if (subject == null ? !sub.isMissing() : !isUnicode(subject)) {
      return new Verdict.Refused("sub");
    }
    List<String> scopes = scopes(token);
    if (scopes.stream().anyMatch(scope -> scope.indexOf(' ') >= 0 || !isUnicode(scope))) {
      // It would be told to services as two scopes, or as another one.
      return new Verdict.Refused("scope");
    }
    if (hasControl(subject) || scopes.stream().anyMatch(TokenVerifier::hasControl)) {
      return new Verdict.Refused("control_character");
    }
    return new Verdict.Accepted(
        new Caller(subject == null || subject.isEmpty() ? null : subject, scopes));
  }

  /** {@code scope} (RFC 8693) or {@code scp}; each may be an array or a text with blanks. */
  private static List<String> scopes(DecodedJWT token) {
    for (String name : new String[] {"scope", "scp"}) {
      Claim claim = token.getClaim(name);
      if (!claim.isMissing() && !claim.isNull()) {
        String text = claim.asString();
        List<String> listed =
            text == null ? claim.asList(String.class) : List.of(text.split(" ", -1));
        List<String> scopes = new ArrayList<>();
        for (String scope : listed == null ? List.<String>of() : listed) {
          if (scope != null && !scope.isBlank()) {
            scopes.add(scope);
          }
        }
        return scopes;
      }
    }
    return List.of();
  }

  /** Whether a text can be written in UTF-8: half a surrogate pair would become "?". */
  private static boolean isUnicode(String text) {
    return StandardCharsets.UTF_8.newEncoder().canEncode(text);
  }

  private static boolean hasControl(@Nullable String text) {
    return text != null && text.chars().anyMatch(Character::isISOControl);
  }

  private static String reason(RuntimeException e) {
    if (e instanceof TokenExpiredException) {
      return "expired";
    } else if (e instanceof SignatureVerificationException) {
      return "signature";
    } else if (e instanceof AlgorithmMismatchException) {
      return "algorithm";
    } else if (e instanceof MissingClaimException missing) {
      return missing.getClaimName() + "_missing";
    } else if (e instanceof IncorrectClaimException incorrect) {
      return incorrect.getClaimName();
    } else if (e instanceof JWTDecodeException) {
      return "malformed";
    }
    return "unverifiable";
  }
}
