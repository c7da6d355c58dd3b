package dev.gatehouse.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.zip.CRC32;

/**
 * One small HTTP service on the loopback address: collections of JSON items, and three paths to try
 * a gateway on:
 *
 * <ul>
 *   <li>{@code /slow?seconds=N} answers after so long;
 *   <li>{@code /fail?status=5xx} answers with that status;
 *   <li>{@code /echo} answers with the request as it arrived.
 * </ul>
 */
final class SampleService implements AutoCloseable {
  private static final int LARGEST_BODY = 1 << 20;
  private static final double LONGEST_WAIT_SECONDS = 300;
  private static final int WORKERS = 16;

  static {
    // Without it each answer waits some 40 ms for the client's delayed acknowledgement.
    if (System.getProperty("sun.net.httpserver.nodelay") == null) {
      System.setProperty("sun.net.httpserver.nodelay", "true");
    }
  }

  private final String name;
  private final HttpServer server;
  private final ExecutorService workers =
      Executors.newFixedThreadPool(WORKERS, SampleService::daemon);
  private final Map<String, Items> collections = new HashMap<>();
  private final Map<String, Function<Request, Answer>> pages = new HashMap<>();

  SampleService(String name) throws IOException {
    this.name = name;
    this.server = HttpServer.create();
    pages.put("/fail", this::fail);
    pages.put("/echo", this::echo);
  }

  /** Serves a collection at a path: "" for the root, or such as {@code /stock}. */
  SampleService serving(String path, Items items) {
    collections.put(path, items);
    return this;
  }

  /** Serves a page of its own at a path, for GET and HEAD. */
  SampleService serving(String path, Function<Request, Answer> page) {
    pages.put(
        path,
        request -> request.reads() ? page.apply(request) : Answer.methodNotAllowed("GET, HEAD"));
    return this;
  }

  /** Answers on the port, or on any free one for 0. */
  void start(int port) throws IOException {
    server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
    server.setExecutor(workers);
    server.createContext("/", this::handle);
    server.start();
  }

  URI uri() {
    return URI.create("http://localhost:" + server.getAddress().getPort());
  }

  @Override
  public void close() {
    server.stop(0);
    workers.shutdownNow();
  }

  private void handle(HttpExchange exchange) throws IOException {
    InputStream received = exchange.getRequestBody();
    byte[] body = received.readNBytes(LARGEST_BODY + 1);
    if (body.length > LARGEST_BODY) {
      // Closed with unread bytes, the connection would be reset, and the answer with it.
      received.transferTo(OutputStream.nullOutputStream());
      send(exchange, Answer.refusal(413, "a body has at most " + LARGEST_BODY + " bytes"));
      return;
    }
    try {
      Request request = new Request(exchange, body);
      if (request.path().equals("/slow")) {
        answerSlowly(request, exchange);
      } else {
        send(exchange, answer(request));
      }
    } catch (IllegalArgumentException e) {
      send(exchange, Answer.refusal(400, "the query makes no sense: " + e.getMessage()));
    }
  }

  private Answer answer(Request request) {
    Function<Request, Answer> page = pages.get(request.path());
    if (page != null) {
      return page.apply(request);
    }
    // "/stock/7" is item 7 of the collection "/stock"; "/7" is item 7 of the one at the root.
    String path = request.path().endsWith("/") ? parent(request.path()) : request.path();
    Items items = collections.get(path);
    if (items != null) {
      return answerForAll(path, items, request);
    }
    items = path.isEmpty() ? null : collections.get(parent(path));
    if (items != null) {
      return answerForOne(items, path.substring(parent(path).length() + 1), request);
    }
    return Answer.refusal(404, "nothing here");
  }

  private Answer answerForAll(String path, Items items, Request request) {
    return switch (request.method()) {
      case "GET", "HEAD" -> Answer.ok(items.list(request.query()));
      case "POST" ->
          withObject(
              request,
              fields -> {
                ObjectNode item = items.add(fields);
                return Answer.created(path + "/" + item.path("id").asText(), item);
              });
      case "OPTIONS" -> Answer.allows("GET, HEAD, OPTIONS, POST");
      default -> Answer.methodNotAllowed("GET, HEAD, OPTIONS, POST");
    };
  }

