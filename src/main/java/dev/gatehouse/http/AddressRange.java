package dev.gatehouse.http;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A block of IP addresses in CIDR notation (RFC 4632, RFC 4291). */
public final class AddressRange {

  private final byte[] network;
  private final int bits;

  private AddressRange(byte[] network, int bits) {
    this.network = network;
    this.bits = bits;
  }

  /**
   * @param list addresses and blocks with commas, such as {@code 10.0.0.0/8, ::1}
   * @throws IllegalArgumentException if one is neither; the message says what was expected
   */
  public static List<AddressRange> list(String list) {
    List<AddressRange> ranges = new ArrayList<>();
    for (String item : list.split(",", -1)) {
      if (!item.isBlank()) {
        ranges.add(of(item.strip()));
      }
    }
    return List.copyOf(ranges);
  }

  private static AddressRange of(String text) {
    int slash = text.indexOf('/');
    String address = slash < 0 ? text : text.substring(0, slash);
    byte[] network = IpAddress.parse(address);
    if (network != null) {
      int all = network.length * 8;
      // Behind an IPv4 address mapped into IPv6, the length counts the 96 bits before it, too.
      int before = address.indexOf(':') >= 0 ? 128 - all : 0;
      String length = slash < 0 ? String.valueOf(before + all) : text.substring(slash + 1);
      int bits = length.matches("\\d{1,3}") ? Integer.parseInt(length) - before : -1;
      if (bits >= 0 && bits <= all) {
        AddressRange range = new AddressRange(network, bits);
        if (range.hasNoHostBits()) {
          return range;
        }
      }
    }
    throw new IllegalArgumentException(
        "addresses or CIDR blocks without host bits, such as 10.0.0.0/8 or 2001:db8::/32");
  }

  private boolean hasNoHostBits() {
    byte[] masked = network.clone();
    for (int bit = bits; bit < masked.length * 8; bit++) {
      masked[bit / 8] &= (byte) ~(0x80 >> bit % 8);
    }
    return Arrays.equals(masked, network);
  }

  /** Whether an address in text form is in one of the ranges; what is no address is in none. */
  public static boolean anyContains(List<AddressRange> ranges, String address) {
    if (ranges.isEmpty()) {
      return false;
    }
    byte[] parsed = IpAddress.parse(address);
    for (AddressRange range : ranges) {
      if (range.contains(parsed)) {
        return true;
      }
    }
    return false;
  }

  private boolean contains(byte @Nullable [] address) {
    if (address == null || address.length != network.length) {
      return false;
    }
    int whole = bits / 8;
    if (!Arrays.equals(address, 0, whole, network, 0, whole)) {
      return false;
    }
    int rest = bits % 8;
    return rest == 0
        || (address[whole] & 0xff) >> (8 - rest) == (network[whole] & 0xff) >> (8 - rest);
  }
}
