package dev.gatehouse;

import static dev.gatehouse.WireCase.Fate.ANY;
import static dev.gatehouse.WireCase.Fate.CLOSED;
import static dev.gatehouse.WireCase.Framing.CHUNKED;
import static dev.gatehouse.WireCase.Framing.CLOSE;
import static dev.gatehouse.WireCase.Framing.LENGTH;
import static dev.gatehouse.WireCase.the;
import static dev.gatehouse.testing.RunningGateways.STOCK;
import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.gatehouse.testing.Container;
import dev.gatehouse.testing.OnEveryGateway;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Upstream.Then;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What was sent is what arrives: the table of messages, byte by byte, through real servers. */
@OnEveryGateway(contexts = STOCK)
class ConformanceIT {
  private static final Predicate<RunningGateway> JETTY = RunningGateway::inJetty;
  private static final Predicate<RunningGateway> TOMCAT = JETTY.negate();

  private static final String OK = "HTTP/1.1 200 OK";
  private static final String CHUNKS = "Transfer-Encoding: chunked";
  private static final String[] CONTINUE = {"HTTP/1.1 100 Continue", "", ""};
  private static final String[] NO_CONTENT = {"HTTP/1.1 204 No Content", "", ""};
  private static final String[] HELLO = {OK, "Content-Length: 5", "", "hello"};
  private static final List<String> METHODS =
      List.of("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND");

  /** The answers behind which Tomcat closes the client's connection, whoever gave them. */
  private static final Set<Integer> TOMCAT_CLOSES = Set.of(400, 408, 411, 413, 414, 500, 501, 503);

  private final RunningGateway gateway;

  ConformanceIT(RunningGateway gateway) {
    this.gateway = gateway;
  }

  @ParameterizedTest
  @MethodSource({
    "requestBodies",
    "requestFields",
    "expectations",
    "oldClients",
    "emptyAnswers",
    "answerBodies",
    "answerFields",
    "statuses",
    "interimAnswers",
    "trailers",
    "answersThatCannotBeUnderstood",
    "answersThatBreakOff"
  })
  void whatWasSentIsWhatArrives(WireCase row) {
    row.play(gateway);
  }

  private static Stream<WireCase> requestBodies() {
    String odd = "{\"name\": \"\u00c3\u00a9\"}\r\n\0\u00ff";
    String request = "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n";
    return all(
        Stream.of("GET", "PATCH", "DELETE", "OPTIONS", "PROPFIND")
            .map(
                m ->
                    the(m + " without a body gains none").client(m + " /1", "", "").service(HELLO)),
        Stream.of("POST", "PUT")
            .map(
                m ->
                    the(m + " without a body gains a length of 0, as RFC 9110 section 8.6 asks")
                        .client(m + " /1", "Content-Type: text/plain", "", "")
                        .service(HELLO)
                        .arriving("Content-Length", "0")),
        METHODS.stream()
            .map(
                m ->
                    the(m + " with a Content-Length of 0 keeps it")
                        .client(m + " /1", "Content-Length: 0", "", "")
                        .service(HELLO)),
        METHODS.stream()
            .map(
                m ->
                    the(m + " with a length keeps it")
                        .client(m + " /1", "Content-Length: " + odd.length(), "", odd)
                        .service(HELLO)),
        METHODS.stream()
            .map(
                m ->
                    the(m + " in chunks")
                        .client(m + " /1", CHUNKS, "", chunked(odd))
                        .service(HELLO)),
        METHODS.stream()
            .map(
                m ->
                    the(m + " whose body looks like a request, with its length")
                        .client(m + " /1", "Content-Length: " + request.length(), "", request)
                        .service(HELLO)),
        METHODS.stream()
            .map(
                m ->
                    the(m + " whose body looks like a request, in chunks")
                        .client(m + " /1", CHUNKS, "", chunked(request))
                        .service(HELLO)),
        Stream.of(
            the("HEAD with a body")
                .client("HEAD /1", "Content-Length: 2", "", "hi")
                .service(OK, "Content-Length: 5", "", ""),
            the("GET with a Content-Type and no body gains nothing")
                .client("GET /1", "Content-Type: application/json", "", "")
                .service(HELLO),
            the("a body of no chunk but the last")
                .client("POST /1", CHUNKS, "", "0", "", "")
                .service(HELLO),
            the("a chunk with an extension loses only that")
                .client("POST /1", CHUNKS, "", "3;a=b", "abc", "0;c", "", "")
                .service(HELLO),
            the("a body of chunks of one byte")
                .client("POST /1", CHUNKS, "", "1\r\na\r\n".repeat(3_000) + "0", "", "")
                .service(HELLO),
            the("a large body with its length")
                .client("PUT /1", "Content-Length: 3000000", "", random(3_000_000))
                .service(HELLO),
            the("a large body in chunks")
                .client("PUT /1", CHUNKS, "", chunked(random(3_000_000)))
                .service(HELLO),
            the("a compressed body")
                .client(
                    "POST /1",
                    "Content-Encoding: gzip",
                    "Content-Type: application/json",
                    "Content-Length: " + gzip(50_000).length(),
                    "",
                    gzip(50_000))
                .service(HELLO),
            the("a compressed body in chunks")
                .client("POST /1", "Content-Encoding: gzip", CHUNKS, "", chunked(gzip(50_000)))
                .service(HELLO),
            the("a transfer coding that nobody knows is refused")
                .client("POST /1", "Transfer-Encoding: gzip, chunked", "", chunked(gzip(100)))
                .service(HELLO)
                .reachesNobody()
                .fate(ANY)
                .where(JETTY, row -> row.refused(501))
                .where(TOMCAT, row -> row.status(501)),
            the("a length and chunks at once never reach a service as two things")
                .client("POST /1", "Content-Length: 3", CHUNKS, "", "3", "abc", "0", "", "")
                .service(HELLO)
                .fate(ANY)
                .where(JETTY, row -> row.reachesNobody().status(400))
                .where(TOMCAT, row -> row.notArriving("Content-Length")),
            the("two lengths are refused")
                .client("POST /1", "Content-Length: 3", "Content-Length: 4", "", "abcd")
                .service(HELLO)
                .reachesNobody()
                .status(400)
                .fate(CLOSED)));
  }

