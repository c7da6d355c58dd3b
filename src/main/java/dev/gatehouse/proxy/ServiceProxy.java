package dev.gatehouse.proxy;

import dev.gatehouse.Configurable;
import dev.gatehouse.Exchange;
import dev.gatehouse.Gateway;
import dev.gatehouse.config.Parameters;
import dev.gatehouse.config.Problems;
import dev.gatehouse.http.GatewayFields;
import dev.gatehouse.http.HopByHop;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletConfig;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Collections;
import java.util.Enumeration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.jetty.client.AsyncRequestContent;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.Response;
import org.eclipse.jetty.ee10.proxy.AsyncProxyServlet;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpHeaderValue;
import org.jspecify.annotations.Nullable;

/**
 * Forwards the requests of one service. Map it, or a subclass of it, to the service's paths; the
 * servlet's name is the service's name in settings, log and metrics.
 *
 * <p><b>What the service receives:</b> the client's method, body and header fields, the raw path
 * without the matched prefix behind the URL's base path, and the raw query; and what the filter
 * set-gateway-headers has to say. <b>What the client receives:</b> the service's status, header
 * values and body. Fields that concern one connection only are left out both ways.
 *
 * <table>
 * <caption>Parameters</caption>
 * <tr><th>init-param, setting</th><th>format</th><th>default</th></tr>
 * <tr><td>{@code url}</td><td>URL, or several with commas, used in turn</td>
 *   <td>none, required</td></tr>
 * <tr><td>{@code timeout.connect}</td><td>duration</td><td>{@code 5s}</td></tr>
 * <tr><td>{@code timeout.response}</td><td>duration, to the first byte</td>
 *   <td>{@code 30s}</td></tr>
 * <tr><td>{@code timeout.idle}</td><td>duration, between bytes; none for {@code
 *   text/event-stream}</td><td>{@code 60s}</td></tr>
 * <tr><td>{@code timeout.total}</td><td>duration, or {@code none}</td><td>{@code none}</td></tr>
 * <tr><td>{@code hostHeader}</td><td>{@code service}, {@code client}, or a fixed name</td>
 *   <td>{@code service}</td></tr>
 * </table>
 *
 * In the settings file, {@code users.timeout.response=5s} is for the service users, {@code
 * timeout.response=5s} for all.
 *
 * <pre>{@code
 * <servlet>
 *   <servlet-name>reviews</servlet-name>
 *   <servlet-class>dev.gatehouse.proxy.ServiceProxy</servlet-class>
 *   <init-param>
 *     <param-name>url</param-name>
 *     <param-value>${reviews.url:http://localhost:8005}</param-value>
 *   </init-param>
 *   <load-on-startup>1</load-on-startup>
 *   <async-supported>true</async-supported>
 * </servlet>
 * <servlet-mapping>
 *   <servlet-name>reviews</servlet-name>
 *   <url-pattern>/api/reviews/*</url-pattern>
 * </servlet-mapping>
 * }</pre>
 */
public class ServiceProxy extends AsyncProxyServlet implements Configurable {

  private static final long serialVersionUID = 1L;

  private transient List<Upstream> upstreams = List.of();
  private transient @Nullable Timeouts timeouts;
  private String hostHeader = "service";
  private transient @Nullable UpstreamClient client;
  private String contextPath = "";
  private final AtomicInteger turn = new AtomicInteger();

  // Start.

  @Override
  public void init(ServletConfig config) throws ServletException {
    ServletContext context = config.getServletContext();
    Gateway gateway = Gateway.of(context);
    Problems problems = new Problems();
    configure(Parameters.of(config, gateway.settings(), problems));
    problems.refuse();
    contextPath = context.getContextPath();
    UpstreamClient shared = gateway.shared(UpstreamClient.class, UpstreamClient::new);
    shared.atLeastConnectTimeout(timeouts().connect());
    client = shared;
    super.init(new WithoutParameters(config));
  }

  @Override
  public void configure(Parameters parameters) {
    upstreams =
        parameters
            .value("url", "URL, or several with commas, used in turn", Upstream::list)
            .orElse(List.of());
    if (!parameters.isSet("url")) {
      parameters.problem("init-param 'url' is missing: expected the service's URL");
    }
    timeouts = Timeouts.of(parameters);
    hostHeader =
        parameters.value(
            "hostHeader", "service", "service, client, or a fixed name", ServiceProxy::hostName);
  }

  private static String hostName(String text) {
    if (!text.matches("[A-Za-z0-9._~:\\[\\]-]+")) {
      throw new IllegalArgumentException("service, client, or a host name, perhaps with a port");
    }
    return text;
  }

  /** The client of all services: Jetty would make one for each. */
  @Override
  protected HttpClient createHttpClient() {
    return client().http();
  }

  /** Leaves the client running: it is the other services', too. */
  @Override
  public void destroy() {}

