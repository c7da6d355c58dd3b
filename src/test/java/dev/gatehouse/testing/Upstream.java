package dev.gatehouse.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/** A service that records every byte it gets and answers as a test tells it to. */
public final class Upstream implements AutoCloseable {
  /** What an upstream does with a request that has arrived whole. */
  @FunctionalInterface
  public interface Behaviour {
    /** Writes the answer, or a part of one, and says what becomes of the connection. */
    Then answer(RecordedRequest request, OutputStream out) throws IOException;
  }

  /** What an upstream does with a request of which only the head has arrived. */
  @FunctionalInterface
  public interface Conversation {
    /** Reads and writes as it likes, and says what becomes of the connection. */
    Then hold(Talk talk) throws IOException;
  }

  /** An upstream's side of one exchange. */
  public static final class Talk {
    private final RecordedRequest request;
    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;

    private Talk(RecordedRequest request, Socket socket, InputStream in, OutputStream out) {
      this.request = request;
      this.socket = socket;
      this.in = in;
      this.out = out;
    }

    /** The request; without its body until that was heard. */
    public RecordedRequest request() {
      return request;
    }

    /** Writes, at once, these lines with a line end between each two. */
    public void say(String... lines) throws IOException {
      out.write(String.join("\r\n", lines).getBytes(ISO_8859_1));
      out.flush();
    }

    /** Reads the body to its end; false when the connection ends before. */
    public boolean hear() throws IOException {
      return readBody(request, in);
    }

    /** The body while it arrives, for a test that reads it itself: it is not recorded. */
    public BodyStream body() {
      return new BodyStream(in, request.headerLines(), false, false);
    }

    /** Says nothing for so long; fails at once when the gateway leaves. */
    public void pause(Duration time) throws IOException {
      socket.setSoTimeout((int) time.toMillis());
      in.mark(1);
      try {
        if (in.read() < 0) {
          throw new IOException("the gateway has left");
        }
        in.reset();
      } catch (SocketTimeoutException stillThere) {
        out.flush();
      } finally {
        socket.setSoTimeout(0);
      }
    }
  }

  /** What becomes of the connection after an answer. */
  public enum Then {
    /** It waits for the next request. */
    KEEP,
    /** It is closed in order. */
    CLOSE,
    /** It is closed as when a process is killed: over TLS, without a word. */
    CUT,
    /** It is reset. */
    RESET,
    /** It stays open, and nothing is written until the other side closes it. */
    SILENCE
  }

  /**
   * Longer than a connection within the machine takes, shorter than until the system tries again.
   */
  private static final Duration SOON = Duration.ofMillis(300);

  private final Closeable listener;
  private final int port;
  private final List<Socket> crowd = new ArrayList<>();
  private final @Nullable SSLContext tls;
  private final Map<Integer, Socket> open = new ConcurrentHashMap<>();
  private final AtomicInteger connections = new AtomicInteger();
  private final AtomicInteger busy = new AtomicInteger();
  private final List<RecordedRequest> requests = new CopyOnWriteArrayList<>();
  private volatile Conversation conversation = afterTheRequest(UpstreamThat.echoes());

  private Upstream(Closeable listener, int port) {
    this(listener, port, null);
  }

  private Upstream(Closeable listener, int port, @Nullable SSLContext tls) {
    this.listener = listener;
    this.port = port;
    this.tls = tls;
  }

  /** Starts one on a free port of 127.0.0.1; it echoes until told otherwise. */
  public static Upstream start() {
    return listening(null);
  }

