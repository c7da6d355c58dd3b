package dev.gatehouse.auth;

import com.auth0.jwt.JWT;
import com.auth0.jwt.JWTVerifier;
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
import java.time.Clock;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a token is genuine and valid now (RFC 7519, RFC 8725). What it says of itself
 * only chooses: its {@code iss} among the issuers, its {@code kid} and {@code alg} among the keys
 * of that issuer and what each of them allows. A key that stands in a token, or where a token
 * points to, is never looked at.
 */
final class TokenVerifier {

  /** Longer ones are refused unread; servers rarely take a header of this size anyway. */
  private static final int LONGEST = 8192;

  private static final int LONGEST_KEY_ID = 256;
  private static final int PARTS = 3;

  private static final Verdict MALFORMED = new Verdict.Refused("malformed");

  private static final JsonFactory STRICT =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  /** What became of a token: a caller, or the reason why not. */
  sealed interface Verdict {

    /**
     * @param key what has verified it
     * @param from the second of its verification
     * @param until the last second in which it is surely valid
     */
    record Accepted(Caller caller, VerifyingKey key, long from, long until) implements Verdict {

      /** Whether another look would have the same end. */
      boolean holds(long now) {
        return now >= from && now <= until && !key.isWithdrawn();
      }
    }

    /**
     * @param reason one word, from a closed set, for log and metrics; clients do not learn it
     */
    record Refused(String reason) implements Verdict {}

    /**
     * It names a key that is not known, but may be published by now.
     *
     * @param keys where
     * @param seen what was published when it was looked for; null for nothing
     */
    record KeyUnknown(KeySet keys, KeySet.@Nullable Fetched seen) implements Verdict {}
  }

  /** By what their tokens say in {@code iss}. */
  private final Map<String, Issuer> named = new HashMap<>();

  /** Whose tokens are all others; null if they are nobody's. */
  private final @Nullable Issuer other;

  private final TokenMemory memory;
  private final Clock clock;
  private final LongAdder recognised = new LongAdder();
  private final LongAdder examined = new LongAdder();

  /**
   * @param issuers one of them at most without an issuer's name to check
   */
  TokenVerifier(List<Issuer> issuers, TokenMemory memory, Clock clock) {
    this.memory = memory;
    this.clock = clock;
    Issuer last = null;
    for (Issuer issuer : issuers) {
      if (issuers.size() == 1 || issuer.settings().issuer().isEmpty()) {
        last = issuer;
      } else {
        named.put(issuer.settings().issuer().get(), issuer);
      }
    }
    other = last;
  }

  /** How many tokens were recognised. */
  LongAdder recognised() {
    return recognised;
  }

  /** How many tokens were examined in full, with whatever outcome. */
  LongAdder examined() {
    return examined;
  }

  Verdict verify(String token) {
    if (token.length() > LONGEST) {
      return new Verdict.Refused("too_long");
    }
    long now = Math.floorDiv(clock.millis(), 1000L);
    Verdict.Accepted known = memory.recall(token, now);
    if (known != null) {
      recognised.increment();
      return known;
    }
    examined.increment();
    try {
      Verdict verdict = isCompact(token) ? verifyDecoded(JWT.decode(token), now) : MALFORMED;
      if (verdict instanceof Verdict.Accepted accepted) {
        memory.remember(token, accepted);
      }
      return verdict;
    } catch (RuntimeException e) {
      return new Verdict.Refused(reason(e));
    }
  }

  /**
   * Whether a text is three parts of base64url, each in its one spelling (RFC 7515 section 2, RFC
   * 4648 section 3.5): decoders overlook padding, and bits at the end that say nothing.
   */
  private static boolean isCompact(String token) {
    int parts = 0;
    int start = 0;
    int bits = 0;
    for (int i = 0; i <= token.length(); i++) {
      char c = i < token.length() ? token.charAt(i) : '.';
      if (c == '.') {
        int rest = (i - start) % 4;
        if (i == start
            || rest == 1
            || (rest == 2 && (bits & 0xf) != 0)
            || (rest == 3 && (bits & 0x3) != 0)) {
          return false;
        }
        parts++;
        start = i + 1;
      } else {
        bits = sextet(c);
        if (bits < 0) {
          return false;
        }
      }
    }
    return parts == PARTS;
  }

