package dev.gatehouse.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AddressRangeTest {

  @ParameterizedTest
  @CsvSource({
    "10.0.0.0/8, 10.0.0.0, true",
    "10.0.0.0/8, 10.255.255.255, true",
    "10.0.0.0/8, 11.0.0.0, false",
    "10.0.0.0/8, 9.255.255.255, false",
    "192.0.2.1, 192.0.2.1, true",
    "192.0.2.1, 192.0.2.2, false",
    "192.0.2.1/32, 192.0.2.1, true",
    "192.0.2.0/31, 192.0.2.1, true",
    "192.0.2.0/31, 192.0.2.2, false",
    "172.16.0.0/12, 172.31.255.255, true",
    "172.16.0.0/12, 172.32.0.0, false",
    "128.0.0.0/1, 255.0.0.1, true",
    "128.0.0.0/1, 127.0.0.1, false",
    "0.0.0.0/0, 203.0.113.9, true",
    "0.0.0.0/0, ::1, false",
    "::/0, ::1, true",
    "::/0, 203.0.113.9, false",
    "::1, ::1, true",
    "::1, 0:0:0:0:0:0:0:1, true",
    "::1, ::2, false",
    "2001:db8::/32, 2001:db8:ffff::1, true",
    "2001:db8::/32, 2001:db9::, false",
    "2001:db8::/33, 2001:db8:7fff::1, true",
    "2001:db8::/33, 2001:db8:8000::1, false",
    "fe80::/10, fe80::1%eth0, true",
    "10.0.0.0/8, ::ffff:10.1.2.3, true",
    "::ffff:10.1.2.3, 10.1.2.3, true",
    "10.0.0.0/8, [::ffff:10.1.2.3], true",
    "10.0.0.0/8, unknown, false",
    "10.0.0.0/8, '', false",
    "10.0.0.0/8, 10.0.0.1:80, false",
  })
  void aRangeHoldsTheAddressesThatShareItsFirstBits(String range, String address, boolean holds) {
    assertThat(AddressRange.anyContains(AddressRange.list(range), address)).isEqualTo(holds);
  }

  @Test
  void oneOfSeveralRangesIsEnough() {
    List<AddressRange> ranges = AddressRange.list(" 10.0.0.0/8 ,::1, 192.0.2.0/24 ");

    assertThat(ranges).hasSize(3);
    assertThat(AddressRange.anyContains(ranges, "192.0.2.77")).isTrue();
    assertThat(AddressRange.anyContains(ranges, "::1")).isTrue();
    assertThat(AddressRange.anyContains(ranges, "198.51.100.1")).isFalse();
  }

  @Test
  void noRangeHoldsNothing() {
    assertThat(AddressRange.list("")).isEmpty();
    assertThat(AddressRange.anyContains(List.of(), "127.0.0.1")).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "10.0.0.1/8",
        "192.0.2.1/31",
        "2001:db8::1/32",
        "0.0.0.1/0",
        "10.0.0.0/33",
        "::/129",
        "10.0.0.0/",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0.0/8.0",
        "10.0.0.0/8/8",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0 /8",
        "10.0.0.0/ 8",
        "10.0.0/8",
        "10.*",
        "10.0.0.0-10.0.0.9",
        "/8",
        "proxy.example.org",
        "localhost",
        "*",
        "10.0.0.0/8; ::1",
        "10.0.0.0/8 ::1",
        "10.0.0.0/8, junk",
        "10.0.0.0/1000",
      })
  void whatIsNoBlockIsRefusedWithWhatWasExpected(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> AddressRange.list(text))
        .withMessageContaining("CIDR");
  }

  @ParameterizedTest
  @ValueSource(strings = {"::ffff:10.0.0.0/8", "::ffff:0.0.0.0/0", "::ffff:a00:0/16"})
  void aLengthBehindAMappedAddressCountsTheBitsOfIpv6(String text) {
    // As 128-bit blocks all of these have host bits; as blocks of IPv4 they would hold far more
    // than was written.
    assertThatIllegalArgumentException().isThrownBy(() -> AddressRange.list(text));
  }

  @Test
  void aBlockOfMappedAddressesHoldsTheirIpv4Addresses() {
    List<AddressRange> ranges = AddressRange.list("::ffff:10.0.0.0/104");

    assertThat(AddressRange.anyContains(ranges, "10.1.2.3")).isTrue();
    assertThat(AddressRange.anyContains(ranges, "::ffff:10.1.2.3")).isTrue();
    assertThat(AddressRange.anyContains(ranges, "11.1.2.3")).isFalse();
  }
}