  private Answer answerForOne(Items items, String id, Request request) {
    TreeSet<String> allowed = new TreeSet<>(items.methods());
    allowed.remove("POST");
    allowed.add("OPTIONS");
    String methods = String.join(", ", allowed);
    if (!allowed.contains(request.method())) {
      return Answer.methodNotAllowed(methods);
    }
    return switch (request.method()) {
      case "GET", "HEAD" -> okOrNotFound(items.find(id));
      case "PUT" -> withObject(request, fields -> okOrNotFound(items.replace(id, fields)));
      case "PATCH" -> withObject(request, fields -> okOrNotFound(items.change(id, fields)));
      case "DELETE" -> items.remove(id) ? Answer.noContent() : Answer.refusal(404, "no such item");
      default -> Answer.allows(methods);
    };
  }

  private static Answer withObject(Request request, Function<ObjectNode, Answer> use) {
    return Json.read(request.body())
        .map(use)
        .orElseGet(() -> Answer.refusal(400, "the body must be a JSON object"));
  }

  private static Answer okOrNotFound(Optional<ObjectNode> item) {
    return item.map(Answer::ok).orElseGet(() -> Answer.refusal(404, "no such item"));
  }

  private void answerSlowly(Request request, HttpExchange exchange) {
    double seconds = Double.parseDouble(request.query().get("seconds", "5"));
    if (!(seconds >= 0 && seconds <= LONGEST_WAIT_SECONDS)) {
      throw new IllegalArgumentException("seconds is 0 to " + LONGEST_WAIT_SECONDS);
    }
    Answer answer =
        Answer.ok(message().put("seconds", seconds).put("message", "sorry for the wait"));
    // No worker waits, so that slow requests do not hold up the others.
    Executor later =
        CompletableFuture.delayedExecutor((long) (seconds * 1000), TimeUnit.MILLISECONDS, workers);
    later.execute(
        () -> {
          try {
            send(exchange, answer);
          } catch (IOException clientGone) {
            exchange.close();
          }
        });
  }

  private Answer fail(Request request) {
    int status = Integer.parseInt(request.query().get("status", "500"));
    if (status < 500 || status > 599) {
      throw new IllegalArgumentException("status is 500 to 599");
    }
    return Answer.of(status, message().put("error", "failed as asked"));
  }

  private Answer echo(Request request) {
    ObjectNode headers = JsonNodeFactory.instance.objectNode();
    for (Map.Entry<String, List<String>> header : request.headers().entrySet()) {
      ArrayNode values = headers.putArray(trainCase(header.getKey()));
      header.getValue().forEach(values::add);
    }
    ObjectNode seen = message().put("method", request.method());
    seen.put("target", request.target());
    seen.set("headers", headers);
    seen.put("body", new String(request.body(), UTF_8));
    return Answer.ok(seen.put("bodyBytes", request.body().length));
  }

  private ObjectNode message() {
    return JsonNodeFactory.instance.objectNode().put("service", name);
  }

  /**
   * The JDK's server keeps no letter case of a name; {@code X-Gateway} reads better than {@code
   * X-gateway}.
   */
  private static String trainCase(String headerName) {
    return Arrays.stream(headerName.split("-", -1))
        .map(
            word -> word.isEmpty() ? "" : Character.toUpperCase(word.charAt(0)) + word.substring(1))
        .collect(Collectors.joining("-"));
  }

  private static String parent(String path) {
    return path.substring(0, path.lastIndexOf('/'));
  }

  private static void send(HttpExchange exchange, Answer answer) throws IOException {
    try (exchange) {
      answer.headers().forEach(exchange.getResponseHeaders()::set);
      if (answer.body() == null) {
        exchange.sendResponseHeaders(answer.status(), -1);
        return;
      }
      byte[] body = Json.write(answer.body());
      exchange.getResponseHeaders().set("Content-Type", "application/json");
      String method = exchange.getRequestMethod();
      boolean reads = method.equals("GET") || method.equals("HEAD");
      if (reads && answer.status() == 200) {
        String etag = etag(body);
        exchange.getResponseHeaders().set("ETag", etag);
        if (etag.equals(exchange.getRequestHeaders().getFirst("If-None-Match"))) {
          exchange.sendResponseHeaders(304, -1);
          return;
        }
      }
      if (method.equals("HEAD")) {
        exchange.getResponseHeaders().set("Content-Length", Integer.toString(body.length));
        exchange.sendResponseHeaders(answer.status(), -1);
      } else {
        exchange.sendResponseHeaders(answer.status(), body.length);
        exchange.getResponseBody().write(body);
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static String etag(byte[] body) {
    CRC32 sum = new CRC32();
    sum.update(body);
    return String.format("\"%08x\"", sum.getValue());
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "sample-service");
    thread.setDaemon(true);
    return thread;
  }
}
