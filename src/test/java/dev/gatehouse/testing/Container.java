package dev.gatehouse.testing;

import java.util.Arrays;
import java.util.List;

/** The servers that the WAR is tested in. */
public enum Container {
  /** Jetty 12.1, environment ee10. */
  JETTY_EE10("jetty-ee10"),
  /** Jetty 12.1, environment ee11. */
  JETTY_EE11("jetty-ee11"),
  /** Tomcat 10.1. */
  TOMCAT_10("tomcat-10.1"),
  /** Tomcat 11. */
  TOMCAT_11("tomcat-11");

  private static final String CHOICE = "gatehouse.test.servers";

  private final String title;

  Container(String title) {
    this.title = title;
  }

  /**
   * Those that this run is for: the names in the system property {@code gatehouse.test.servers},
   * else one Jetty and one Tomcat. For {@code @MethodSource}.
   */
  public static List<Container> chosen() {
    return named(System.getProperty(CHOICE, JETTY_EE10 + "," + TOMCAT_11));
  }

  static List<Container> named(String names) {
    return Arrays.stream(names.split(",", -1)).map(name -> ofTitle(name.strip())).toList();
  }

  private static Container ofTitle(String name) {
    return Arrays.stream(values())
        .filter(container -> container.title.equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    CHOICE + ": no server '" + name + "', only " + Arrays.toString(values())));
  }

  /** A server of this kind that is not started yet. */
  public GatewayServer newServer() {
    return switch (this) {
      case JETTY_EE10 -> new JettyServer("ee10");
      case JETTY_EE11 -> new JettyServer("ee11");
      case TOMCAT_10 -> new TomcatServer("10.1");
      case TOMCAT_11 -> new TomcatServer("11");
    };
  }

  /** Its name in {@code gatehouse.test.servers}, and in reports. */
  @Override
  public String toString() {
    return title;
  }
}