  /** Starts one that speaks TLS. */
  public static Upstream start(Certificate certificate) {
    try {
      return listening(certificate.context());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Upstream listening(@Nullable SSLContext tls) {
    try {
      ServerSocket socket = new ServerSocket(0, 1_000, InetAddress.getLoopbackAddress());
      Upstream upstream = new Upstream(socket, socket.getLocalPort(), tls);
      daemon("upstream-" + upstream.port, () -> upstream.accept(socket));
      return upstream;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** One whose port is taken, so that nobody else gets it, but where nothing listens. */
  public static Upstream refusing() {
    try {
      Socket socket = new Socket();
      socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      return new Upstream(socket, socket.getLocalPort());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** One that takes no connection until it does so again: whoever calls has to wait. */
  public static Upstream overrun() {
    try {
      ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
      Upstream upstream = new Upstream(socket, socket.getLocalPort());
      while (!upstream.takesNobodyFor(SOON)) {
        // One more has found a place in the queue.
      }
      return upstream;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether a connection is not taken for so long. */
  public boolean takesNobodyFor(Duration time) {
    Socket caller = new Socket();
    crowd.add(caller);
    try {
      caller.connect(
          new InetSocketAddress(InetAddress.getLoopbackAddress(), port), (int) time.toMillis());
      return false;
    } catch (SocketTimeoutException waits) {
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Takes connections, after it was overrun. */
  public void takeConnections() {
    daemon("upstream-" + port, () -> accept((ServerSocket) listener));
  }

  /** Answers like this from the next request on. */
  public void will(Behaviour next) {
    conversation = afterTheRequest(next);
  }

  /** Talks like this from the next request on. */
  public void willTalk(Conversation next) {
    conversation = next;
  }

  private static Conversation afterTheRequest(Behaviour behaviour) {
    return talk -> {
      if (talk.request().values("Expect").stream().anyMatch("100-continue"::equalsIgnoreCase)) {
        talk.say("HTTP/1.1 100 Continue", "", "");
      }
      return talk.hear() ? behaviour.answer(talk.request(), talk.out) : Then.CLOSE;
    };
  }

  /** Forgets what it has seen, and echoes again. */
  public void fresh() {
    will(UpstreamThat.echoes());
    forget();
  }

  /** Forgets what it has seen, and goes on as it is. */
  public void forget() {
    requests.clear();
  }

  /** The URL for the settings. */
  public String url() {
    return (tls == null ? "http" : "https") + "://127.0.0.1:" + port;
  }

  /** How many exchanges have not ended. */
  public int busy() {
    return busy.get();
  }

  /** How many connections to it are open. */
  public int open() {
    return open.size();
  }

  /** Whether the connection is still open by which a request has come. */
  public boolean holds(RecordedRequest request) {
    return open.containsKey(request.connection());
  }

  /** The requests whose heads have arrived, in that order. */
  public List<RecordedRequest> requests() {
    return List.copyOf(requests);
  }

  /** The one request that has arrived. */
  public RecordedRequest only() {
    List<RecordedRequest> seen = requests();
    if (seen.size() != 1) {
      throw new AssertionError("expected one request, not " + seen);
    }
    return seen.get(0);
  }

  @Override
  public void close() {
    try {
      listener.close();
      for (Socket socket : open.values()) {
        socket.close();
      }
      for (Socket socket : crowd) {
        socket.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void accept(ServerSocket server) {
    while (!server.isClosed()) {
      try {
        Socket socket = server.accept();
        int number = connections.incrementAndGet();
        open.put(number, socket);
        daemon("upstream-" + port + "-" + number, () -> serve(socket, number));
      } catch (IOException e) {
        if (!server.isClosed()) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }

  private void serve(Socket plain, int number) {
    try (plain) {
      Socket socket = secured(plain);
      InputStream in = new BufferedInputStream(socket.getInputStream());
      socket.setTcpNoDelay(true);
      OutputStream out = new BufferedOutputStream(socket.getOutputStream());
      Then then = Then.KEEP;
      while (then == Then.KEEP) {
        List<String> head = Wire.readHead(in);
        if (head.isEmpty()) {
          return;
        }
        RecordedRequest request = new RecordedRequest(number, head);
        requests.add(request);
        busy.incrementAndGet();
        try {
          then = conversation.hold(new Talk(request, socket, in, out));
          out.flush();
          end(then, request, socket, in);
        } finally {
          busy.decrementAndGet();
        }
      }
    } catch (IOException e) {
      // The gateway closed the connection, which is its right; what it owed shows in the records.
      return;
    } finally {
      open.remove(number);
    }
  }

  private Socket secured(Socket plain) throws IOException {
    if (tls == null) {
      return plain;
    }
    SSLSocket socket = (SSLSocket) tls.getSocketFactory().createSocket(plain, null, port, false);
    socket.setUseClientMode(false);
    return socket;
  }

  private static boolean readBody(RecordedRequest request, InputStream in) throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    List<String> trailers = new ArrayList<>();
    boolean whole = true;
    if (!request.values("Transfer-Encoding").isEmpty()) {
      whole = Wire.readChunked(in, body, trailers);
    } else if (!request.values("Content-Length").isEmpty()) {
      long length = Long.parseLong(request.values("Content-Length").get(0));
      whole = Wire.readFixed(in, length, body);
    }
    if (whole) {
      request.arrived(body.toByteArray(), trailers);
    }
    return whole;
  }

  private static void end(Then then, RecordedRequest request, Socket socket, InputStream in)
      throws IOException {
    if (then == Then.RESET) {
      socket.setSoLinger(true, 0);
    }
    if (then == Then.CLOSE) {
      socket.close();
    }
    if (then == Then.SILENCE) {
      request.followedBy(in.readAllBytes());
    }
  }

  private static void daemon(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
  }
}
