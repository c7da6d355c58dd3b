package dev.gatehouse;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.Flood;
import dev.gatehouse.testing.GatewayServer;
import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.Tokens;
import dev.gatehouse.testing.Tokens.Trust;
import dev.gatehouse.testing.Upstream;
import dev.gatehouse.testing.Upstream.Then;
import dev.gatehouse.testing.UpstreamThat.Framing;
import dev.gatehouse.testing.Webapp;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;

/** Bodies that do not fit into the gateway's heap, up and down, with either framing. */
final class LargeBodies {
  // What a few more loaded classes and full pools may take; a body would take far more.
  private static final long SOME_MORE = 8L << 20;

  private final GatewayServer server;
  private final Upstream users;
  private final long length;

  private LargeBodies(GatewayServer server, Upstream users, long length) {
    this.server = server;
    this.users = users;
    this.length = length;
  }

  /** Sends two bodies with a length and two in chunks through a server with so much heap. */
  static void pass(GatewayServer newServer, String heap, long withLength, long inChunks)
      throws IOException {
    try (Upstream users = Upstream.start();
        GatewayServer server = newServer) {
      server
          .deploy(Tokens.trusting(Trust.HS256, Webapp.at("")).setting("users.url", users.url()))
          .heap(heap)
          .start();
      exchange(server, users, 1_000_000, 1_000_000);
      long before = server.liveBytes();

      exchange(server, users, withLength, inChunks);

      assertThat(server.liveBytes()).as("bytes in use").isLessThan(before + SOME_MORE);
      assertThat(server.log()).doesNotContain("OutOfMemoryError");
    }
  }

  private static void exchange(GatewayServer server, Upstream users, long withLength, long inChunks)
      throws IOException {
    for (Framing framing : Framing.values()) {
      long length = framing == Framing.LENGTH ? withLength : inChunks;
      LargeBodies bodies = new LargeBodies(server, users, length);
      bodies.passUp(framing);
      bodies.passDown(framing);
    }
  }

  private void passUp(Framing framing) throws IOException {
    Flood body = new Flood(length);
    users.fresh();
    users.willTalk(
        talk -> {
          body.compare(talk.body());
          talk.say("HTTP/1.1 200 OK", "Content-Length: 0", "", "");
          return Then.KEEP;
        });

    try (RawClient client = server.connect()) {
      // No Content-Type: nothing shall make a server look into the body.
      client.send(
          RawRequest.of("POST", "/api/users/up")
              .bearer(Tokens.good(Trust.HS256))
              .line(line(framing)));
      write(body, framing, client.output());
      List<String> head = client.receiveHead();

      assertThat(head.get(0)).as("%s up", framing).startsWith("HTTP/1.1 200");
      assertThat(body.read()).as("bytes that arrived at the service").isEqualTo(length);
      assertThat(users.only().headerLines()).contains(line(framing));
    }
  }

  private void passDown(Framing framing) throws IOException {
    Flood body = new Flood(length);
    users.fresh();
    users.will(
        (request, out) -> {
          out.write(("HTTP/1.1 200 OK\r\n" + line(framing) + "\r\n\r\n").getBytes(US_ASCII));
          write(body, framing, out);
          return Then.KEEP;
        });

    try (RawClient client = server.connect()) {
      client.send(RawRequest.of("GET", "/api/users/down").bearer(Tokens.good(Trust.HS256)));
      List<String> head = client.receiveHead();

      assertThat(head.get(0)).as("%s down", framing).startsWith("HTTP/1.1 200");
      assertThat(head).contains(line(framing));
      body.compare(client.body(head));
    }
  }

  private String line(Framing framing) {
    return switch (framing) {
      case LENGTH -> "Content-Length: " + length;
      case CHUNKED -> "Transfer-Encoding: chunked";
    };
  }

  private static void write(Flood body, Framing framing, OutputStream out) throws IOException {
    switch (framing) {
      case LENGTH -> body.write(out);
      case CHUNKED -> body.writeChunked(out);
    }
  }
}
