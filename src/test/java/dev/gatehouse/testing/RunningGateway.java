package dev.gatehouse.testing;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** One running gateway: a context of a server, with an upstream of its own for each service. */
public final class RunningGateway {
  private final GatewayServer server;
  private final String context;
  private final Tokens.Trust trust;
  private final Map<String, Upstream> upstreams = new LinkedHashMap<>();

  RunningGateway(GatewayServer server, String context, Tokens.Trust trust) {
    this.server = server;
    this.context = context;
    this.trust = trust;
  }

  /** The gateway at the root of a server that somebody else has started, or will. */
  public static RunningGateway atRootOf(GatewayServer server) {
    return new RunningGateway(server, "", Tokens.Trust.HS256);
  }

  /**
   * Starts a server of one's own with a gateway at its root, whose services are all one upstream.
   */
  public static RunningGateway startIn(GatewayServer server) {
    RunningGateway gateway = atRootOf(server);
    Webapp webapp = Tokens.trusting(gateway.trust, Webapp.at(""));
    server
        .deploy(webapp.setting("users.url", gateway.add("users", Upstream.start()).url()))
        .start();
    return gateway;
  }

  /** Ends the server and the upstreams; only for whoever has started it. */
  public void close() {
    server.close();
    closeUpstreams();
  }

  Upstream add(String name, Upstream upstream) {
    upstreams.put(name, upstream);
    return upstream;
  }

  void fresh() {
    upstreams.values().forEach(Upstream::fresh);
  }

  void closeUpstreams() {
    upstreams.values().forEach(Upstream::close);
  }

  /** The server it runs in. */
  public GatewayServer server() {
    return server;
  }

  /** Whether the server is a Jetty, else it is a Tomcat. */
  public boolean inJetty() {
    return server instanceof JettyServer;
  }

  /** Its context path. */
  public String context() {
    return context;
  }

  /** The key that it trusts. */
  public Tokens.Trust trust() {
    return trust;
  }

  /** The upstream of a service. */
  public Upstream upstream(String name) {
    return upstreams.get(name);
  }

  /** How many requests arrived at all upstreams together. */
  public int arrivals() {
    return upstreams.values().stream().mapToInt(upstream -> upstream.requests().size()).sum();
  }

  /** A request with a good token, to a path below the context. */
  public RawRequest request(String method, String path) {
    return anonymous(method, path).bearer(Tokens.good(trust));
  }

  /** A request without a token, to a path below the context. */
  public RawRequest anonymous(String method, String path) {
    return RawRequest.of(method, context + path);
  }

  /** Sends a GET with a good token by a connection of its own. */
  public RawResponse get(String path) {
    return send(request("GET", path));
  }

  /** Sends a request by a connection of its own. */
  public RawResponse send(RawRequest request) {
    try (RawClient client = connect()) {
      client.send(request);
      return client.receive();
    }
  }

  /** A connection to it. */
  public RawClient connect() {
    return server.connect();
  }

  /** The lines of its access log that hold a text. */
  public List<String> accessLog(String text) {
    return server.accessLogLines(context).stream().filter(line -> line.contains(text)).toList();
  }

  /** Its metrics, in Prometheus' text format. */
  public String metrics() {
    // Somebody else each time: nobody's limit is used up by a test's questions.
    Map<String, Object> claims = Tokens.claims("scope", "gateway:admin");
    claims.put("sub", "admin-" + UUID.randomUUID());
    RawResponse answer =
        send(anonymous("GET", "/gateway/metrics").bearer(Tokens.signed(trust, claims)));
    if (answer.status() != 200 || !answer.text().contains("gatehouse_exchanges_open")) {
      throw new AssertionError("metrics: " + answer);
    }
    return answer.text();
  }

  /** The sum of the samples of a metric whose line holds all these label texts. */
  public double metric(String name, String... labels) {
    return metrics()
        .lines()
        .filter(line -> line.matches(name + "(\\{.*\\})? .*"))
        .filter(line -> List.of(labels).stream().allMatch(line::contains))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }

  @Override
  public String toString() {
    return server + (context.isEmpty() ? " at the root" : context);
  }
}
