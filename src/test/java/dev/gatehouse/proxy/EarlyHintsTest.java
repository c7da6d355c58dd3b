package dev.gatehouse.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EarlyHintsTest {

  @ParameterizedTest
  @CsvSource({
    "jetty/12.1.12, true",
    "Apache Tomcat/11.0.24, true",
    "Apache Tomcat/12.0.0-M1, true",
    "Apache Tomcat/10.1.59, false",
    "Apache Tomcat/9.0.1, false",
    "Apache Tomcat, false",
    "GlassFish/8.0, false",
  })
  void onlySomeServersCanSendThem(String serverInfo, boolean sent) {
    assertThat(new EarlyHints(serverInfo).areRelayed()).isEqualTo(sent);
  }
}
