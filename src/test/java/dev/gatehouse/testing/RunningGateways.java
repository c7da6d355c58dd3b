package dev.gatehouse.testing;

import static dev.gatehouse.testing.Tokens.Trust.ES256;
import static dev.gatehouse.testing.Tokens.Trust.HS256;
import static dev.gatehouse.testing.Tokens.Trust.RS256;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.ArgumentsProvider;
import org.junit.jupiter.params.support.AnnotationConsumer;
import org.junit.jupiter.params.support.ParameterDeclarations;

/** Starts the chosen servers for all tests of a run, each with three gateways. */
public final class RunningGateways
    implements ArgumentsProvider,
        AnnotationConsumer<OnEveryGateway>,
        BeforeEachCallback,
        TestExecutionExceptionHandler {
  /** At the root: the WAR as it is, trusting a secret. */
  public static final String STOCK = "";

  /**
   * Under {@code /gw}: trusting an RSA key, with services that web.xml gets from outside: {@code
   * reviews} on two upstreams that are asked by the client's name for them, {@code nobody} where
   * nothing listens, {@code slow}, below a base path and with cookies under the prefix, {@code
   * faulty} with little patience, {@code hasty} with little between two bytes, {@code beats} with
   * heartbeats, {@code unreached} and {@code late} that take no connections, {@code hurried} with
   * little time for all; and {@code GET /api/products/open/*} is public.
   */
  public static final String EXTENDED = "/gw";

  /** Under {@code /ec}: trusting an EC key, an issuer and an audience. */
  public static final String EC = "/ec";

  private static final List<String> SERVICES =
      List.of("users", "products", "orders", "notifications", "inventory");

  private List<String> contexts = List.of();
  private boolean asTheyCome;

  @Override
  public void accept(OnEveryGateway annotation) {
    contexts = List.of(annotation.contexts());
    asTheyCome = annotation.asTheyCome();
  }

  @Override
  public Stream<? extends Arguments> provideArguments(
      ParameterDeclarations parameters, ExtensionContext context) {
    return running(context, asTheyCome).gateways.stream()
        .filter(gateway -> contexts.contains(gateway.context()))
        .map(Arguments::of);
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    boolean own = context.getRequiredTestClass().getAnnotation(OnEveryGateway.class).asTheyCome();
    running(context, own).gateways.forEach(RunningGateway::fresh);
  }

  /** Names the gateway, of which reports only tell the number. */
  @Override
  public void handleTestExecutionException(ExtensionContext context, Throwable failure)
      throws Throwable {
    Optional<ExtensionContext> above = context.getParent();
    String gateway = "";
    while (above.isPresent() && above.get().getTestClass().isPresent()) {
      gateway = above.get().getDisplayName() + " > " + gateway;
      above = above.get().getParent();
    }
    failure.addSuppressed(new AssertionError(gateway + context.getDisplayName()));
    throw failure;
  }

  /** A service as an administrator adds it to web.xml, and nowhere else. */
  public static String service(String name, String url) {
    return """
    <servlet>
      <servlet-name>%1$s</servlet-name>
      <servlet-class>dev.gatehouse.proxy.ServiceProxy</servlet-class>
      <init-param><param-name>url</param-name><param-value>%2$s</param-value></init-param>
      <async-supported>true</async-supported>
    </servlet>
    <servlet-mapping>
      <servlet-name>%1$s</servlet-name>
      <url-pattern>/api/%1$s/*</url-pattern>
    </servlet-mapping>
    """
        .formatted(name, url);
  }

  private static Running running(ExtensionContext context, boolean asTheyCome) {
    return context
        .getRoot()
        .getStore(ExtensionContext.Namespace.create(RunningGateways.class))
        .getOrComputeIfAbsent(asTheyCome, Running::new, Running.class);
  }

  private static final class Running implements AutoCloseable {
    private final List<RunningGateway> gateways = new ArrayList<>();
    private final List<GatewayServer> servers =
        Container.chosen().stream().map(Container::newServer).toList();

    private Running(boolean asTheyCome) {
      for (GatewayServer server : servers) {
        if (asTheyCome) {
          server.http2AsItComes();
        } else {
          server.http2();
        }
        server.deploy(stock(server)).deploy(extended(server)).deploy(ec(server));
      }
      CompletableFuture.allOf(
              servers.stream()
                  .map(server -> CompletableFuture.runAsync(server::start))
                  .toArray(CompletableFuture<?>[]::new))
          .join();
    }

    private Webapp stock(GatewayServer server) {
      return webapp(gateway(server, STOCK, HS256));
    }

    private Webapp extended(GatewayServer server) {
      RunningGateway gateway = gateway(server, EXTENDED, RS256);
      String reviews =
          gateway.add("reviews-1", Upstream.start()).url()
              + ", "
              + gateway.add("reviews-2", Upstream.start()).url();
      String nobody = gateway.add("nobody", Upstream.refusing()).url();
      String slow = gateway.add("slow", Upstream.start()).url();
      String faulty = gateway.add("faulty", Upstream.start()).url();
      String hasty = gateway.add("hasty", Upstream.start()).url();
      String beats = gateway.add("beats", Upstream.start()).url();
      String unreached = gateway.add("unreached", Upstream.overrun()).url();
      String late = gateway.add("late", Upstream.overrun()).url();
      String hurried = gateway.add("hurried", Upstream.start()).url();
      return webapp(gateway)
          .setting("jwt.public", "/gateway/health/*, GET /api/products/open/*")
          .setting("slow.timeout.response", "300ms")
          .setting("slow.cookiePath", "prefix")
          .setting("reviews.hostHeader", "client")
          .setting("faulty.timeout.response", "1s")
          .setting("faulty.timeout.idle", "1s")
          .setting("hasty.timeout.idle", "300ms")
          .setting("beats.sse.heartbeat", "100ms")
          .setting("unreached.timeout.connect", "300ms")
          .setting("late.timeout.connect", "30s")
          .setting("hurried.timeout.total", "600ms")
          .setting("hurried.sse.heartbeat", "100ms")
          .webXml(service("reviews", "${reviews.url:" + reviews + "}"))
          .webXml(service("nobody", nobody))
          .webXml(service("faulty", faulty))
          .webXml(service("hasty", hasty))
          .webXml(service("beats", beats))
          .webXml(service("unreached", unreached))
          .webXml(service("late", late))
          .webXml(service("hurried", hurried))
          .webXml(service("slow", slow + "/base/"));
    }

    private Webapp ec(GatewayServer server) {
      return webapp(gateway(server, EC, ES256))
          .setting("jwt.issuer", Tokens.ISSUER)
          .setting("jwt.audience", Tokens.AUDIENCE);
    }

    private RunningGateway gateway(GatewayServer server, String context, Tokens.Trust trust) {
      RunningGateway gateway = new RunningGateway(server, context, trust);
      gateways.add(gateway);
      return gateway;
    }

    private static Webapp webapp(RunningGateway gateway) {
      Webapp webapp = Tokens.trusting(gateway.trust(), Webapp.at(gateway.context()));
      for (String service : SERVICES) {
        webapp.setting(service + ".url", gateway.add(service, Upstream.start()).url());
      }
      return webapp;
    }

    @Override
    public void close() {
      servers.forEach(GatewayServer::close);
      gateways.forEach(RunningGateway::closeUpstreams);
    }
  }
}
