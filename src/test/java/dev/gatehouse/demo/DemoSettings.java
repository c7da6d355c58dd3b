package dev.gatehouse.demo;

import java.nio.file.Path;

/**
 * What the demo is told, by system properties.
 *
 * @param port {@code demo.port}: where the gateway answers
 * @param servicesPort {@code demo.services.port}: the first port of the sample services
 * @param war {@code demo.war}
 * @param jettyHome {@code demo.jettyHome}: an unpacked jetty-home
 * @param jettyBase {@code demo.jettyBase}: the base to copy
 * @param directory {@code demo.directory}: where the copy runs; it is replaced
 */
record DemoSettings(
    int port, int servicesPort, Path war, Path jettyHome, Path jettyBase, Path directory) {

  static DemoSettings fromSystemProperties() throws DemoException {
    return new DemoSettings(
        port("demo.port", 1),
        port("demo.services.port", SampleServices.PORTS),
        Path.of(value("demo.war")),
        Path.of(value("demo.jettyHome")),
        Path.of(value("demo.jettyBase")),
        Path.of(value("demo.directory")));
  }

  private static int port(String property, int count) throws DemoException {
    String value = value(property);
    int highest = 65_535 - count + 1;
    if (value.matches("[0-9]{1,5}")) {
      int port = Integer.parseInt(value);
      if (port >= 1 && port <= highest) {
        return port;
      }
    }
    throw new DemoException(
        "-D" + property + "=" + value + ": expected a port from 1 to " + highest);
  }

  private static String value(String property) throws DemoException {
    String value = System.getProperty(property);
    if (value == null) {
      throw new DemoException("-D" + property + " is missing; start the demo by: mvn -Pdemo");
    }
    return value;
  }
}
