package dev.gatehouse.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IpAddressTest {

  @ParameterizedTest
  @CsvSource({
    "0.0.0.0, 00000000",
    "192.0.2.1, c0000201",
    "255.255.255.255, ffffffff",
    "::, 00000000000000000000000000000000",
    "::1, 00000000000000000000000000000001",
    "[::1], 00000000000000000000000000000001",
    "1::, 00010000000000000000000000000000",
    "2001:db8::1, 20010db8000000000000000000000001",
    "2001:DB8::1, 20010db8000000000000000000000001",
    "[2001:db8::1], 20010db8000000000000000000000001",
    "1:2:3:4:5:6:7:8, 00010002000300040005000600070008",
    "1:2:3:4:5:6:7::, 00010002000300040005000600070000",
    "::2:3:4:5:6:7:8, 00000002000300040005000600070008",
    "1:2:3::8, 00010002000300000000000000000008",
    "64:ff9b::192.0.2.1, 0064ff9b0000000000000000c0000201",
    "1:2:3:4:5:6:192.0.2.1, 000100020003000400050006c0000201",
    "::192.0.2.1, 000000000000000000000000c0000201",
    "fe80::1%eth0, fe800000000000000000000000000001",
    "[fe80::1%25eth0], fe800000000000000000000000000001",
    "::ffff:192.0.2.1, c0000201",
    "::FFFF:c000:0201, c0000201",
    "[::ffff:192.0.2.1], c0000201",
    "0:0:0:0:0:ffff:192.0.2.1, c0000201",
    "::fffe:192.0.2.1, 00000000000000000000fffec0000201",
    "::1:ffff:192.0.2.1, 00000000000000000001ffffc0000201",
  })
  void anAddressIsReadAsItsBytes(String text, String bytes) {
    assertThat(IpAddress.parse(text)).isEqualTo(HexFormat.of().parseHex(bytes));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "localhost",
        "example.org",
        "unknown",
        "_hidden",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.",
        ".1.2.3",
        "1..2.3",
        "256.1.1.1",
        "01.2.3.4",
        "1.2.3.04",
        "00.0.0.0",
        "0x7f.0.0.1",
        "2130706433",
        "1.2.3.-4",
        "+1.2.3.4",
        "1.2.3.4 ",
        "1.2.3.4:80",
        "[1.2.3.4]:80",
        "1.2.3.4/8",
        "\u0661.2.3.4",
        ":",
        ":::",
        "1:",
        ":1",
        "1:2",
        "1::2::3",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8",
        "12345::",
        "g::",
        "1:2:3:4:5:6:7:1.2.3.4",
        "::1.2.3",
        "::1.2.3.4.5",
        "::256.1.1.1",
        "::1.2.3.4:5",
        "[::1",
        "::1]",
        "[]",
        "[::1]:80",
        "[[::1]]",
        "::1 ",
        "::\uff11",
      })
  void whatIsNoAddressIsNone(String text) {
    assertThat(IpAddress.parse(text)).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.2.3.4::", "1.2.3.4::1", "1.2.3.4:5::6", "1:1.2.3.4::"})
  void anIpv4AddressInAnIpv6AddressStandsAtItsEnd(String text) {
    // RFC 4291 section 2.2: the four low-order 8-bit pieces.
    assertThat(IpAddress.parse(text)).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"[192.0.2.1]", "192.0.2.1%eth0", "192.0.2.1%", "[192.0.2.1%1]", "::1%"})
  void bracketsAndZonesBelongToIpv6(String text) {
    // RFC 3986 section 3.2.2, RFC 4007 section 11.
    assertThat(IpAddress.parse(text)).isNull();
  }

  @ParameterizedTest
  @CsvSource({
    "192.0.2.1, 192.0.2.1",
    "[2001:db8::1], 2001:db8::1",
    "fe80::1%eth0, fe80::1",
    "[fe80::1%25eth0], fe80::1",
  })
  void aBareAddressHasNeitherBracketsNorZone(String text, String bare) {
    assertThat(IpAddress.bare(text)).isEqualTo(bare);
  }

  @ParameterizedTest
  @CsvSource({
    "192.0.2.1, 192.0.2.1",
    "0.0.0.0, 0.0.0.0",
    "255.255.255.255, 255.255.255.255",
    "::ffff:192.0.2.1, 192.0.2.1",
    "::FFFF:c000:0201, 192.0.2.1",
    "[::ffff:192.0.2.1], 192.0.2.1",
    "0:0:0:0:0:ffff:c000:201, 192.0.2.1",
    "::ffff:255.255.255.255, 255.255.255.255",
    "2001:db8::1, 20010db800000000/64",
    "2001:DB8::1, 20010db800000000/64",
    "2001:0db8:0000:0000:0000:0000:0000:0001, 20010db800000000/64",
    "2001:db8:0:0::, 20010db800000000/64",
    "[2001:db8::1], 20010db800000000/64",
    "2001:db8::ffff:ffff:ffff:ffff, 20010db800000000/64",
    "2001:db8::192.0.2.1, 20010db800000000/64",
    "2001:db8:0:1::, 20010db800000001/64",
    "2001:db8:1:2:3:4:5:6, 20010db800010002/64",
    "fe80::1%eth0, fe80000000000000/64",
    "[fe80::1%25eth1], fe80000000000000/64",
    "::1, 0000000000000000/64",
    "::, 0000000000000000/64",
  })
  void aSubscriberHasAnIpv4AddressOr64BitsOfAnIpv6AddressHoweverItIsSpelled(
      String text, String subscriber) {
    assertThat(IpAddress.subscriber(text)).isEqualTo(subscriber);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "unknown", "_hidden", "localhost", "1.2.3", "1.2.3.4:80", "::1%", "g::", ":"})
  void whatIsNoAddressIsASubscriberByItsText(String text) {
    assertThat(IpAddress.subscriber(text)).isEqualTo(text);
  }
}
