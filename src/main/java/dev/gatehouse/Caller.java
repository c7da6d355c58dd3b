package dev.gatehouse;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Who was authenticated.
 *
 * @param issuer the name by which the settings know who vouches for the caller: two issuers may
 *     each have a subject of the same name
 * @param subject the token's {@code sub} without control characters, or null if it has none
 * @param scopes what the caller may do, in the token's order
 * @param roles what the caller is, in the token's order
 * @param told what services are told of the caller: fields, and values that may stand in them
 */
public record Caller(
    String issuer,
    @Nullable String subject,
    List<String> scopes,
    List<String> roles,
    List<Map.Entry<String, String>> told) {

  public Caller {
    scopes = List.copyOf(scopes);
    roles = List.copyOf(roles);
    told = List.copyOf(told);
  }
}