  private static Stream<WireCase> requestFields() {
    return all(
        Stream.of(
                "If-None-Match: W/\"x, y\",  \"z\"",
                "Range: bytes=0-1,4-",
                "User-Agent: probe/1.0 (a; b) \"c\"",
                "Accept-Encoding: gzip, br;q=0.5",
                "Accept-Language: de-CH,de;q=0.9,  en;q=0.1",
                "X-Json: {\"a\": 1, \"b\": [1, 2]}",
                "X-Odd: \"unbalanced",
                "X-Empty:",
                "X-Spaces:  a  b\tc  ",
                "X-Latin-1: caf\u00e9",
                "X-Utf-8: caf\u00c3\u00a9 \u00e2\u0082\u00ac",
                "If-Modified-Since: Wed, 21 Oct 2026 07:28:00 GMT",
                "Origin: https://app.example",
                "X_Under_Score: kept",
                "Proxy-Status: a",
                "Transfer-Encodings: not one")
            .map(field -> the(field).client("GET /1", field, "", "").service(HELLO)),
        Stream.of(
            the("repeated fields of a request keep their count and order")
                .client(
                    "GET /1",
                    "X-Rep: b",
                    "Accept: text/html;q=0.5, application/json",
                    "X-Rep: a, c",
                    "Cookie: a=1; b=\"2 3\"",
                    "X-Rep:",
                    "Accept: */*",
                    "Cookie: c=3",
                    "x-rep: b",
                    "",
                    "")
                .service(HELLO),
            the("the media type of a request keeps its parameters")
                .client(
                    "POST /1",
                    "Content-Type: text/plain; charset=\"UTF-8\"; a=b",
                    "Content-Length: 1",
                    "",
                    "x")
                .service(HELLO),
            the("the fields of the client's connection stay behind")
                .client(
                    "GET /1",
                    "Connection: keep-alive, X-Hop",
                    "X-Hop: 1",
                    "x-hop: 2",
                    "Keep-Alive: timeout=5",
                    "Proxy-Connection: keep-alive",
                    "TE: trailers",
                    "X-Stays: 1",
                    "",
                    "")
                .service(HELLO)
                .notArriving("X-Hop", "Keep-Alive", "Proxy-Connection", "TE"),
            the("fields named in a second Connection line stay behind")
                .client(
                    "GET /1",
                    "Connection: X-A",
                    "Connection: ,x-b ,, X-C",
                    "X-A: 1",
                    "X-B: 2",
                    "X-C: 3",
                    "X-D: 4",
                    "",
                    "")
                .service(HELLO)
                .notArriving("X-A", "X-B", "X-C"),
            the("an upgrade is not taken")
                .client(
                    "GET /1",
                    "Connection: Upgrade",
                    "Upgrade: websocket",
                    "Sec-WebSocket-Version: 13",
                    "",
                    "")
                .service(HELLO)
                .notArriving("Upgrade"),
            the("a client that closes")
                .client("GET /1", "Connection: close", "", "")
                .service(HELLO)
                .fate(CLOSED)));
  }

