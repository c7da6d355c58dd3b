package dev.gatehouse.clients;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.gatehouse.testing.Program;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.http.HttpHeaders;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The command {@code curl}, a process for each request. */
public final class CurlClient implements RealClient.Streaming {
  /** A part of the file was transferred; the receiving failed. */
  private static final Set<Integer> BROKEN = Set.of(18, 56);

  private final Program curl = Program.ofPackage("curl", "curl");
  private final Path folder;

  /** One with a folder for its files. */
  public CurlClient() {
    try {
      folder = Files.createTempDirectory("gatehouse-curl-");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Answer send(Call call) throws IOException {
    Path head = folder.resolve("head");
    Path body = folder.resolve("body");
    Files.deleteIfExists(body);
    List<String> line = line(call);
    boolean headOnly = call.method().equals("HEAD");
    line.addAll(List.of("--dump-header", head.toString(), "--output"));
    // With --head it writes the head as if it were the body.
    line.add(headOnly ? "/dev/null" : body.toString());
    Program.Ended ended = curl.run(line.toArray(String[]::new));
    if (BROKEN.contains(ended.exitCode())) {
      throw new IOException("curl " + ended);
    }
    if (ended.exitCode() != 0) {
      throw new AssertionError("curl " + ended);
    }
    return answer(
        Files.readString(head, ISO_8859_1),
        Files.exists(body) ? Files.readAllBytes(body) : new byte[0]);
  }

  @Override
  public InputStream open(Call call) throws IOException {
    List<String> line = line(call);
    line.add("--no-buffer");
    Process process = curl.start(line.toArray(String[]::new));
    return new FilterInputStream(process.getInputStream()) {
      @Override
      public void close() throws IOException {
        process.destroyForcibly();
        super.close();
      }
    };
  }

  /** Fetches a URL several times by one command; how many connections each time has opened. */
  public List<Integer> connections(Call call, int times) {
    List<String> line = line(call);
    line.addAll(List.of("--write-out", "%{num_connects}\n", "--output", "/dev/null"));
    for (int i = 1; i < times; i++) {
      line.addAll(List.of("--url", call.url(), "--output", "/dev/null"));
    }
    Program.Ended ended = curl.run(line.toArray(String[]::new));
    return ended.output().lines().map(Integer::valueOf).toList();
  }

  private List<String> line(Call call) throws UncheckedIOException {
    List<String> line =
        new ArrayList<>(
            List.of("--silent", "--show-error", "--location", "--compressed", "--max-time"));
    line.addAll(List.of(String.valueOf(PATIENCE.toSeconds()), "--url", call.url()));
    if (call.method().equals("HEAD")) {
      line.add("--head");
    }
    call.headers().forEach((name, value) -> line.addAll(List.of("--header", name + ": " + value)));
    if (!call.body().isEmpty()) {
      line.addAll(List.of("--request", call.method(), "--data-binary", "@" + file(call)));
      line.addAll(List.of("--header", call.expectsContinue() ? "Expect: 100-continue" : "Expect:"));
    }
    if (call.chunked()) {
      line.addAll(List.of("--header", "Transfer-Encoding: chunked"));
    }
    return line;
  }

  private Path file(Call call) {
    try {
      return Files.write(folder.resolve("upload"), call.body().get(0));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** From all heads that came, of which the last is the answer's. */
  private static Answer answer(String heads, byte[] body) {
    String[] head = heads.split("\r\n\r\n", -1);
    String[] lines = head[head.length - 2].split("\r\n", -1);
    Map<String, List<String>> values = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    for (int i = 1; i < lines.length; i++) {
      String name = lines[i].substring(0, lines[i].indexOf(':'));
      String value = lines[i].substring(name.length() + 1).strip();
      values.computeIfAbsent(name, some -> new ArrayList<>()).add(value);
    }
    String[] status = lines[0].split(" ", 3);
    return new Answer(
        status[0], Integer.parseInt(status[1]), HttpHeaders.of(values, (n, v) -> true), body);
  }

  @Override
  public void close() {
    try {
      for (String name : List.of("head", "body", "upload", ".")) {
        Files.deleteIfExists(folder.resolve(name).normalize());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String toString() {
    return "curl";
  }
}
