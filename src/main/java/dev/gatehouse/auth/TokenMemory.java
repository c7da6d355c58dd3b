package dev.gatehouse.auth;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.gatehouse.Caller;
import org.jspecify.annotations.Nullable;

/**
 * The tokens that were verified, so that the next request with one of them costs no signature. Only
 * the whole token is looked up; a byte that differs makes it another one. What was refused is not
 * remembered: nobody but an issuer can fill this.
 */
final class TokenMemory {

  /** What an entry takes besides its texts, about; and a text besides its characters. */
  private static final int ENTRY_BYTES = 512;

  private static final int TEXT_BYTES = 64;

  private final @Nullable Cache<String, TokenVerifier.Verdict.Accepted> verified;

  /**
   * @param bytes how much may be kept, about; 0 for nothing
   */
  TokenMemory(long bytes) {
    verified =
        bytes == 0
            ? null
            : Caffeine.newBuilder()
                .maximumWeight(bytes)
                .weigher(TokenMemory::weight)
                .executor(Runnable::run)
                .build();
  }

  /** About: what a caller is said to be is part of the token, and is told encoded besides. */
  private static int weight(String token, TokenVerifier.Verdict.Accepted verdict) {
    Caller caller = verdict.caller();
    int texts = caller.scopes().size() + caller.roles().size() + 2 * caller.told().size();
    int told = caller.told().stream().mapToInt(field -> field.getValue().length()).sum();
    return ENTRY_BYTES + 2 * token.length() + told + TEXT_BYTES * texts;
  }

  /**
   * @param now in seconds since 1970
   * @return null if the token is to be verified
   */
  TokenVerifier.Verdict.@Nullable Accepted recall(String token, long now) {
    if (verified == null) {
      return null;
    }
    TokenVerifier.Verdict.Accepted known = verified.getIfPresent(token);
    if (known != null && !known.holds(now)) {
      verified.invalidate(token);
      return null;
    }
    return known;
  }

  void remember(String token, TokenVerifier.Verdict.Accepted verdict) {
    if (verified != null) {
      verified.put(token, verdict);
    }
  }
}