  private static Stream<WireCase> expectations() {
    String[] upload = {"POST /1", "Expect: 100-continue", "Content-Length: 5", "", "hello"};
    String[] chunks = {"POST /1", "Expect: 100-continue", CHUNKS, "", chunked("hello")};
    return Stream.of(upload, chunks)
        .flatMap(
            request ->
                Stream.of(
                    the("a service that asks for the body gets it" + framing(request))
                        .client(request)
                        .waitsFor100()
                        .serviceAfter(CONTINUE, HELLO),
                    the("a service that does not know Expect gets the body" + framing(request))
                        .client(request)
                        .waitsFor100()
                        .service(HELLO),
                    the("a client that does not wait" + framing(request))
                        .client(request)
                        .serviceAfter(CONTINUE, HELLO),
                    the("417 at once, and nobody gets the body" + framing(request))
                        .client(request)
                        .waitsFor100()
                        .serviceAtOnce("HTTP/1.1 417 No", "Content-Length: 2", "", "no")
                        .arrivingWithoutBody()
                        .fate(ANY),
                    the("401 at once, and nobody gets the body" + framing(request))
                        .client(request)
                        .waitsFor100()
                        .serviceAtOnce("HTTP/1.1 401 No", CHUNKS, "", chunked("who are you?"))
                        .arrivingWithoutBody()
                        .fate(ANY),
                    the("200 at once, and nobody gets the body" + framing(request))
                        .client(request)
                        .waitsFor100()
                        .serviceAtOnce(HELLO)
                        .arrivingWithoutBody()
                        .fate(ANY)));
  }

  private static Stream<WireCase> oldClients() {
    String[] once = {"GET /1 HTTP/1.0", "", ""};
    String[] again = {"GET /1 HTTP/1.0", "Connection: keep-alive", "", ""};
    return Stream.of(
        the("an HTTP/1.0 client, and an answer with a length")
            .client(once)
            .service(HELLO)
            .framed(LENGTH)
            .fate(CLOSED),
        the("an HTTP/1.0 client, and an answer in chunks")
            .client(once)
            .service(OK, CHUNKS, "", chunked("hello"))
            .framed(CLOSE, LENGTH)
            .fate(CLOSED),
        the("an HTTP/1.0 client, and a large answer in chunks")
            .client(once)
            .service(OK, CHUNKS, "", chunked(random(200_000)))
            .framed(CLOSE)
            .fate(CLOSED),
        the("an HTTP/1.0 client, and an answer that ends with its connection")
            .client(once)
            .service(Then.CLOSE, OK, "", "to the end")
            .framed(CLOSE, LENGTH)
            .fate(CLOSED),
        the("an HTTP/1.0 client that keeps its connection, and an answer with a length")
            .client(again)
            .service(HELLO)
            .framed(LENGTH),
        the("an HTTP/1.0 client that keeps its connection, and a large answer in chunks")
            .client(again)
            .service(OK, CHUNKS, "", chunked(random(200_000)))
            .framed(CLOSE)
            .fate(CLOSED),
        the("an HTTP/1.0 client that keeps its connection, and no content")
            .client(again)
            .service(NO_CONTENT),
        the("an HTTP/1.0 client, and a body that is cut off behind its length")
            .client(once)
            .service(Then.CLOSE, OK, "Content-Length: 300000", "", random(200_000))
            .brokenOff(),
        the("an HTTP/1.0 client, and a body that is cut off within its chunks")
            .client(once)
            .service(Then.CLOSE, OK, CHUNKS, "", "30d40", random(200_000), "")
            .cutShort(),
        the("an HTTP/1.0 client without Host")
            .client("GET /1 HTTP/1.0", "", "")
            .withoutHost()
            .service(HELLO)
            .fate(CLOSED),
        the("an HTTP/1.0 client with a body")
            .client("POST /1 HTTP/1.0", "Content-Length: 5", "", "hello")
            .service(HELLO)
            .fate(CLOSED));
  }

