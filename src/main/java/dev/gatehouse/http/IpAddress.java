package dev.gatehouse.http;

import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** IP addresses in text form. Never asks a name server, as {@code InetAddress} may. */
public final class IpAddress {

  private IpAddress() {}

  /**
   * @param text {@code 192.0.2.1}, {@code 2001:db8::1} or {@code [2001:db8::1]}
   * @return 4 or 16 bytes (4 for an IPv4 address mapped into IPv6), or null if it is no address
   */
  public static byte @Nullable [] parse(String text) {
    if (text.indexOf(':') < 0) {
      byte[] address = new byte[4];
      return v4(text, address, 0) ? address : null;
    }
    String plain = bare(text);
    boolean emptyZone = text.endsWith("%") || text.endsWith("%]");
    return emptyZone || plain.indexOf(':') < 0 ? null : v6(plain);
  }

  /**
   * The part of an address that one subscriber has: all of an IPv4 address, the first 64 bits of an
   * IPv6 address (RFC 6177).
   *
   * @return one text for all spellings; the text as it is if it is no address
   */
  public static String subscriber(String text) {
    if (text.indexOf(':') < 0) {
      return text;
    }
    byte[] address = parse(text);
    if (address == null) {
      return text;
    }
    if (address.length == 4) {
      return (address[0] & 0xff)
          + "."
          + (address[1] & 0xff)
          + "."
          + (address[2] & 0xff)
          + "."
          + (address[3] & 0xff);
    }
    return HexFormat.of().formatHex(address, 0, 8) + "/64";
  }

  /** Without brackets and zone. */
  public static String bare(String text) {
    String plain =
        text.startsWith("[") && text.endsWith("]") ? text.substring(1, text.length() - 1) : text;
    int zone = plain.indexOf('%');
    return zone < 0 ? plain : plain.substring(0, zone);
  }

  private static boolean v4(String text, byte[] into, int at) {
    String[] parts = text.split("\\.", -1);
    if (parts.length != 4) {
      return false;
    }
    for (int i = 0; i < 4; i++) {
      int value = number(parts[i], 10, 3);
      if (value < 0 || value > 255 || (parts[i].length() > 1 && parts[i].charAt(0) == '0')) {
        return false;
      }
      into[at + i] = (byte) value;
    }
    return true;
  }

  private static byte @Nullable [] v6(String text) {
    byte[] address = new byte[16];
    int gap = text.indexOf("::");
    if (gap >= 0 && text.indexOf("::", gap + 1) >= 0) {
      return null;
    }
    String head = gap < 0 ? text : text.substring(0, gap);
    String tail = gap < 0 ? "" : text.substring(gap + 2);
    byte[] tailBytes = new byte[16];
    int headLength = groups(head, address, gap < 0);
    int tailLength = groups(tail, tailBytes, true);
    if (headLength < 0 || tailLength < 0) {
      return null;
    }
    if (gap < 0 ? headLength != 16 : headLength + tailLength > 14) {
      return null;
    }
    System.arraycopy(tailBytes, 0, address, 16 - tailLength, tailLength);
    boolean mapped = address[10] == (byte) 0xff && address[11] == (byte) 0xff;
    for (int i = 0; i < 10 && mapped; i++) {
      mapped = address[i] == 0;
    }
    return mapped ? java.util.Arrays.copyOfRange(address, 12, 16) : address;
  }

  /**
   * Reads groups of 16 bits; returns bytes or -1.
   *
   * @param atEnd whether these are the address's last groups, so that an IPv4 address may end them
   */
  private static int groups(String text, byte[] into, boolean atEnd) {
    if (text.isEmpty()) {
      return 0;
    }
    int length = 0;
    String[] groups = text.split(":", -1);
    for (int i = 0; i < groups.length; i++) {
      if (atEnd && i == groups.length - 1 && groups[i].indexOf('.') >= 0) {
        if (length > 12 || !v4(groups[i], into, length)) {
          return -1;
        }
        return length + 4;
      }
      int value = number(groups[i], 16, 4);
      if (value < 0 || length > 14) {
        return -1;
      }
      into[length++] = (byte) (value >> 8);
      into[length++] = (byte) value;
    }
    return length;
  }

  private static int number(String text, int radix, int most) {
    if (text.isEmpty() || text.length() > most) {
      return -1;
    }
    int value = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      int digit = c < 0x80 ? Character.digit(c, radix) : -1;
      if (digit < 0) {
        return -1;
      }
      value = value * radix + digit;
    }
    return value;
  }
}
