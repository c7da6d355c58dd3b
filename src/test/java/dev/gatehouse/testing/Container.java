package dev.gatehouse.testing;

/** The servers that the WAR is tested in. */
public enum Container {
  /** Jetty 12.1, environment ee10. */
  JETTY,
  /** Tomcat 11. */
  TOMCAT;

  /** A server of this kind that is not started yet. */
  public GatewayServer newServer() {
    return this == JETTY ? new JettyServer() : new TomcatServer();
  }
}
