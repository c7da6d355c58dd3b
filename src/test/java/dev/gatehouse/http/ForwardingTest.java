package dev.gatehouse.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ForwardingTest {

  private static final List<AddressRange> TRUSTED = AddressRange.list("10.0.0.0/8, ::1");

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // the proxy says nothing
        "''|10.0.0.1",
        // one proxy
        "203.0.113.9|203.0.113.9",
        "' 203.0.113.9 '|203.0.113.9",
        "2001:db8::9|2001:db8::9",
        "[2001:db8::9]|2001:db8::9",
        // a client behind several proxies of ours
        "203.0.113.9, 10.0.0.2|203.0.113.9",
        "203.0.113.9,10.0.0.3,10.0.0.2|203.0.113.9",
        "203.0.113.9, ::1, 10.0.0.2|203.0.113.9",
        "203.0.113.9, ::ffff:10.0.0.2|203.0.113.9",
        // what stands left of the first stranger may be forged
        "198.51.100.1, 203.0.113.9|203.0.113.9",
        "127.0.0.1, 203.0.113.9, 10.0.0.2|203.0.113.9",
        "10.0.0.9, 203.0.113.9|203.0.113.9",
        "10.0.0.9, 203.0.113.9, 10.0.0.2|203.0.113.9",
        "junk, 203.0.113.9|203.0.113.9",
        "evil\", 203.0.113.9, 10.0.0.2|203.0.113.9",
        // only proxies of ours: the farthest of them
        "10.0.0.3, 10.0.0.2|10.0.0.3",
        // what is no address ends the chain where it can be trusted
        "unknown|10.0.0.1",
        "_hidden|10.0.0.1",
        "203.0.113.9, unknown|10.0.0.1",
        "203.0.113.9, unknown, 10.0.0.2|10.0.0.2",
        // with a port
        "203.0.113.9:4711|203.0.113.9",
        "[2001:db8::9]:443|2001:db8::9",
        "203.0.113.9:4711, 10.0.0.2:80|203.0.113.9",
        "198.51.100.1:1, 203.0.113.9:2|203.0.113.9",
        "2001:db8::9:443|2001:db8::9:443",
        "203.0.113.9:|10.0.0.1",
        "203.0.113.9:x|10.0.0.1",
        "203.0.113.9:123456|10.0.0.1",
        "203.0.113.9:1:2|10.0.0.1",
        "[2001:db8::9]443|10.0.0.1",
        "[203.0.113.9]:80|10.0.0.1",
        "localhost:80|10.0.0.1",
        "localhost, 10.0.0.2|10.0.0.2",
      })
  void theClientIsTheRightMostThatIsNoTrustedProxy(String forwardedFor, String client) {
    assertThat(Forwarding.clientAddress("10.0.0.1", List.of(forwardedFor), TRUSTED))
        .isEqualTo(client);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "203.0.113.9;10.0.0.2|203.0.113.9",
        "198.51.100.1;203.0.113.9|203.0.113.9",
        "198.51.100.1, 203.0.113.9;10.0.0.3, 10.0.0.2|203.0.113.9",
      })
  void severalFieldLinesAreOneChain(String lines, String client) {
    assertThat(Forwarding.clientAddress("10.0.0.1", Arrays.asList(lines.split(";", -1)), TRUSTED))
        .isEqualTo(client);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "203.0.113.9, , 10.0.0.2|203.0.113.9",
        "203.0.113.9,|203.0.113.9",
        ",203.0.113.9|203.0.113.9",
        "203.0.113.9,,,10.0.0.2,|203.0.113.9",
      })
  void emptyElementsOfTheChainAreIgnored(String forwardedFor, String client) {
    // RFC 9110 section 5.6.1.2
    assertThat(Forwarding.clientAddress("10.0.0.1", List.of(forwardedFor), TRUSTED))
        .isEqualTo(client);
  }

  @Test
  void withoutTheFieldTheClientIsTheProxyItself() {
    assertThat(Forwarding.clientAddress("10.0.0.1", List.of(), TRUSTED)).isEqualTo("10.0.0.1");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "none",
      quoteCharacter = '`',
      value = {
        "203.0.113.9|example.org|https|for=203.0.113.9;host=example.org;proto=https",
        "203.0.113.9|none|http|for=203.0.113.9;proto=http",
        "203.0.113.9|example.org:8080|http|for=203.0.113.9;host=\"example.org:8080\";proto=http",
        "2001:db8::9|a|http|for=\"[2001:db8::9]\";host=a;proto=http",
        "[2001:db8::9]|a|http|for=\"[2001:db8::9]\";host=a;proto=http",
        "fe80::1%eth0|a|http|for=\"[fe80::1]\";host=a;proto=http",
        "::1|[::1]:8080|http|for=\"[::1]\";host=\"[::1]:8080\";proto=http",
        "1.2.3.4|a;proto=https|http|for=1.2.3.4;host=\"a;proto=https\";proto=http",
        "1.2.3.4|a, for=6.6.6.6|http|for=1.2.3.4;host=\"a, for=6.6.6.6\";proto=http",
        "1.2.3.4|a\"b|http|for=1.2.3.4;host=\"a\\\"b\";proto=http",
        "1.2.3.4|a\\|http|for=1.2.3.4;host=\"a\\\\\";proto=http",
        "1.2.3.4|\u00e9|http|for=1.2.3.4;host=\"\u00e9\";proto=http",
        "1.2.3.4|``|http|for=1.2.3.4;host=\"\";proto=http",
      })
  void anElementIsAsRfc7239HasIt(String peer, @Nullable String host, String proto, String element) {
    assertThat(Forwarding.element(peer, host, proto)).isEqualTo(element);
  }
}
