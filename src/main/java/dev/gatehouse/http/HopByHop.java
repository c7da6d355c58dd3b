package dev.gatehouse.http;

import java.util.Collection;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;

/** Fields that concern one connection only and are not passed on (RFC 9110 section 7.6.1). */
public final class HopByHop {

  /**
   * Naming these in Connection must not change where a message goes, where it ends, or who sends
   * it.
   */
  private static final Set<String> NEVER = Set.of("host", "content-length", "authorization");

  private static final HopByHop NONE_NAMED = new HopByHop(Set.of());

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
      return NONE_NAMED;
    }
    if (connection.size() == 1 && connection.iterator().next().equalsIgnoreCase("keep-alive")) {
      // What most clients say that say anything.
      return NONE_NAMED;
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

  /** Whether the field of that name is left out; in any spelling. */
  public boolean contains(String name) {
    return always(name) || (!named.isEmpty() && named.contains(name.toLowerCase(Locale.ROOT)));
  }

  /** By length first, because most names are none of these. */
  private static boolean always(String name) {
    return switch (name.length()) {
      case 2 -> name.equalsIgnoreCase("te");
      case 7 -> name.equalsIgnoreCase("upgrade");
      case 10 -> name.equalsIgnoreCase("connection") || name.equalsIgnoreCase("keep-alive");
      case 16 -> name.equalsIgnoreCase("proxy-connection");
      case 17 -> name.equalsIgnoreCase("transfer-encoding");
      case 18 -> name.equalsIgnoreCase("proxy-authenticate");
      case 19 -> name.equalsIgnoreCase("proxy-authorization");
      default -> false;
    };
  }
}