  private UpstreamClient client() {
    return Objects.requireNonNull(client, "not initialised");
  }

  private Timeouts timeouts() {
    return Objects.requireNonNull(timeouts, "not initialised");
  }

  // One request.

  @Override
  protected void service(HttpServletRequest clientRequest, HttpServletResponse clientResponse)
      throws ServletException, IOException {
    if (clientRequest.getAttribute(Attempt.BROKEN) instanceof Throwable cause) {
      throw new BrokenOff(cause);
    }
    Exchange exchange = Exchange.of(clientRequest);
    UpstreamRequest upstreamRequest = newProxyRequest(clientRequest, rewriteTarget(clientRequest));
    copyRequestHeaders(clientRequest, upstreamRequest);
    addProxyHeaders(clientRequest, upstreamRequest);

    AsyncContext async = clientRequest.startAsync();
    // The attempt keeps the time, which knows more than one limit.
    async.setTimeout(0);
    Attempt attempt = new Attempt(this, client(), exchange, async, upstreamRequest, timeouts());
    if (hasContent(clientRequest)) {
      AsyncRequestContent body = newBody();
      setBody(upstreamRequest, body);
      if (expects100Continue(clientRequest)) {
        // Reading makes the server ask the client for the body: not before the service has asked.
        client().onContinue(upstreamRequest, () -> read(clientRequest, body, attempt));
      } else {
        read(clientRequest, body, attempt);
      }
      attempt.send(true);
    } else if (mayHaveContent(clientRequest)) {
      attempt.awaitClient();
      // Reading has already told the client to go on.
      upstreamRequest.headers(headers -> headers.remove(HttpHeader.EXPECT));
      ServletInputStream input = clientRequest.getInputStream();
      input.setReadListener(new SendAtFirstEvent(input, newBody(), upstreamRequest, attempt));
    } else {
      attempt.send(false);
    }
  }

  /**
   * The raw path for the service, without its base path: what the client sent behind the matched
   * prefix, at least {@code /}. The path rule has made sure that the prefix stands there literally.
   */
  @Override
  protected String rewriteTarget(HttpServletRequest clientRequest) {
    Exchange exchange = Exchange.of(clientRequest);
    String rawPath = exchange.rawPath();
    String rest = rawPath.substring(contextPath.length() + exchange.route().prefix().length());
    return rest.isEmpty() ? "/" : rest;
  }

  @Override
  protected UpstreamRequest newProxyRequest(HttpServletRequest clientRequest, String target) {
    List<Upstream> all = upstreams;
    Upstream upstream =
        all.size() == 1 ? all.get(0) : all.get(Math.floorMod(turn.getAndIncrement(), all.size()));
    UpstreamRequest upstreamRequest =
        new UpstreamRequest(
            client().http(),
            upstream,
            clientRequest.getMethod(),
            upstream.basePath() + target,
            clientRequest.getQueryString());
    // An attempt keeps its own time; the client's idle time-out is for pooled connections.
    upstreamRequest.idleTimeout(0, TimeUnit.MILLISECONDS);
    return upstreamRequest;
  }

  /**
   * Copies what concerns both ends: every value as it came, in its place among its name's values.
   */
  @Override
  protected void copyRequestHeaders(HttpServletRequest clientRequest, Request upstreamRequest) {
    HopByHop hopByHop =
        HopByHop.of(Collections.list(clientRequest.getHeaders(HttpHeader.CONNECTION.asString())));
    HttpFields.Mutable copied = HttpFields.build();
    for (Enumeration<String> names = clientRequest.getHeaderNames(); names.hasMoreElements(); ) {
      String name = names.nextElement();
      String lowerName = name.toLowerCase(Locale.ROOT);
      if (lowerName.equals("host") || hopByHop.contains(lowerName) || GatewayFields.isOurs(name)) {
        continue;
      }
      for (Enumeration<String> values = clientRequest.getHeaders(name);
          values.hasMoreElements(); ) {
        copied.add(name, values.nextElement());
      }
    }
    upstreamRequest.headers(headers -> headers.clear().add(copied));
  }

  /** Adds Host and what the chain has to tell the service. Last, so that nothing removes it. */
  @Override
  protected void addProxyHeaders(HttpServletRequest clientRequest, Request upstreamRequest) {
    String host = host(clientRequest, upstreamRequest);
    upstreamRequest.headers(
        headers -> {
          headers.put(HttpHeader.HOST, host);
          for (Map.Entry<String, String> field : Exchange.of(clientRequest).upstreamFields()) {
            headers.put(field.getKey(), field.getValue());
          }
        });
  }

  private String host(HttpServletRequest clientRequest, Request upstreamRequest) {
    String ofService = ((UpstreamRequest) upstreamRequest).upstream().authority();
    return switch (hostHeader) {
      case "service" -> ofService;
      case "client" ->
          Objects.requireNonNullElse(Exchange.of(clientRequest).authority(), ofService);
      default -> hostHeader;
    };
  }