  private static Stream<WireCase> emptyAnswers() {
    return Stream.of(
        the("HEAD, with a length")
            .client("HEAD /1", "", "")
            .service(OK, "Content-Length: 12345", "ETag: \"x\"", "", ""),
        the("HEAD, with a length of 0")
            .client("HEAD /1", "", "")
            .service(OK, "Content-Length: 0", "ETag: \"x\"", "", ""),
        the("HEAD, with chunks")
            .client("HEAD /1", "", "")
            .service(OK, CHUNKS, "ETag: \"x\"", "", "")
            .notReceiving("Content-Length"),
        the("HEAD, with neither")
            .client("HEAD /1", "", "")
            .service(OK, "ETag: \"x\"", "", "")
            .notReceiving("Content-Length"),
        the("HEAD, and 404 with a length")
            .client("HEAD /1", "", "")
            .service("HTTP/1.1 404 Not Found", "Content-Length: 9", "", ""),
        the("HEAD, and 304 with a length")
            .client("HEAD /1", "", "")
            .service("HTTP/1.1 304 Not Modified", "Content-Length: 9", "ETag: \"x\"", "", "")
            .where(TOMCAT, row -> row.notReceiving("Content-Length")),
        the("204")
            .client("DELETE /1", "", "")
            .service("HTTP/1.1 204 No Content", "ETag: \"x\"", "", "")
            .notReceiving("Content-Length", "Transfer-Encoding"),
        the("204 with a length of 0")
            .client("GET /1", "", "")
            .service("HTTP/1.1 204 No Content", "Content-Length: 0", "", "")
            .notReceiving("Content-Length", "Transfer-Encoding"),
        the("204 to a POST with a body")
            .client("POST /1", "Content-Length: 5", "", "hello")
            .service(NO_CONTENT),
        the("205 with a length of 0")
            .client("POST /1", "Content-Length: 0", "", "")
            .service("HTTP/1.1 205 Reset Content", "Content-Length: 0", "X-A: b", "", ""),
        the("205 with no chunk but the last")
            .client("POST /1", "Content-Length: 0", "", "")
            .service("HTTP/1.1 205 Reset Content", CHUNKS, "X-A: b", "", chunked("")),
        the("205 that ends with its connection")
            .client("POST /1", "Content-Length: 0", "", "")
            .service(Then.CLOSE, "HTTP/1.1 205 Reset Content", "X-A: b", "", ""),
        the("304 with a length")
            .client("GET /1", "If-None-Match: \"x\"", "", "")
            .service("HTTP/1.1 304 Not Modified", "Content-Length: 5", "ETag: \"x\"", "", "")
            .where(TOMCAT, row -> row.notReceiving("Content-Length")),
        the("304 without a length")
            .client("GET /1", "If-None-Match: \"x\"", "", "")
            .service("HTTP/1.1 304 Not Modified", "ETag: \"x\"", "Cache-Control: a", "", "")
            .notReceiving("Content-Length", "Transfer-Encoding"),
        the("304 with chunks that do not follow")
            .client("GET /1", "If-None-Match: \"x\"", "", "")
            .service("HTTP/1.1 304 Not Modified", CHUNKS, "ETag: \"x\"", "", "")
            .notReceiving("Content-Length", "Transfer-Encoding"),
        the("200 with a length of 0")
            .client("GET /1", "", "")
            .service(OK, "Content-Length: 0", "", ""),
        the("200 with no chunk but the last")
            .client("GET /1", "", "")
            .service(OK, CHUNKS, "", "0", "", ""),
        the("200 that ends with its connection, and nothing in it")
            .client("GET /1", "", "")
            .service(Then.CLOSE, OK, "", ""));
  }

