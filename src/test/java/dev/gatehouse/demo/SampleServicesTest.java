package dev.gatehouse.demo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class SampleServicesTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  private static SampleServices services;

  @BeforeAll
  static void start() throws IOException {
    services = SampleServices.start(0);
  }

  @AfterAll
  static void stop() {
    services.close();
  }

  @Test
  void anItemIsCreatedReadReplacedChangedAndDeleted() throws Exception {
    HttpResponse<String> created =
        send("POST", services.ordersUrl(), "/", "{\"user\":\"eve\",\"quantity\":1}");
    String location = created.headers().firstValue("Location").orElseThrow();

    assertThat(created.statusCode()).isEqualTo(201);
    assertThat(json(created).path("user").asText()).isEqualTo("eve");
    assertThat(get(services.ordersUrl(), location).body()).isEqualTo(created.body());

    HttpResponse<String> replaced =
        send("PUT", services.ordersUrl(), location, "{\"quantity\":2,\"note\":\"soon\"}");
    assertThat(replaced.statusCode()).isEqualTo(200);
    assertThat(json(replaced).has("user")).isFalse();

    HttpResponse<String> changed =
        send("PATCH", services.ordersUrl(), location, "{\"quantity\":3,\"note\":null}");
    assertThat(json(changed).path("quantity").asInt()).isEqualTo(3);
    assertThat(json(changed).has("note")).isFalse();

    HttpResponse<String> deleted = send("DELETE", services.ordersUrl(), location, "");
    assertThat(deleted.statusCode()).isEqualTo(204);
    assertThat(deleted.body()).isEmpty();
    assertThat(get(services.ordersUrl(), location).statusCode()).isEqualTo(404);
    assertThat(send("DELETE", services.ordersUrl(), location, "").statusCode()).isEqualTo(404);
  }

  @ParameterizedTest
  @CsvSource({
    "/, 4",
    "/?category=tea, 2",
    "/?category=TEA&maxPrice=5, 1",
    "/?name=pot, 1",
    "/?maxPrice=12, 2",
    "/?unknown=1, 4",
    "/?category=none, 0",
    "/stock, 4",
    "/stock/?place=south, 2",
    "/stock?product=2&place=south, 1",
  })
  void aListIsFilteredByItsQuery(String target, int count) throws Exception {
    HttpResponse<String> listed = get(services.productsUrl(), target);

    assertThat(listed.statusCode()).isEqualTo(200);
    assertThat(listed.headers().firstValue("Content-Type")).hasValue("application/json");
    assertThat(json(listed)).hasSize(count);
  }

  @Test
  void stockHasItsOwnItemsOnThePortOfProducts() throws Exception {
    assertThat(services.inventoryUrl()).isEqualTo(services.productsUrl());
    assertThat(json(get(services.inventoryUrl(), "/stock/1")).path("quantity").asInt())
        .isEqualTo(120);
    assertThat(send("POST", services.inventoryUrl(), "/stock", "{}").headers())
        .satisfies(
            headers -> assertThat(headers.firstValue("Location").orElse("")).startsWith("/stock/"));
  }

  @Test
  void theProfileIsThatOfTheUserWhomTheGatewayNames() throws Exception {
    assertThat(get(services.usersUrl(), "/profile").statusCode()).isEqualTo(401);
    assertThat(json(get(services.usersUrl(), "/profile", "X-User-Id", "ada")).path("name").asText())
        .isEqualTo("Ada Lovelace");
    assertThat(json(get(services.usersUrl(), "/profile", "X-User-Id", "zoe")).path("name").asText())
        .isEqualTo("zoe");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{", "[1]", "\"text\"", "{} {}"})
  void aBodyThatIsNoObjectIsRefused(String body) throws Exception {
    assertThat(send("POST", services.usersUrl(), "/", body).statusCode()).isEqualTo(400);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/?maxPrice=cheap", "/slow?seconds=x", "/slow?seconds=NaN", "/fail?status=200"})
  void aQueryThatMakesNoSenseIsRefused(String target) throws Exception {
    assertThat(get(services.productsUrl(), target).statusCode()).isEqualTo(400);
  }

  @Test
  void aBodyOverAMebibyteIsRefused() throws Exception {
    String body = "{\"text\":\"" + "x".repeat(1 << 20) + "\"}";

    assertThat(send("POST", services.usersUrl(), "/", body).statusCode()).isEqualTo(413);
  }

  @ParameterizedTest
  @CsvSource({"DELETE, /", "POST, /1", "PUT, /1", "DELETE, /1"})
  void notificationsAreSentAndReadOnly(String method, String target) throws Exception {
    HttpResponse<String> refused = send(method, services.notificationsUrl(), target, "{}");

    assertThat(refused.statusCode()).isEqualTo(405);
    assertThat(refused.headers().firstValue("Allow").orElse("")).contains("GET");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/none", "/a/b", "/stock/1"})
  void whatIsNotThereIsNotFound(String target) throws Exception {
    assertThat(get(services.usersUrl(), target).statusCode()).isEqualTo(404);
  }

  @Test
  void anUnchangedItemIsNotSentAgain() throws Exception {
    String etag = get(services.usersUrl(), "/1").headers().firstValue("ETag").orElseThrow();

    HttpResponse<String> again = get(services.usersUrl(), "/1", "If-None-Match", etag);

    assertThat(again.statusCode()).isEqualTo(304);
    assertThat(again.body()).isEmpty();
  }

  @Test
  void headAnswersAsGetDoesButWithoutTheBody() throws Exception {
    HttpResponse<String> read = get(services.usersUrl(), "/1");

    HttpResponse<String> head = send("HEAD", services.usersUrl(), "/1", "");

    assertThat(head.statusCode()).isEqualTo(200);
    assertThat(head.body()).isEmpty();
    assertThat(head.headers().firstValue("Content-Length"))
        .isEqualTo(read.headers().firstValue("Content-Length"));
  }

  @Test
  void optionsNamesTheMethods() throws Exception {
    HttpResponse<String> options = send("OPTIONS", services.usersUrl(), "/1", "");

    assertThat(options.statusCode()).isEqualTo(204);
    assertThat(options.headers().firstValue("Allow"))
        .hasValue("DELETE, GET, HEAD, OPTIONS, PATCH, PUT");
  }

  @Test
  void failFailsAsAsked() throws Exception {
    assertThat(get(services.ordersUrl(), "/fail").statusCode()).isEqualTo(500);
    assertThat(get(services.ordersUrl(), "/fail?status=503").statusCode()).isEqualTo(503);
  }

  @Test
  void echoShowsTheRequestAsItArrived() throws Exception {
    JsonNode seen =
        json(send("POST", services.usersUrl(), "/echo?a=1&a=%20", "hello", "X-Gateway", "True"));

    assertThat(seen.path("method").asText()).isEqualTo("POST");
    assertThat(seen.path("target").asText()).isEqualTo("/echo?a=1&a=%20");
    assertThat(seen.path("headers").path("X-Gateway").path(0).asText()).isEqualTo("True");
    assertThat(seen.path("body").asText()).isEqualTo("hello");
  }

  @Test
  void slowRequestsDoNotHoldUpTheOthers() throws Exception {
    CompletableFuture<?>[] slow = new CompletableFuture<?>[40];
    for (int i = 0; i < slow.length; i++) {
      HttpRequest request =
          HttpRequest.newBuilder(services.usersUrl().resolve("/slow?seconds=60")).build();
      slow[i] = CLIENT.sendAsync(request, BodyHandlers.ofString());
    }

    assertThat(get(services.usersUrl(), "/slow?seconds=0.05").statusCode()).isEqualTo(200);
    assertThat(slow).noneMatch(CompletableFuture::isDone);
    for (CompletableFuture<?> request : slow) {
      request.cancel(true);
    }
  }

  @Test
  void theOldestItemMakesRoomForTheNewest() {
    Items items = Items.thatCanBeAdded();

    for (int i = 0; i < 1_001; i++) {
      items.add(Json.read("{}".getBytes(UTF_8)).orElseThrow());
    }

    assertThat(items.list(Query.parse(null))).hasSize(1_000);
    assertThat(items.find("1")).isEmpty();
    assertThat(items.find("1001")).isPresent();
  }

  @Test
  void aPortInUseIsNamedAndNothingStays() throws Exception {
    int first = FreePorts.inARow(SampleServices.PORTS);
    try (ServerSocket taken = new ServerSocket(first + 2, 1, InetAddress.getLoopbackAddress())) {
      assertThatThrownBy(() -> SampleServices.start(first))
          .isInstanceOfSatisfying(
              PortInUseException.class, e -> assertThat(e.port()).isEqualTo(taken.getLocalPort()));
    }

    assertThat(FreePorts.areFree(first, SampleServices.PORTS)).isTrue();
  }

  private static HttpResponse<String> get(URI service, String target, String... headers)
      throws Exception {
    return send("GET", service, target, "", headers);
  }

  private static HttpResponse<String> send(
      String method, URI service, String target, String body, String... headers) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(service.resolve(target))
            .timeout(Duration.ofSeconds(20))
            .method(
                method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return CLIENT.send(request.build(), BodyHandlers.ofString());
  }

  private static JsonNode json(HttpResponse<String> response) throws IOException {
    return JSON.readTree(response.body());
  }
}
