package dev.gatehouse.demo;

import com.auth0.jwt.JWT;
import com.auth0.jwt.algorithms.Algorithm;
import java.io.IOException;
import java.io.PrintStream;
import java.net.BindException;
import java.net.ServerSocket;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The demo: the gateway in a real Jetty with sample services behind it, until it is stopped.
 * Started by {@code mvn -Pdemo}; {@link DemoSettings} has its parameters.
 */
public final class Demo implements AutoCloseable {
  private static final Duration TIME_TO_START = Duration.ofMinutes(1);
  private static final Duration TOKEN_LIFE = Duration.ofHours(8);
  private static final int SECRET_BYTES = 48;
  private static final int LOG_LINES_SHOWN = 40;

  private final DemoSettings settings;
  private final PrintStream out;

  /** Guarded by this, like the two below: the shutdown hook may come at any moment of the start. */
  private boolean closed;

  private @Nullable SampleServices services;
  private @Nullable JettyProcess jetty;

  private Demo(DemoSettings settings, PrintStream out) {
    this.settings = settings;
    this.out = out;
  }

  public static void main(String[] args) throws InterruptedException {
    try {
      Demo demo = new Demo(DemoSettings.fromSystemProperties(), System.out);
      Runtime.getRuntime().addShutdownHook(new Thread(demo::close, "demo-stop"));
      demo.run();
      System.exit(0);
    } catch (DemoException e) {
      exit("The demo cannot run: " + e.getMessage());
    } catch (IOException e) {
      exit("The demo cannot run: " + e);
    }
  }

  /**
   * Ends the JVM rather than throw: Maven would bury the line under its own, and the services'
   * threads live on.
   */
  private static void exit(String why) {
    System.err.println(why);
    System.exit(1);
  }

  private void run() throws DemoException, IOException, InterruptedException {
    byte[] secret = new byte[SECRET_BYTES];
    new SecureRandom().nextBytes(secret);
    JettyProcess started = start(secret);
    if (started.awaitReady(TIME_TO_START)) {
      out.println(examples());
      out.println("TOKEN=" + token(secret));
      out.println("READY");
      int status = started.waitFor();
      if (!isClosed()) {
        throw new DemoException("Jetty ended with status " + status + "." + logOf(started));
      }
    } else if (!isClosed()) {
      throw new DemoException("the gateway did not become ready." + logOf(started));
    }
  }

  /** Waits for the end of {@link #close} where that has begun: it has Jetty end, too. */
  private synchronized boolean isClosed() {
    return closed;
  }

  private synchronized JettyProcess start(byte[] secret)
      throws DemoException, IOException, InterruptedException {
    if (closed) {
      throw new InterruptedException("stopped before it had started");
    }
    // Held while the services start, so that none does when Jetty could not, nor takes its port.
    ServerSocket held = hold(settings.port());
    try {
      services = SampleServices.start(settings.servicesPort());
    } catch (PortInUseException e) {
      throw inUse(e.port(), "demo.services.port", "the first of the sample services' four ports");
    } finally {
      held.close();
    }
    JettyBase base = JettyBase.copy(settings.jettyBase(), settings.war(), settings.directory());
    jetty =
        JettyProcess.start(
            settings.jettyHome(), base, settings.port(), gatewaySettings(services, secret));
    return jetty;
  }

  private static ServerSocket hold(int port) throws DemoException, IOException {
    try {
      return new ServerSocket(port);
    } catch (BindException e) {
      throw inUse(port, "demo.port", "the gateway's port");
    }
  }

  private static Map<String, String> gatewaySettings(SampleServices services, byte[] secret) {
    Map<String, String> gateway = new HashMap<>();
    gateway.put("users.url", services.usersUrl().toString());
    gateway.put("products.url", services.productsUrl().toString());
    gateway.put("orders.url", services.ordersUrl().toString());
    gateway.put("notifications.url", services.notificationsUrl().toString());
    gateway.put("inventory.url", services.inventoryUrl().toString());
    gateway.put("jwt.secret", "base64:" + Base64.getEncoder().encodeToString(secret));
    return gateway;
  }

  private static String token(byte[] secret) {
    return JWT.create()
        .withSubject("demo")
        .withClaim(
            "scope",
            "users:read users:write products:read products:write orders:read orders:write"
                + " notifications:read notifications:write inventory:read inventory:write"
                + " gateway:admin")
        .withIssuedAt(Instant.now())
        .withExpiresAt(Instant.now().plus(TOKEN_LIFE))
        .sign(Algorithm.HMAC256(secret));
  }

  private String examples() {
    String curl = "  curl -i -H \"Authorization: Bearer $TOKEN\" ";
    String json = "-H 'Content-Type: application/json' ";
    String gateway = "http://localhost:" + settings.port();
    return String.join(
        System.lineSeparator(),
        "",
        "The gateway answers on " + gateway + "; Ctrl-C stops it.",
        "Logs: " + settings.directory().resolve("logs"),
        "In another terminal, set TOKEN to the value below, and try:",
        "",
        curl + gateway + "/api/users/profile",
        curl + "'" + gateway + "/api/products?category=tea&maxPrice=10'",
        curl + "'" + gateway + "/api/inventory/stock?product=2'",
        curl + json + "-d '{\"user\":\"demo\",\"product\":\"1\"}' " + gateway + "/api/orders",
        curl + json + "-X PUT -d '{\"user\":\"demo\",\"quantity\":3}' " + gateway + "/api/orders/1",
        curl + json + "-X PATCH -d '{\"status\":\"sent\"}' " + gateway + "/api/orders/1",
        curl + "-X DELETE " + gateway + "/api/orders/2",
        curl + json + "-d '{\"user\":\"ada\",\"text\":\"Hi\"}' " + gateway + "/api/notifications",
        curl + "'" + gateway + "/users/echo?a=1&a=2'      # the request as the service gets it",
        curl + "'" + gateway + "/api/users/slow?seconds=3'",
        curl + "'" + gateway + "/api/users/fail?status=503'",
        "  curl -i " + gateway + "/api/users/profile      # no token: 401",
        curl + gateway + "/gateway/metrics",
        "");
  }

  private static DemoException inUse(int port, String property, String meaning) {
    return new DemoException(
        "port " + port + " is in use; -D" + property + "=N moves " + meaning + ".");
  }

  private static String logOf(JettyProcess jetty) throws IOException {
    List<String> tail = jetty.logTail(LOG_LINES_SHOWN);
    return " The end of its log, " + jetty.log() + ":\n" + String.join("\n", tail);
  }

  /** Ends Jetty first, so that no request finds a service gone. */
  @Override
  public synchronized void close() {
    closed = true;
    if (jetty != null) {
      jetty.close();
    }
    if (services != null) {
      services.close();
    }
  }
}
