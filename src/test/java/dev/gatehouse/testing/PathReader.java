package dev.gatehouse.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads a request target as a careless service may: decodes it, also UTF-8 that is longer than it
 * may be, takes a backslash for a slash, drops parameters, merges slashes, and then resolves dots.
 */
public enum PathReader {
  /** Decodes percent-encoded octets once, or leaves them. */
  DECODING_ONCE(1),
  /** Decodes what it has decoded, until nothing changes. */
  DECODING_AGAIN(Integer.MAX_VALUE);

  /** ASCII in two to four bytes of UTF-8. */
  private static final Pattern LONGER_THAN_IT_MAY_BE =
      Pattern.compile(
          "([\u00c0\u00c1]|\u00e0[\u0080\u0081]|\u00f0\u0080[\u0080\u0081])[\u0080-\u00bf]");

  private final int times;

  PathReader(int times) {
    this.times = times;
  }

  /** Whether every reading of the target is the base, or is below it. */
  public boolean staysBelow(String base, String target) {
    return readings(target).stream()
        .map(path -> path + "/")
        .allMatch(path -> path.startsWith(base + "/") && !path.startsWith("/../"));
  }

  /** Whether no reading of the target is the path, or is below it. */
  public boolean avoids(String path, String target) {
    return readings(target).stream().noneMatch(read -> (read + "/").startsWith(path + "/"));
  }

  /**
   * The paths that it may be taken for: for each number of decodings, with parameters dropped
   * before or after. Dots that lead above the root stay, so that they are seen.
   */
  public Set<String> readings(String target) {
    String path = target.replaceFirst("(?s)[?#].*", "");
    Set<String> readings = new TreeSet<>();
    String decoded = path;
    String strippedFirst = withoutParameters(path);
    for (int i = 0; i <= times; i++) {
      readings.add(resolved(withoutParameters(decoded)));
      readings.add(resolved(withoutParameters(strippedFirst)));
      String before = decoded;
      decoded = decoded(decoded);
      strippedFirst = decoded(strippedFirst);
      if (decoded.equals(before)) {
        break;
      }
    }
    return readings;
  }

  private static String withoutParameters(String path) {
    return path.replaceAll("(?s);[^/\\\\]*", "");
  }

  private static String resolved(String path) {
    List<String> segments = new ArrayList<>();
    for (String segment : path.replace('\\', '/').split("/+", -1)) {
      boolean up = segment.equals("..");
      if (up && !segments.isEmpty() && !segments.get(segments.size() - 1).equals("..")) {
        segments.remove(segments.size() - 1);
      } else if (!segment.isEmpty() && !segment.equals(".")) {
        segments.add(segment);
      }
    }
    return "/" + String.join("/", segments);
  }

  private static String decoded(String path) {
    ByteArrayOutputStream decoded = new ByteArrayOutputStream();
    for (int i = 0; i < path.length(); i++) {
      int octet = path.startsWith("%", i) ? octet(path, i) : -1;
      decoded.write(octet < 0 ? path.charAt(i) : octet);
      i += octet < 0 ? 0 : 2;
    }
    return LONGER_THAN_IT_MAY_BE
        .matcher(decoded.toString(ISO_8859_1))
        .replaceAll(found -> Matcher.quoteReplacement(ascii(found.group())));
  }

  /** What decoders take it for that add up the bits without asking how many bytes they need. */
  private static String ascii(String bytes) {
    int last = bytes.length() - 1;
    return String.valueOf((char) ((bytes.charAt(last - 1) & 1) << 6 | (bytes.charAt(last) & 0x3f)));
  }

  /** The value of the encoded octet at an index, or -1 if it is none: that is left as it is. */
  private static int octet(String path, int percent) {
    String digits = path.substring(percent + 1, Math.min(percent + 3, path.length()));
    return digits.matches("[0-9A-Fa-f]{2}") ? Integer.parseInt(digits, 16) : -1;
  }
}