  private static int sextet(char c) {
    if (c >= 'A' && c <= 'Z') {
      return c - 'A';
    } else if (c >= 'a' && c <= 'z') {
      return c - 'a' + 26;
    } else if (c >= '0' && c <= '9') {
      return c - '0' + 52;
    }
    return c == '-' ? 62 : c == '_' ? 63 : -1;
  }

  private Verdict verifyDecoded(DecodedJWT unverified, long now) {
    // No extension is understood here, so none may be critical (RFC 7515 section 4.1.11).
    if (!unverified.getHeaderClaim("crit").isMissing()
        || !unverified.getHeaderClaim("b64").isMissing()) {
      return new Verdict.Refused("critical");
    }
    Claim kid = unverified.getHeaderClaim("kid");
    String id = kid.asString();
    if (id == null ? !kid.isMissing() : !isKeyId(id)) {
      return new Verdict.Refused("kid");
    }
    Claim iss = unverified.getClaim("iss");
    String name = iss.asString();
    if (name == null && !iss.isMissing()) {
      return new Verdict.Refused("iss");
    }
    Issuer issuer = name == null ? other : named.getOrDefault(name, other);
    if (issuer == null) {
      return new Verdict.Refused("iss");
    }
    String algorithm = String.valueOf(unverified.getAlgorithm());
    // Looked at once: between two looks a set could come.
    KeySet.Fetched fetched = issuer.now();
    boolean forged = false;
    for (VerifyingKey key : issuer.candidates(fetched, id, algorithm)) {
      JWTVerifier verifier = Objects.requireNonNull(key.verifier(algorithm));
      try {
        return accept(verifier.verify(unverified), issuer.settings(), key, now);
      } catch (SignatureVerificationException e) {
        forged = true;
      }
    }
    KeySet keys = issuer.mayHave(fetched, id, algorithm);
    if (keys == null) {
      return new Verdict.Refused(forged ? "signature" : "algorithm");
    }
    // No provider is asked for the key of a token that would be refused anyway.
    Instant end = unverified.getExpiresAtAsInstant();
    if (end == null) {
      return new Verdict.Refused("exp_missing");
    }
    boolean over = end.plus(issuer.settings().leeway()).getEpochSecond() <= now;
    return over ? new Verdict.Refused("expired") : new Verdict.KeyUnknown(keys, fetched);
  }

  /** It is looked up, and nothing else: no path, no URL and no query is made of it. */
  private static boolean isKeyId(String id) {
    return !id.isEmpty()
        && id.length() <= LONGEST_KEY_ID
        && id.chars().allMatch(c -> c >= ' ' && c < 0x7f);
  }

  private static Verdict accept(
      DecodedJWT token, IssuerSettings settings, VerifyingKey key, long now) {
    if (!isUnequivocal(token.getHeader()) || !isUnequivocal(token.getPayload())) {
      return MALFORMED;
    }
    Instant end = token.getExpiresAtAsInstant();
    if (end == null) {
      return new Verdict.Refused("exp_missing");
    }
    Claims claims = new Claims(token);
    if (!claims.isAudienceText()) {
      // Numbers would be compared as the texts that they look like.
      return new Verdict.Refused("aud");
    }
    if (claims.revocable().stream().anyMatch(settings.revoked()::contains)) {
      return new Verdict.Refused("revoked");
    }
    return new Verdict.Accepted(
        claims.caller(settings.name(), settings.rolesClaim(), settings.claimHeaders()),
        key,
        now,
        end.getEpochSecond() + settings.leeway().toSeconds() - 1);
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

  private static String reason(RuntimeException e) {
    if (e instanceof Claims.UnfitException) {
      return String.valueOf(e.getMessage());
    } else if (e instanceof TokenExpiredException) {
      return "expired";
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