  private static Stream<WireCase> answerBodies() {
    String compressed = gzip(200_000);
    return all(
        Stream.of(
            the("an answer with a length keeps it")
                .client("GET /1", "", "")
                .service(HELLO)
                .framed(LENGTH),
            the("an answer in chunks")
                .client("GET /1", "", "")
                .service(OK, CHUNKS, "", chunked("hello, world")),
            the("an answer that ends with its connection")
                .client("GET /1", "", "")
                .service(Then.CLOSE, OK, "", "to the end")),
        Stream.of(
            the("a large answer with a length keeps it")
                .client("GET /1", "", "")
                .service(OK, "Content-Length: 3000000", "", random(3_000_000))
                .framed(LENGTH),
            the("a large answer in chunks")
                .client("GET /1", "", "")
                .service(OK, CHUNKS, "", chunked(random(3_000_000)))
                .framed(CHUNKED),
            the("a large answer that ends with its connection")
                .client("GET /1", "", "")
                .service(Then.CLOSE, OK, "", random(3_000_000))
                .framed(CHUNKED),
            the("a compressed answer is not touched")
                .client("GET /1", "Accept-Encoding: gzip", "", "")
                .service(
                    OK,
                    "Content-Encoding: gzip",
                    "Content-Type: application/json",
                    "Content-Length: " + compressed.length(),
                    "",
                    compressed)
                .framed(LENGTH),
            the("a compressed answer that nobody has asked for is not touched")
                .client("GET /1", "", "")
                .service(OK, "Content-Encoding: gzip", CHUNKS, "", chunked(compressed)),
            the("an answer with a chunk extension loses only that")
                .client("GET /1", "", "")
                .service(OK, CHUNKS, "", "3;a=\"b\"", "abc", "0;c", "", ""),
            the("an answer of chunks of one byte")
                .client("GET /1", "", "")
                .service(OK, CHUNKS, "", "1\r\na\r\n".repeat(3_000) + "0", "", ""),
            the("an answer in HTTP/1.0 with a length")
                .client("GET /1", "", "")
                .service(Then.CLOSE, "HTTP/1.0 200 OK", "Content-Length: 5", "", "hello")
                .framed(LENGTH),
            the("an answer in HTTP/1.0 that ends with its connection")
                .client("GET /1", "", "")
                .service(Then.CLOSE, "HTTP/1.0 200 OK", "X-A: b", "", "to the end"),
            the("an answer in HTTP/1.0 that keeps its connection")
                .client("GET /1", "", "")
                .service(
                    "HTTP/1.0 200 OK", "Connection: keep-alive", "Content-Length: 2", "", "ok"),
            the("an answer after which the service closes")
                .client("GET /1", "", "")
                .service(Then.CLOSE, OK, "Connection: close", "Content-Length: 2", "", "ok"),
            the("an answer with a length, and bytes behind it that reach nobody")
                .client("GET /1", "", "")
                .service(OK, "Content-Length: 2", "", "ok" + OK, "Content-Length: 4", "", "evil")
                .body("ok"),
            the("no content, and bytes behind it that reach nobody")
                .client("GET /1", "", "")
                .service("HTTP/1.1 204 None", "", OK, "Content-Length: 4", "", "evil"),
            the("an answer to HEAD with a body that reaches nobody")
                .client("HEAD /1", "", "")
                .service(OK, "Content-Length: 4", "", "evil"),
            the("an answer with bare line feeds")
                .client("GET /1", "", "")
                .service(OK + "\nX-A: b\nContent-Length: 2\n\nok")
                .status(200),
            the("an answer in chunks, and bytes behind it that reach nobody")
                .client("GET /1", "", "")
                .service(OK, CHUNKS, "", chunked("ok") + OK, "Content-Length: 4", "", "evil")));
  }