  // The client's body.

  /**
   * Whether a body may follow though nothing says so: HTTP/2 needs neither a length nor an encoding
   * (RFC 9113 section 8.1).
   */
  private static boolean mayHaveContent(HttpServletRequest clientRequest) {
    return clientRequest.getContentLengthLong() < 0
        && !clientRequest.getProtocol().startsWith("HTTP/1");
  }

  /** A body of which nothing is said that the client has not said, such as a Content-Type. */
  private static AsyncRequestContent newBody() {
    return new AsyncRequestContent((String) null);
  }

  /**
   * Says how the body ends. Without that, Jetty's client frames it only for methods that usually
   * have one: the body of a chunked GET would be sent bare, and be taken for the next request.
   */
  private static void setBody(Request upstreamRequest, Request.Content body) {
    upstreamRequest.body(body);
    if (!upstreamRequest.getHeaders().contains(HttpHeader.CONTENT_LENGTH)) {
      upstreamRequest.headers(
          headers -> headers.put(HttpHeader.TRANSFER_ENCODING, HttpHeaderValue.CHUNKED.asString()));
    }
  }

  private static void read(
      HttpServletRequest clientRequest, AsyncRequestContent body, Attempt attempt) {
    try {
      ServletInputStream input = clientRequest.getInputStream();
      input.setReadListener(new BodyReader(input, body, attempt));
    } catch (IOException | RuntimeException e) {
      attempt.clientFailed(e);
      body.fail(e);
    }
  }

  /** Sends a request when its first event tells whether it has a body. */
  private static final class SendAtFirstEvent implements ReadListener {

    private final BodyReader reader;
    private final AsyncRequestContent body;
    private final Request upstreamRequest;
    private final Attempt attempt;
    private boolean sent;

    private SendAtFirstEvent(
        ServletInputStream input,
        AsyncRequestContent body,
        Request upstreamRequest,
        Attempt attempt) {
      this.reader = new BodyReader(input, body, attempt);
      this.body = body;
      this.upstreamRequest = upstreamRequest;
      this.attempt = attempt;
    }

    @Override
    public void onDataAvailable() {
      if (!sent) {
        sent = true;
        setBody(upstreamRequest, body);
        attempt.send(true);
      }
      reader.onDataAvailable();
    }

    @Override
    public void onAllDataRead() {
      if (sent) {
        reader.onAllDataRead();
      } else {
        sent = true;
        attempt.send(false);
      }
    }

    @Override
    public void onError(Throwable failure) {
      if (sent) {
        reader.onError(failure);
      } else {
        sent = true;
        attempt.clientLost("read", failure);
      }
    }
  }

  // The service's answer.

  /** Copies what concerns both ends, values as they came; and adds Via. */
  @Override
  protected void onServerResponseHeaders(
      HttpServletRequest clientRequest,
      HttpServletResponse clientResponse,
      Response upstreamResponse) {
    HttpFields fields = upstreamResponse.getHeaders();
    HopByHop hopByHop = HopByHop.of(fields.getValuesList(HttpHeader.CONNECTION));
    Set<String> seen = new HashSet<>();
    StringBuilder via = new StringBuilder();
    for (HttpField field : fields) {
      String name = field.getLowerCaseName();
      String value = Objects.requireNonNullElse(field.getValue(), "");
      if (name.equals("via")) {
        via.append(value).append(", ");
        continue;
      }
      if (hopByHop.contains(name) || name.equals("x-request-id")) {
        continue;
      }
      if (seen.add(name)) {
        // In place of what the server has put there itself, such as Date and Server.
        clientResponse.setHeader(field.getName(), value);
      } else {
        clientResponse.addHeader(field.getName(), value);
      }
    }
    clientResponse.setHeader(GatewayFields.VIA, via.append("1.1 gatehouse").toString());
  }

  /** Thrown on the container's thread, so that it breaks off an answer that is not whole. */
  private static final class BrokenOff extends IOException {

    private static final long serialVersionUID = 1L;

    private BrokenOff(Throwable cause) {
      super("the service broke off its answer: " + cause);
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
      return this;
    }
  }

  /**
   * The servlet's configuration without parameters, which would mean something to Jetty's class.
   */
  private record WithoutParameters(ServletConfig config) implements ServletConfig {

    @Override
    public String getServletName() {
      return config.getServletName();
    }

    @Override
    public ServletContext getServletContext() {
      return config.getServletContext();
    }

    @Override
    public @Nullable String getInitParameter(String name) {
      // Without a name Jetty's class would ask the operating system, and perhaps DNS, for one.
      return name.equals("viaHost") ? "gatehouse" : null;
    }

    @Override
    public Enumeration<String> getInitParameterNames() {
      return Collections.emptyEnumeration();
    }
  }
}
