package dev.gatehouse.http;

import java.util.Collection;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;

/** Fields that concern one connection only and are not passed on (RFC 9110 section 7.6.1). */
public final class HopByHop {

  private static final Set<String> ALWAYS =
      Set.of(
          "connection",
          "keep-alive",
          "proxy-authenticate",
          "proxy-authorization",
          "proxy-connection",
          "te",
          "transfer-encoding",
          "upgrade");

  /**
   * Naming these in Connection must not change where a message goes, where it ends, or who sends
   * it.
   */
  private static final Set<String> NEVER = Set.of("host", "content-length", "authorization");

  private final Set<String> named;

  private HopByHop(Set<String> named) {
    this.named = named;
  }

  /**
   * The fields to leave out of a message.
   *
   * @param connection the values of its Connection field lines
   */
  public static HopByHop of(Collection<String> connection) {
    if (connection.isEmpty()) {
      return new HopByHop(Set.of());
    }
    Set<String> named = new HashSet<>();
    for (String line : connection) {
      for (String name : line.split(",", -1)) {
        String lower = name.strip().toLowerCase(Locale.ROOT);
        if (!lower.isEmpty() && !NEVER.contains(lower)) {
          named.add(lower);
        }
      }
    }
    return new HopByHop(named);
  }

  /**
   * @param lowerName the field's name in lower case
   */
  public boolean contains(String lowerName) {
    return ALWAYS.contains(lowerName) || named.contains(lowerName);
  }
}
