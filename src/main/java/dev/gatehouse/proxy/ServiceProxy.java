package dev.gatehouse.proxy;

import dev.gatehouse.Configurable;
import dev.gatehouse.Exchange;
import dev.gatehouse.Failure;
import dev.gatehouse.Gateway;
import dev.gatehouse.config.Parameters;
import dev.gatehouse.config.Problems;
import dev.gatehouse.http.GatewayFields;
import dev.gatehouse.http.HopByHop;
import dev.gatehouse.http.PublicLinks;
import dev.gatehouse.http.TrailerFields;
import dev.gatehouse.metrics.Metrics;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletConfig;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.EOFException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
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
 * values, body and trailers. Fields that concern one connection only are left out both ways. {@code
 * Location}, {@code Content-Location} and {@code Refresh} that point at the service itself become
 * paths under the prefix by which the request came. Event streams and the like are passed on event
 * by event.
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
 * <tr><td>{@code cookiePath}</td><td>{@code keep}; or {@code prefix}: the Path of the service's
 *   cookies is put under the prefix by which the request came</td><td>{@code keep}</td></tr>
 * <tr><td>{@code sse.heartbeat}</td><td>duration, after which a quiet event stream gets a comment,
 *   which finds clients that have vanished; or {@code none}</td><td>{@code none}</td></tr>
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

  /** Without a body they lack nothing, whatever became of it. */
  private static final Set<String> BODILESS = Set.of("GET", "HEAD", "OPTIONS");

  /** Of no time-out. Each second Tomcat ends what has none and whose application has stopped. */
  static final long UNTIL_STOPPED = 0;

  /**
   * So long as nothing is stopped. Without a time-out, Tomcat now and then takes an exchange that
   * is just ending for one of a stopped application, and times out the next one of that connection.
   * Longer than since 1970, which is when an exchange that has ended began.
   */
  private static final long NEVER = Duration.ofDays(365_000).toMillis();

  private transient List<Upstream> upstreams = List.of();
  private transient @Nullable Timeouts timeouts;
  private String hostHeader = "service";
  private boolean cookiesUnderPrefix;
  private transient List<String> origins = List.of();
  private transient @Nullable UpstreamClient client;
  private transient @Nullable EarlyHints earlyHints;
  private transient @Nullable Metrics metrics;
  private String contextPath = "";
  private boolean inTomcat;
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
    earlyHints = new EarlyHints(context.getServerInfo());
    inTomcat = context.getServerInfo().startsWith("Apache Tomcat/");
    metrics = gateway.metrics();
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
    cookiesUnderPrefix = parameters.choice("cookiePath", "keep", "keep", "prefix").equals("prefix");
    origins =
        upstreams.stream()
            .map(upstream -> PublicLinks.origin(upstream.scheme(), upstream.authority()))
            .toList();
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
    if (clientRequest.getAttribute(Attempt.BROKEN) != null) {
      throw new BrokenOff();
    }
    Exchange exchange = Exchange.of(clientRequest);
    if (clientRequest.getAttribute(Attempt.LAST) instanceof byte[] last) {
      end(exchange, clientResponse, last);
      return;
    }
    UpstreamRequest upstreamRequest = newProxyRequest(clientRequest, rewriteTarget(clientRequest));
    copyRequestHeaders(clientRequest, upstreamRequest);
    addProxyHeaders(clientRequest, upstreamRequest);

    if (hasContent(clientRequest)) {
      Attempt attempt = goAsync(exchange, clientRequest, upstreamRequest);
      BodyReader body = newBody(clientRequest, upstreamRequest, attempt);
      if (expects100Continue(clientRequest)) {
        // Reading makes the server ask the client for the body: not before the service has asked.
        client().onContinue(upstreamRequest, body::start);
      } else {
        body.start();
      }
      attempt.send(body);
    } else if (mayHaveContent(clientRequest)) {
      Attempt attempt = goAsync(exchange, clientRequest, upstreamRequest);
      attempt.awaitClient();
      // Reading has already told the client to go on.
      upstreamRequest.headers(headers -> headers.remove(HttpHeader.EXPECT));
      ServletInputStream input = clientRequest.getInputStream();
      SendAtFirstEvent sender =
          new SendAtFirstEvent(clientRequest, input, upstreamRequest, attempt);
      boolean mayWaitInVain = attempt.isHttp2InTomcat() && !BodyReader.isAtTheEnd(input);
      input.setReadListener(sender);
      if (mayWaitInVain) {
        sender.lookForTheEnd();
      }
    } else {
      sendWithoutBody(exchange, clientRequest, clientResponse, upstreamRequest);
    }
  }

  private Attempt goAsync(
      Exchange exchange, HttpServletRequest clientRequest, UpstreamRequest upstreamRequest) {
    AsyncContext async = clientRequest.startAsync();
    // The attempt keeps the time, which knows more than one limit.
    async.setTimeout(inTomcat ? NEVER : UNTIL_STOPPED);
    return new Attempt(this, client(), exchange, async, upstreamRequest, timeouts());
  }

  /** Waits a moment for the answer, and goes asynchronous only if that does not come as a whole. */
  @SuppressWarnings("FutureReturnValueIgnored") // Nobody listens any more.
  private void sendWithoutBody(
      Exchange exchange,
      HttpServletRequest clientRequest,
      HttpServletResponse clientResponse,
      UpstreamRequest upstreamRequest)
      throws IOException {
    upstreamRequest.withoutBody();
    // What is written over HTTP/2 may have to wait for the client's window.
    boolean mayWait = exchange.protocol().startsWith("HTTP/1") && timeouts().allowWaiting();
    if (!mayWait || !client().mayWaitFor(upstreamRequest)) {
      goAsync(exchange, clientRequest, upstreamRequest).send(null);
      return;
    }
    try {
      QuickAnswer answer = new QuickAnswer(upstreamRequest);
      try {
        client().sendAndWait(upstreamRequest, answer);
        if (answer.isWhole()) {
          passOn(exchange, clientRequest, clientResponse, answer);
          return;
        }
      } finally {
        client().endWait();
      }
      goAsync(exchange, clientRequest, upstreamRequest).goOn(answer);
    } catch (RuntimeException | Error e) {
      // Nobody would ever take what comes, and the connection would never be free.
      upstreamRequest.abort(e);
      throw e;
    }
  }

  /** Passes an answer on that has come as a whole. */
  private void passOn(
      Exchange exchange,
      HttpServletRequest clientRequest,
      HttpServletResponse clientResponse,
      QuickAnswer answer)
      throws IOException {
    Response upstreamResponse = answer.head();
    clientResponse.setStatus(upstreamResponse.getStatus());
    onServerResponseHeaders(clientRequest, clientResponse, upstreamResponse);
    byte[] body = answer.body();
    if (body != null) {
      exchange.sent(body.length);
      clientResponse.getOutputStream().write(body);
    }
    boolean hasBody = Attempt.hasBody(upstreamResponse);
    if (inTomcat || Attempt.mustBeFlushed(upstreamResponse.getHeaders(), hasBody)) {
      // Tomcat would else flush after the servlet, where nobody counts whom clients keep waiting.
      clientResponse.flushBuffer();
    }
  }

  /** Sends the end of an answer's body, or the head alone. */
  private static void end(Exchange exchange, HttpServletResponse clientResponse, byte[] last)
      throws IOException {
    try {
      if (last.length > 0) {
        exchange.sent(last.length);
        clientResponse.getOutputStream().write(last);
      } else {
        clientResponse.flushBuffer();
      }
    } catch (IOException lost) {
      exchange.failed(Failure.CLIENT_GONE, "write", lost);
      throw lost;
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
    return new UpstreamRequest(
        client().http(),
        upstream,
        clientRequest.getMethod(),
        upstream.basePath() + target,
        clientRequest.getQueryString());
  }

  /**
   * Copies what concerns both ends: every value as it came, in its place among its name's values.
   */
  @Override
  protected void copyRequestHeaders(HttpServletRequest clientRequest, Request upstreamRequest) {
    HopByHop hopByHop =
        HopByHop.of(Collections.list(clientRequest.getHeaders(HttpHeader.CONNECTION.asString())));
    upstreamRequest.headers(headers -> copy(clientRequest, hopByHop, headers.clear()));
  }

  private static void copy(
      HttpServletRequest clientRequest, HopByHop hopByHop, HttpFields.Mutable headers) {
    for (Enumeration<String> names = clientRequest.getHeaderNames(); names.hasMoreElements(); ) {
      String name = names.nextElement();
      if (name.equalsIgnoreCase("host") || hopByHop.contains(name) || GatewayFields.isOurs(name)) {
        continue;
      }
      for (Enumeration<String> values = clientRequest.getHeaders(name);
          values.hasMoreElements(); ) {
        headers.add(name, values.nextElement());
      }
    }
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

  /**
   * A body of which nothing is said that the client has not said, but how it ends. Without that,
   * Jetty's client frames it only for methods that usually have one: the body of a chunked GET
   * would be sent bare, and be taken for the next request.
   */
  private static BodyReader newBody(
      HttpServletRequest clientRequest, UpstreamRequest upstreamRequest, Attempt attempt) {
    AsyncRequestContent content = new AsyncRequestContent((String) null);
    BodyReader body = new BodyReader(clientRequest, content, attempt);
    upstreamRequest.body(content);
    if (!upstreamRequest.getHeaders().contains(HttpHeader.CONTENT_LENGTH)) {
      upstreamRequest.headers(
          headers -> headers.put(HttpHeader.TRANSFER_ENCODING, HttpHeaderValue.CHUNKED.asString()));
      upstreamRequest.trailersSupplier(body::trailers);
    }
    return body;
  }

  /** Sends a request when its first event tells whether it has a body. */
  private static final class SendAtFirstEvent implements ReadListener {

    private final HttpServletRequest clientRequest;
    private final ServletInputStream input;
    private final UpstreamRequest upstreamRequest;
    private final Attempt attempt;
    private volatile @Nullable BodyReader body;
    private final AtomicBoolean sent = new AtomicBoolean();

    private SendAtFirstEvent(
        HttpServletRequest clientRequest,
        ServletInputStream input,
        UpstreamRequest upstreamRequest,
        Attempt attempt) {
      this.clientRequest = clientRequest;
      this.input = input;
      this.upstreamRequest = upstreamRequest;
      this.attempt = attempt;
    }

    @Override
    public void onDataAvailable() {
      BodyReader reader = body;
      if (reader == null) {
        if (!sent.compareAndSet(false, true)) {
          attempt.bodyCameLate();
          return;
        }
        reader = newBody(clientRequest, upstreamRequest, attempt);
        reader.goOnWith(input);
        body = reader;
        attempt.send(reader);
      }
      reader.onDataAvailable();
    }

    @Override
    public void onAllDataRead() {
      BodyReader reader = body;
      if (reader != null) {
        reader.onAllDataRead();
      } else if (attempt.isHttp2InTomcat() && !BODILESS.contains(clientRequest.getMethod())) {
        attempt.afterDoubt(this::sendWithoutBody);
      } else {
        sendWithoutBody();
      }
    }

    /**
     * Waits no longer than it has to where the event may fail to come. Tomcat does not tell of an
     * end that comes as trailers. And at the begin of an HTTP/2 connection it may read on two
     * threads, and one forgets what the other has just read, that a request ends with its head.
     */
    private void lookForTheEnd() {
      attempt.afterDoubt(this::look);
      if (BODILESS.contains(clientRequest.getMethod())) {
        attempt.afterVainWait(this::sendWithoutBody);
      }
    }

    private void look() {
      if (sent.get() || attempt.isOver()) {
        return;
      }
      if (attempt.ifOpen(() -> BodyReader.isAtTheEnd(input))) {
        onAllDataRead();
      } else {
        attempt.afterDoubt(this::look);
      }
    }

    private void sendWithoutBody() {
      if (sent.get() || attempt.isOver()) {
        return;
      }
      if (!attempt.ifOpen(() -> !BodyReader.wasReset(clientRequest))) {
        attempt.clientSeemsLost("read", new EOFException("the client's request was taken back"));
      } else if (sent.compareAndSet(false, true)) {
        upstreamRequest.withoutBody();
        attempt.send(null);
      }
    }

    @Override
    public void onError(Throwable failure) {
      BodyReader reader = body;
      if (reader != null) {
        reader.onError(failure);
      } else {
        sent.set(true);
        attempt.clientLost("read", failure);
      }
    }
  }

  // The service's answer.

  /** Relays what a service says ahead of its answer, where the server can. */
  void onEarlyHints(
      HttpServletRequest clientRequest, HttpServletResponse clientResponse, HttpFields fields) {
    Objects.requireNonNull(earlyHints).relay(fields, clientRequest.getProtocol(), clientResponse);
  }

  boolean relaysEarlyHints() {
    return Objects.requireNonNull(earlyHints).areRelayed();
  }

  boolean isInTomcat() {
    return inTomcat;
  }

  /** Counts a request that found its pooled connection closed. */
  void onSentAgain() {
    Objects.requireNonNull(metrics).sentAgain(getServletName());
  }

  /** Copies what concerns both ends, values as they came; tells links anew; and adds Via. */
  @Override
  protected void onServerResponseHeaders(
      HttpServletRequest clientRequest,
      HttpServletResponse clientResponse,
      Response upstreamResponse) {
    HttpFields fields = upstreamResponse.getHeaders();
    HopByHop hopByHop = HopByHop.of(fields.getValuesList(HttpHeader.CONNECTION));
    Set<String> seen = new HashSet<>();
    for (Map.Entry<String, String> told : Exchange.of(clientRequest).clientFields()) {
      // What the gateway says of its own limits stays beside what the service says of its.
      seen.add(told.getKey().toLowerCase(Locale.ROOT));
    }
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
      value =
          switch (name) {
            case "location", "content-location" ->
                links(clientRequest, upstreamResponse).location(value);
            case "refresh" -> links(clientRequest, upstreamResponse).refresh(value);
            case "set-cookie" ->
                cookiesUnderPrefix ? links(clientRequest, upstreamResponse).cookie(value) : value;
            default -> value;
          };
      if (seen.add(name)) {
        // In place of what the server has put there itself, such as Date and Server.
        clientResponse.setHeader(field.getName(), value);
      } else {
        clientResponse.addHeader(field.getName(), value);
      }
    }
    clientResponse.setHeader(GatewayFields.VIA, via.append("1.1 gatehouse").toString());
  }

  /** Says that fields may follow the body. */
  void passTrailers(
      HttpServletRequest clientRequest,
      HttpServletResponse clientResponse,
      Response upstreamResponse) {
    if (!clientRequest.getProtocol().equals("HTTP/1.0")) {
      clientResponse.setTrailerFields(() -> trailers(upstreamResponse));
    }
  }

  private static @Nullable Map<String, String> trailers(Response upstreamResponse) {
    HttpFields received = upstreamResponse.getTrailers();
    if (received == null) {
      return null;
    }
    Map<String, String> trailers = new LinkedHashMap<>();
    received.forEach(
        field ->
            trailers.merge(
                field.getName(),
                Objects.requireNonNullElse(field.getValue(), ""),
                (first, next) -> first + ", " + next));
    Map<String, String> passed = TrailerFields.passed(trailers);
    return passed.isEmpty() ? null : passed;
  }

  private PublicLinks links(HttpServletRequest clientRequest, Response upstreamResponse) {
    UpstreamRequest upstreamRequest = (UpstreamRequest) upstreamResponse.getRequest();
    List<String> own = origins;
    if (!hostHeader.equals("service")) {
      // The service takes the name by which it was asked for its own.
      String asked = upstreamRequest.getHeaders().get(HttpHeader.HOST);
      own = new ArrayList<>(own);
      own.add(PublicLinks.origin("http", asked));
      own.add(PublicLinks.origin("https", asked));
    }
    String prefix = contextPath + Exchange.of(clientRequest).route().prefix();
    return new PublicLinks(own, upstreamRequest.upstream().basePath(), prefix);
  }

  /** Thrown on the container's thread, so that it breaks off an answer that is not whole. */
  private static final class BrokenOff extends IOException {

    private static final long serialVersionUID = 1L;

    /** Tomcat logs it; what happened exactly stands in the gateway's log. */
    private BrokenOff() {
      super("the service broke off its answer");
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
