package dev.gatehouse;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who was authenticated.
 *
 * @param subject the token's {@code sub} without control characters, or null if it has none
 * @param scopes what the caller may do, in the token's order
 */
public record Caller(@Nullable String subject, List<String> scopes) {

  public Caller {
    scopes = List.copyOf(scopes);
  }
}
