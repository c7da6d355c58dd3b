package bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import bench.Callers.Algorithm;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A server that does one or several of the jobs, and that is compared with others. */
final class Contender {
  private final String name;
  private final boolean gateway;
  private final boolean jvm;
  private final Running server;
  private final Optional<Algorithm> tokens;
  private final Optional<Path> log;
  private final List<String> prefixes;

  /** How many requests were answered, and so must be in the log. */
  private long answered;

  /**
   * @param gateway whether it is the one that all this is about
   * @param tokens what the callers' tokens are signed with, if it looks at them
   * @param log the access log, if it writes one
   * @param prefixes under which the service is reached; one of them may be empty
   */
  Contender(
      String name,
      boolean gateway,
      boolean jvm,
      Running server,
      Optional<Algorithm> tokens,
      Optional<Path> log,
      List<String> prefixes) {
    this.name = name;
    this.gateway = gateway;
    this.jvm = jvm;
    this.server = server;
    this.tokens = tokens;
    this.log = log;
    this.prefixes = prefixes;
  }

  /** One that is reached as all but a few are. */
  Contender(
      String name,
      boolean gateway,
      boolean jvm,
      Running server,
      Optional<Algorithm> tokens,
      Optional<Path> log) {
    this(name, gateway, jvm, server, tokens, log, List.of("/api/users"));
  }

  String name() {
    return name;
  }

  boolean isGateway() {
    return gateway;
  }

  boolean isJvm() {
    return jvm;
  }

  Running server() {
    return server;
  }

  Optional<Algorithm> tokens() {
    return tokens;
  }

  /**
   * What is asked for in rotation to reach a path of the service: a path, or a path and a token.
   */
  List<String> requests(String path, Callers callers) throws IOException {
    if (tokens.isEmpty()) {
      return prefixes.stream().map(prefix -> prefix + path).toList();
    }
    return Files.readAllLines(callers.tokenFile(tokens.get()), UTF_8).stream()
        .map(token -> prefixes.get(0) + path + " " + token)
        .toList();
  }

  /** The bytes of a request that {@link #requests} tells. */
  static byte[] bytes(String request) {
    String[] part = request.split(" ");
    String token = part.length > 1 ? "Authorization: Bearer " + part[1] + "\r\n" : "";
    return ("GET " + part[0] + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + token + "\r\n").getBytes(UTF_8);
  }

  /** One path that reaches a path of the service. */
  String target(String path) {
    return prefixes.get(prefixes.size() - 1) + path;
  }

  void recordAnswered(long requests) {
    answered += requests;
  }

  /** How many answered requests the log does not have; asked when no more requests come. */
  long missingInLog() throws IOException, InterruptedException {
    if (log.isEmpty()) {
      return 0;
    }
    long lines = -1;
    for (long before = -2; lines != before; ) {
      // Logs are written a second late.
      Thread.sleep(1_500);
      before = lines;
      lines = lines(log.get());
    }
    return Math.max(0, answered - lines);
  }

  private static long lines(Path file) throws IOException {
    long lines = 0;
    byte[] buffer = new byte[1 << 20];
    try (InputStream input = new BufferedInputStream(Files.newInputStream(file))) {
      for (int length; (length = input.read(buffer)) > 0; ) {
        for (int i = 0; i < length; i++) {
          if (buffer[i] == '\n') {
            lines++;
          }
        }
      }
    }
    return lines;
  }
}
