package dev.gatehouse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.GatewayServer;
import dev.gatehouse.testing.JettyServer;
import dev.gatehouse.testing.TomcatServer;
import dev.gatehouse.testing.Webapp;
import org.junit.jupiter.api.Test;

class ServersIT {
  @Test
  void jettyStartsAndStops() {
    run(new JettyServer());
  }

  @Test
  void tomcatStartsAndStops() {
    run(new TomcatServer());
  }

  private static void run(GatewayServer server) {
    try (server) {
      server.http2().deploy(Webapp.at("")).deploy(Webapp.at("/gw")).start();
      System.out.println(server.port());
      System.out.println(server.deployed("/gw"));
      server.stop();
      System.out.println(server.log());
      assertThat(server.log()).isNotBlank();
    }
  }
}
