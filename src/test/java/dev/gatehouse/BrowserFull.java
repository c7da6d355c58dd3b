package dev.gatehouse;

import static dev.gatehouse.testing.RunningGateways.EXTENDED;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatehouse.clients.RealClient;
import dev.gatehouse.testing.Json;
import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.Program;
import dev.gatehouse.testing.RecordedRequest;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.Upstream.Then;
import dev.gatehouse.testing.UpstreamThat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A page with fetch and EventSource in a browser: the Debian package chromium. The page comes
 * through the gateway, too, so that all is of one origin.
 */
@OnEveryGateway(contexts = EXTENDED)
class BrowserFull {
  private static final String CHUNKED = "Transfer-Encoding: chunked\r\n";

  private final RunningGateway gateway;
  private final Upstream products;
  private final byte[] download = new byte[10 << 20];
  private final BlockingQueue<String> seen = new LinkedBlockingQueue<>();
  private final CompletableFuture<JsonNode> results = new CompletableFuture<>();

  BrowserFull(RunningGateway gateway) {
    this.gateway = gateway;
    this.products = gateway.upstream("products");
    new Random(1).nextBytes(download);
  }

  @Test
  void aPageWorksThroughTheGateway(@TempDir Path profile) throws Exception {
    products.will(this::answer);
    String page = gateway.server().url(gateway.context()) + "/api/products/open/page.html";

    Process browser =
        Program.ofPackage("chromium", "chromium")
            .start(
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                // Only what the test asks for: no proxy, and no name but this machine's.
                "--no-proxy-server",
                "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
                "--remote-debugging-port=0",
                "--user-data-dir=" + profile.resolve("browser"),
                page + "#" + Tokens.good(gateway.trust()));
    try {
      Map<String, String> came = new LinkedHashMap<>();
      results
          .get(60, TimeUnit.SECONDS)
          .properties()
          .forEach(result -> came.put(result.getKey(), result.getValue().asText()));

      assertThat(came)
          .containsExactly(
              entry("get", "/echo?a=b%20c"),
              entry("post", Base64.getEncoder().encodeToString("caf\u00e9".getBytes(UTF_8))),
              entry("head", "12345"),
              entry("download", sha256(download)),
              entry("noContent", "204 0"),
              entry("notModified", "tagged tagged"),
              entry("redirect", "true /gw/api/products/moved /moved"),
              entry("gzip", "120000"),
              entry("refused", "401"),
              entry("brokenLength", "TypeError"),
              entry("brokenChunked", "TypeError"),
              entry("events", "1:first 2:second 3:last"));
      assertThat(requests("/etag")).hasSize(2);
      assertThat(requests("/etag").get(1).values("If-None-Match")).containsExactly("\"tag\"");
      assertThat(requests("/open/events")).hasSize(2);
      assertThat(requests("/open/events").get(0).values("Last-Event-ID")).isEmpty();
      assertThat(requests("/open/events").get(1).values("Last-Event-ID")).containsExactly("2");
    } finally {
      end(browser);
    }
  }

  /** Ends it with its helpers, which would still write into the profile while it is deleted. */
  private static void end(Process browser) throws Exception {
    List<ProcessHandle> family =
        Stream.concat(Stream.of(browser.toHandle()), browser.descendants()).toList();
    browser.destroy();
    for (ProcessHandle process : family) {
      process.onExit().orTimeout(10, TimeUnit.SECONDS).handle((ended, late) -> late).get();
      process.destroyForcibly();
      process.onExit().get(30, TimeUnit.SECONDS);
    }
  }

  private List<RecordedRequest> requests(String target) {
    return products.requests().stream().filter(r -> r.target().equals(target)).toList();
  }

  private Then answer(RecordedRequest request, OutputStream out) throws IOException {
    String path = request.target().replaceFirst("\\?.*", "");
    return switch (path) {
      case "/open/page.html" -> whole(out, "Content-Type: text/html\r\n", page());
      case "/open/events" -> events(request, out);
      case "/open/seen" -> {
        seen.add(request.target());
        yield whole(out, "", new byte[0]);
      }
      case "/head" -> raw(out, "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n");
      case "/download" -> whole(out, "", download);
      case "/no-content" -> raw(out, "HTTP/1.1 204 No Content\r\n\r\n");
      case "/etag" -> tagged(request, out);
      case "/old" ->
          raw(
              out,
              "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: "
                  + products.url()
                  + "/moved\r\n\r\n");
      case "/gzip" -> whole(out, "Content-Encoding: gzip\r\n", gzip("compress me ".repeat(10_000)));
      case "/broken-length" -> half(out, "Content-Length: 1000000\r\n", "");
      case "/broken-chunked" -> half(out, CHUNKED, "493e0\r\n");
      case "/results" -> {
        results.complete(Json.read(new String(request.body(), UTF_8)));
        yield raw(out, "HTTP/1.1 204 No Content\r\n\r\n");
      }
      default -> UpstreamThat.echoes().answer(request, out);
    };
  }

  /** Two events, each when the one before was seen; and the last when the browser asks again. */
  private Then events(RecordedRequest request, OutputStream out) throws IOException {
    raw(out, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + CHUNKED + "\r\n");
    if (request.values("Last-Event-ID").isEmpty()) {
      event(out, "retry: 50\nid: 1\ndata: first\n\n");
      event(out, "id: 2\ndata: second\n\n");
    } else {
      event(out, "id: 3\ndata: last\n\n");
    }
    return raw(out, "0\r\n\r\n");
  }

  private void event(OutputStream out, String event) throws IOException {
    raw(out, Integer.toHexString(event.length()) + "\r\n" + event + "\r\n");
    out.flush();
    try {
      if (seen.poll(RealClient.PATIENCE.toSeconds(), TimeUnit.SECONDS) == null) {
        throw new IOException("the browser has not seen the event");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  private static Then tagged(RecordedRequest request, OutputStream out) throws IOException {
    String tag = "ETag: \"tag\"\r\nCache-Control: no-cache\r\n";
    return request.values("If-None-Match").isEmpty()
        ? whole(out, tag, "tagged".getBytes(UTF_8))
        : raw(out, "HTTP/1.1 304 Not Modified\r\n" + tag + "\r\n");
  }

  private static Then half(OutputStream out, String framing, String before) throws IOException {
    raw(out, "HTTP/1.1 200 OK\r\n" + framing + "\r\n" + before);
    out.write(new byte[300_000]);
    return Then.CLOSE;
  }

  private static Then whole(OutputStream out, String lines, byte[] body) throws IOException {
    raw(out, "HTTP/1.1 200 OK\r\n" + lines + "Content-Length: " + body.length + "\r\n\r\n");
    out.write(body);
    return Then.KEEP;
  }

  private static Then raw(OutputStream out, String text) throws IOException {
    out.write(text.getBytes(US_ASCII));
    return Then.KEEP;
  }

  private static byte[] page() throws IOException {
    try (InputStream page =
        Objects.requireNonNull(RealClient.class.getResourceAsStream("page.html"))) {
      return page.readAllBytes();
    }
  }

  private static byte[] gzip(String plain) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
      gzip.write(plain.getBytes(UTF_8));
    }
    return bytes.toByteArray();
  }

  private static String sha256(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }
}
