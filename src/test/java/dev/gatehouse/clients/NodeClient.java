package dev.gatehouse.clients;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatehouse.testing.Json;
import dev.gatehouse.testing.Program;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.http.HttpHeaders;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/** Node's {@code fetch}, in one process for all requests. */
public final class NodeClient implements RealClient.Streaming {
  private final Path script;
  private final Process node;
  private final BufferedWriter requests;
  private final BufferedReader answers;

  /** Starts Node. */
  public NodeClient() {
    try (InputStream text =
        Objects.requireNonNull(NodeClient.class.getResourceAsStream("fetch.mjs"))) {
      script = Files.createTempFile("gatehouse-test-", ".mjs");
      Files.write(script, text.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    node = Program.ofPackage("nodejs", "node").start(script.toString());
    requests = node.outputWriter(UTF_8);
    answers = node.inputReader(UTF_8);
  }

  @Override
  public Answer send(Call call) throws IOException {
    request(call, false);
    JsonNode answer = answer();
    Map<String, List<String>> values = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    for (JsonNode header : answer.path("headers")) {
      values
          .computeIfAbsent(header.get(0).asText(), name -> new ArrayList<>())
          .add(header.get(1).asText());
    }
    return new Answer(
        "HTTP/1.1",
        answer.path("status").asInt(),
        HttpHeaders.of(values, (name, value) -> true),
        Base64.getDecoder().decode(answer.path("body").asText()));
  }

  @Override
  public InputStream open(Call call) throws IOException {
    request(call, true);
    return new Parts();
  }

  private void request(Call call, boolean stream) throws IOException {
    Map<String, Object> request = new LinkedHashMap<>();
    request.put("method", call.method());
    request.put("url", call.url());
    request.put("headers", call.headers());
    request.put("chunked", call.chunked());
    request.put("stream", stream);
    request.put("patience", PATIENCE.toMillis());
    if (!call.body().isEmpty()) {
      request.put("body", Base64.getEncoder().encodeToString(call.body().get(0)));
    }
    requests.write(Json.write(request));
    requests.newLine();
    requests.flush();
  }

  private JsonNode answer() throws IOException {
    String line = answers.readLine();
    if (line == null) {
      throw new AssertionError("node has ended");
    }
    JsonNode answer = Json.read(line);
    if (answer.has("error")) {
      throw new IOException(answer.path("error").asText());
    }
    return answer;
  }

  /** A body, each part of which is asked for when the one before is read. */
  private final class Parts extends InputStream {
    private byte[] part = {};
    private int at;
    private boolean ended;

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      while (at == part.length && !ended) {
        JsonNode answer = answer();
        ended = answer.has("end");
        part = Base64.getDecoder().decode(answer.path("part").asText());
        at = 0;
      }
      int count = Math.min(length, part.length - at);
      System.arraycopy(part, at, bytes, offset, count);
      at += count;
      return count == 0 ? -1 : count;
    }
  }

  @Override
  public void close() {
    node.destroyForcibly();
    try {
      Files.deleteIfExists(script);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String toString() {
    return "Node's fetch";
  }
}