  private static Stream<WireCase> answerFields() {
    return all(
        Stream.of(
                "Content-Disposition: attachment; filename=\"a b, c.txt\"",
                "Content-Type: text/html; charset=utf-8",
                "Content-Type: application/vnd.x+json",
                "WWW-Authenticate: Bearer realm=\"x\", error=\"invalid_token\"",
                "Set-Cookie: sid=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/",
                "Set-Cookie: a=\"b c\"; SameSite=None; Partitioned",
                "Last-Modified: Wed, 21 Oct 2026 07:28:00 GMT",
                "X-Json: {\"a\": 1, \"b\": [1, 2]}",
                "ETag: W/\"a,b\"",
                "Cache-Control: private, max-age=0,no-cache=\"set-cookie, x\"",
                "Link: <https://a.example/?b,c>; rel=\"next\", </d>; rel=prev",
                "Date: Wed, 21 Oct 2026 07:28:00 GMT",
                "Server: service/1.0 (a, b)",
                "X-Odd: \"unbalanced",
                "X-Empty:",
                "X-Spaces:  a  b\tc  ",
                "X-Latin-1: caf\u00e9",
                "X-Utf-8: caf\u00c3\u00a9 \u00e2\u0082\u00ac",
                "Via: 1.0 inner, 1.1 outer",
                "Content-Language: de, en",
                "Accept-Ranges: bytes")
            .map(
                field ->
                    the("answer with " + field)
                        .client("GET /1", "", "")
                        .service(OK, field, "Content-Length: 2", "", "ok")),
        Stream.of(
            the("repeated fields of an answer keep their count and order")
                .client("GET /1", "", "")
                .service(
                    OK,
                    "Set-Cookie: b=2; Path=/; HttpOnly",
                    "X-Rep: b",
                    "Set-Cookie: a=1",
                    "X-Rep: a, c",
                    "X-Rep:",
                    "x-rep: b",
                    "Set-Cookie: b=2; Path=/; HttpOnly",
                    "WWW-Authenticate: Basic realm=\"a, b\"",
                    "WWW-Authenticate: Bearer",
                    "Content-Length: 0",
                    "",
                    ""),
            the("no Content-Type is invented")
                .client("GET /1", "", "")
                .service(HELLO)
                .notReceiving("Content-Type"),
            the("the fields of the service's connection stay behind")
                .client("GET /1", "", "")
                .service(
                    OK,
                    "Connection: keep-alive, X-Hop",
                    "X-Hop: 1",
                    "x-hop: 2",
                    "Keep-Alive: timeout=7",
                    "Proxy-Connection: keep-alive",
                    "Proxy-Authenticate: Basic",
                    "Upgrade: h2c",
                    "X-Stays: 1",
                    "Content-Length: 0",
                    "",
                    "")
                .notReceiving(
                    "X-Hop", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Upgrade"),
            the("the service's own request id gives way to the gateway's")
                .client("GET /1", "", "")
                .service(OK, "X-Request-Id: a", "Content-Length: 0", "", ""),
            the("a header of 12 KiB, which is more than Tomcat can send")
                .client("GET /1", "", "")
                .service(OK, "X-Long: " + "h".repeat(12 * 1024), "Content-Length: 2", "", "ok")
                .where(TOMCAT, row -> row.refusedWithoutAWord(502).fate(CLOSED)),
            the("a header of 12 KiB, and nothing in the body")
                .client("GET /1", "", "")
                .service(OK, "X-Long: " + "h".repeat(12 * 1024), "Content-Length: 0", "", "")
                .where(TOMCAT, row -> row.refusedWithoutAWord(502).fate(CLOSED)),
            the("a header of 64 KiB is refused")
                .client("GET /1", "", "")
                .service(OK, "X-Long: " + "h".repeat(64 * 1024), "Content-Length: 2", "", "ok")
                .refused(502, "upstream_garbled"),
            the("many fields, 64 KiB together, are refused")
                .client("GET /1", "", "")
                .service(
                    OK,
                    ("X-Many: " + "h".repeat(50) + "\r\n").repeat(1_200) + "Content-Length: 0",
                    "",
                    "")
                .refused(502, "upstream_garbled")));
  }

  private static Stream<WireCase> statuses() {
    return all(
        IntStream.of(
                201, 202, 203, 206, 207, 226, 299, 300, 301, 307, 400, 401, 403, 404, 408, 409, 410,
                413, 418, 422, 429, 499, 500, 501, 502, 503, 504, 511, 599)
            .mapToObj(
                status ->
                    the(status + " with the service's own body")
                        .client("GET /1", "", "")
                        .service(
                            "HTTP/1.1 " + status + " So",
                            "X-A: b",
                            "Content-Length: 5",
                            "",
                            "mine!")
                        .framed(LENGTH)
                        .where(
                            TOMCAT.and(any -> TOMCAT_CLOSES.contains(status)),
                            row -> row.fate(CLOSED))),
        Stream.of(
            the("an empty reason")
                .client("GET /1", "", "")
                .service("HTTP/1.1 200 ", "Content-Length: 2", "", "ok"),
            the("no reason, nor the blank before it")
                .client("GET /1", "", "")
                .service("HTTP/1.1 200", "Content-Length: 2", "", "ok"),
            the("a reason that lies")
                .client("GET /1", "", "")
                .service("HTTP/1.1 200 404 Not Found; \"x\"", "Content-Length: 2", "", "ok"),
            the("a reason in latin-1")
                .client("GET /1", "", "")
                .service("HTTP/1.1 404 Pas trouv\u00e9", "Content-Length: 2", "", "no")));
  }

  private static Stream<WireCase> interimAnswers() {
    String[] hints = {"HTTP/1.1 103 Early Hints", "Link: </a.css>; rel=preload", "", ""};
    return Stream.of(
        the("early hints are passed on")
            .client("GET /1", "", "")
            .serviceAfter(hints, HELLO)
            .interim("103", "Link: </a.css>; rel=preload")
            .where(ConformanceIT::inTomcat10, WireCase::interim),
        the("early hints twice are passed on twice")
            .client("GET /1", "", "")
            .serviceAfter(
                new String[] {
                  "HTTP/1.1 103 Early Hints",
                  "Link: </a.css>",
                  "Link: </b.css>",
                  "",
                  "HTTP/1.1 103 Early Hints",
                  "Link: </c.css>",
                  "",
                  ""
                },
                HELLO)
            .interim("103", "Link: </a.css>", "Link: </b.css>", "103", "Link: </c.css>")
            .where(ConformanceIT::inTomcat10, WireCase::interim),
        the("early hints before a body is asked for stay behind")
            .client("POST /1", "Expect: 100-continue", "Content-Length: 5", "", "hello")
            .serviceAfter(
                new String[] {
                  "HTTP/1.1 103 Early Hints", "Link: </a>", "", "HTTP/1.1 100 Continue", "", ""
                },
                HELLO),
        the("early hints to an HTTP/1.0 client stay behind")
            .client("GET /1 HTTP/1.0", "", "")
            .serviceAfter(hints, HELLO)
            .fate(CLOSED),
        the("early hints before 304")
            .client("GET /1", "", "")
            .serviceAfter(hints, "HTTP/1.1 304 Not Modified", "ETag: \"x\"", "", "")
            .interim("103", "Link: </a.css>; rel=preload")
            .where(ConformanceIT::inTomcat10, WireCase::interim),
        the("processing is passed over")
            .client("GET /1", "", "")
            .serviceAfter(new String[] {"HTTP/1.1 102 Processing", "", ""}, HELLO),
        the("a 100 that nobody has asked for is passed over")
            .client("GET /1", "", "")
            .serviceAfter(CONTINUE, HELLO),
        the("two of them are passed over")
            .client("GET /1", "", "")
            .serviceAfter(new String[] {"HTTP/1.1 100 A", "", "HTTP/1.1 100 B", "", ""}, HELLO),
        the("an unknown interim answer is passed over")
            .client("GET /1", "", "")
            .serviceAfter(new String[] {"HTTP/1.1 199 Whatever", "X-A: b", "", ""}, HELLO),
        the("a switch of protocols that nobody has asked for is refused")
            .client("GET /1", "", "")
            .service("HTTP/1.1 101 S", "Upgrade: websocket", "Connection: Upgrade", "", "")
            .refused(502, "upstream_garbled"));
  }

  private static Stream<WireCase> trailers() {
    return Stream.of(
        the("trailer fields of an answer arrive as such")
            .client("GET /1", "TE: trailers", "", "")
            .service(OK, CHUNKS, "Trailer: X-Sum", "", "5", "hello", "0", "X-Sum: 1, 2", "", "")
            .notArriving("TE")
            .framed(CHUNKED),
        the("trailer fields of a large answer arrive as such")
            .client("GET /1", "TE: trailers", "", "")
            .service(
                OK,
                CHUNKS,
                "Trailer: X-Sum, X-Other",
                "",
                "30d40",
                random(200_000),
                "0",
                "X-Sum: a",
                "X-Other: b",
                "",
                "")
            .notArriving("TE")
            .framed(CHUNKED),
        the("trailer fields that were not announced arrive, too")
            .client("GET /1", "", "")
            .service(OK, CHUNKS, "", "5", "hello", "0", "X-Sum: 1", "", ""),
        the("an announced trailer field that does not come is none")
            .client("GET /1", "", "")
            .service(OK, CHUNKS, "Trailer: X-Sum", "", "5", "hello", "0", "", ""),
        the("fields that mean something in front are no trailer fields")
            .client("GET /1", "", "")
            .service(
                OK,
                CHUNKS,
                "Trailer: X-Sum, Content-Length, Transfer-Encoding, Host, Set-Cookie",
                "",
                "5",
                "hello",
                "0",
                "Content-Length: 1",
                "Transfer-Encoding: gzip",
                "Host: evil",
                "Content-Type: text/evil",
                "Connection: X-Sum",
                "X-Sum: 1",
                "",
                "")
            .receivingTrailers("X-Sum: 1"),
        the("trailer fields are not for an HTTP/1.0 client")
            .client("GET /1 HTTP/1.0", "", "")
            .service(OK, CHUNKS, "Trailer: X-Sum", "", "5", "hello", "0", "X-Sum: 1", "", "")
            .receivingTrailers()
            .fate(CLOSED),
        the("trailer fields of a request arrive where the server shows them")
            .client("POST /1", CHUNKS, "Trailer: X-Sum", "", "5", "hello", "0", "X-Sum: 1", "", "")
            .service(HELLO)
            .where(TOMCAT, WireCase::arrivingTrailers),
        the("trailer fields of a request never become header fields")
            .client(
                "POST /1",
                CHUNKS,
                "Trailer: X-Gateway, Content-Length",
                "",
                "5",
                "hello",
                "0",
                "X-User-Id: root",
                "X-Gateway: Evil",
                "Content-Length: 1",
                "Authorization: Bearer a",
                "",
                "")
            .service(HELLO)
            .arriving("X-User-Id", "demo")
            .arriving("X-Gateway", "True")
            .notArriving("Content-Length")
            .arrivingTrailers());
  }

  private static Stream<WireCase> answersThatCannotBeUnderstood() {
    return Stream.of(
            the("two lengths").service(OK, "Content-Length: 2", "Content-Length: 3", "", "abc"),
            the("two lengths in one").service(OK, "Content-Length: 2, 3", "", "abc"),
            the("a length that is no number").service(OK, "Content-Length: a", "", "abc"),
            the("a negative length").service(OK, "Content-Length: -1", "", "abc"),
            the("a length beyond all numbers")
                .service(OK, "Content-Length: " + "9".repeat(30), "", "a"),
            the("a length and chunks").service(OK, "Content-Length: 3", CHUNKS, "", chunked("abc")),
            the("chunks and a length").service(OK, CHUNKS, "Content-Length: 3", "", chunked("abc")),
            the("an unknown transfer coding")
                .service(Then.CLOSE, OK, "Transfer-Encoding: foo", "", "abc"),
            the("gzip as a transfer coding")
                .service(OK, "Transfer-Encoding: gzip, chunked", "", chunked(gzip(10))),
            the("chunks twice").service(OK, CHUNKS, CHUNKS, "", chunked("abc")),
            the("204 with a body").service("HTTP/1.1 204 x", "Content-Length: 5", "", "hello"),
            the("204 with chunks").service("HTTP/1.1 204 x", CHUNKS, "", chunked("hello")),
            the("no HTTP").service("220 mail.example ESMTP ready", "", ""),
            the("a version of the future").service("HTTP/2.0 200 OK", "Content-Length: 0", "", ""),
            the("a status of two digits").service(Then.CLOSE, "HTTP/1.1 20 OK", "", ""),
            the("a status of four digits").service(Then.CLOSE, "HTTP/1.1 2000 OK", "", ""),
            the("a status that is no number").service(Then.CLOSE, "HTTP/1.1 abc OK", "", ""),
            the("a status of 000").service(Then.CLOSE, "HTTP/1.1 000 OK", "", ""),
            the("a null byte in a field")
                .service(OK, "Set-Cookie: a=b", "Content-Encoding: gzip", "X-A: \0", "", ""),
            the("a blank in a name").service(OK, "X A: b", "Content-Length: 0", "", ""),
            the("a blank before the colon").service(OK, "X-A : b", "Content-Length: 0", "", ""),
            the("a line without a colon").service(OK, "X-A", "Content-Length: 0", "", ""),
            the("a field folded over two lines")
                .service(OK, "X-A: b", " c", "Content-Length: 0", "", ""),
            the("a bare CR in a field").service(OK, "X-A: b\rX-B: c", "Content-Length: 0", "", ""))
        .map(row -> row.client("GET /1", "", "").refused(502, "upstream_garbled"));
  }

  private static Stream<WireCase> answersThatBreakOff() {
    return Stream.of(Then.CLOSE, Then.RESET)
        .flatMap(
            then ->
                Stream.of(
                    the("a short body with a length, then " + then)
                        .service(then, OK, "Content-Length: 20", "", "half of it"),
                    the("a long body with a length, then " + then)
                        .service(then, OK, "Content-Length: 300000", "", random(200_000)),
                    the("nothing of a body with a length, then " + then)
                        .service(then, OK, "Content-Length: 20", "", ""),
                    the("a chunk, then " + then).service(then, OK, CHUNKS, "", "3", "abc", ""),
                    the("a long chunk, then " + then)
                        .service(then, OK, CHUNKS, "", "30d40", random(200_000), ""),
                    // Behind the head, Jetty's client tells no garbage from an early end.
                    the("garbage within chunks, then " + then)
                        .service(then, OK, CHUNKS, "", "xyz", "abc", "0", "", ""),
                    the("half of a chunk, then " + then).service(then, OK, CHUNKS, "", "9", "abc"),
                    the("half of a last chunk, then " + then)
                        .service(then, OK, CHUNKS, "", "3", "abc", "0"),
                    the("half of a trailer field, then " + then)
                        .service(then, OK, CHUNKS, "", "3", "abc", "0", "X-S")))
        .map(row -> row.client("GET /1", "", "").brokenOff());
  }

  /** Whose servlet API has no way to send hints. */
  private static boolean inTomcat10(RunningGateway gateway) {
    return gateway.server().toString().equals(Container.TOMCAT_10.toString());
  }

  private static String framing(String[] request) {
    return List.of(request).contains(CHUNKS) ? ", in chunks" : ", with its length";
  }

  /** A body in two chunks. */
  private static String chunked(String body) {
    int half = body.length() / 2;
    return chunk(body.substring(0, half)) + chunk(body.substring(half)) + "0\r\n\r\n";
  }

  private static String chunk(String part) {
    return part.isEmpty() ? "" : Integer.toHexString(part.length()) + "\r\n" + part + "\r\n";
  }

  private static String random(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return new String(bytes, ISO_8859_1);
  }

  private static String gzip(int length) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
      gzip.write(random(length).getBytes(ISO_8859_1));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toString(ISO_8859_1);
  }

  @SafeVarargs
  private static Stream<WireCase> all(Stream<WireCase>... parts) {
    Stream<WireCase> all = Stream.empty();
    for (Stream<WireCase> part : parts) {
      all = Stream.concat(all, part);
    }
    return all;
  }
}
