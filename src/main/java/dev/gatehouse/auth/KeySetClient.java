package dev.gatehouse.auth;

import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.client.CompletableResponseListener;
import org.eclipse.jetty.client.ContentResponse;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.HttpProxy;
import org.eclipse.jetty.client.ProxyAuthenticationProtocolHandler;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.WWWAuthenticationProtocolHandler;
import org.eclipse.jetty.client.transport.HttpClientTransportOverHTTP;
import org.eclipse.jetty.http.HttpCookieStore;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.ByteBufferPool;
import org.eclipse.jetty.io.ClientConnector;
import org.eclipse.jetty.util.component.LifeCycle;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.eclipse.jetty.util.thread.ScheduledExecutorScheduler;

/**
 * Asks providers, with threads of its own: no request's thread waits for a provider's answer, and
 * no busy service keeps a key from being fetched. Whatever a provider does, an answer has an end in
 * time and in size.
 */
final class KeySetClient implements KeySet.Threads, AutoCloseable {

  /** Hundreds of keys with certificates are less. */
  private static final int LARGEST = 1 << 20;

  private static final int HEADERS_BYTES = 64 * 1024;
  private static final Duration CONNECT = Duration.ofSeconds(3);
  private static final int MAX_THREADS = 32;

  private final HttpClient client;
  private final Duration limit;

  /** Guarded by this: for whom a proxy was looked for. */
  private final Set<URI> proxies = new HashSet<>();

  /**
   * @param limit how long an answer may take, from the question to its last byte
   */
  KeySetClient(Duration limit) {
    this.limit = limit;
    QueuedThreadPool threads = new QueuedThreadPool(MAX_THREADS, 1);
    threads.setName("gatehouse-keys");
    threads.setDaemon(true);
    ClientConnector connector = new ClientConnector();
    connector.setSelectors(1);
    connector.setConnectTimeout(CONNECT);
    client = new HttpClient(new HttpClientTransportOverHTTP(connector));
    client.setName("gatehouse-keys");
    client.setExecutor(threads);
    client.setScheduler(new ScheduledExecutorScheduler("gatehouse-keys-timer", true));
    client.setAddressResolutionTimeout(CONNECT.toMillis());
    client.setMaxResponseHeadersSize(HEADERS_BYTES);
    client.setFollowRedirects(false);
    // Some firewalls refuse who has no name.
    client.setUserAgentField(new HttpField(HttpHeader.USER_AGENT, "gatehouse"));
    // As for services: one that is freed twice would mix the answers of two providers.
    client.setByteBufferPool(new ByteBufferPool.NonPooling());
    client.setHttpCookieStore(new HttpCookieStore.Empty());
    try {
      client.start();
    } catch (Exception e) {
      throw new IllegalStateException("cannot start the client for key sets", e);
    }
    client.getContentDecoderFactories().clear();
    // A refusal is an answer, too.
    client.getProtocolHandlers().remove(WWWAuthenticationProtocolHandler.NAME);
    client.getProtocolHandlers().remove(ProxyAuthenticationProtocolHandler.NAME);
  }

  /** Gets a document; fails with a {@link KeySetException}. */
  CompletableFuture<String> get(URI from) {
    useProxyFor(from);
    Request request =
        client
            .newRequest(from)
            .timeout(limit.toNanos(), TimeUnit.NANOSECONDS)
            .headers(
                fields ->
                    // A connection that rests for minutes may be dead, and nobody has told.
                    fields
                        .put("Accept", "application/json, application/jwk-set+json")
                        .put("Connection", "close"));
    return new CompletableResponseListener(request, LARGEST)
        .send()
        .handle((response, failure) -> text(from, response, failure));
  }

  private static String text(URI from, ContentResponse response, Throwable failure) {
    // Without its query, in which some providers want a secret.
    String place = from.getScheme() + "://" + from.getRawAuthority() + from.getRawPath();
    if (failure instanceof TimeoutException) {
      throw failed("timeout", place + " did not answer in time");
    } else if (String.valueOf(failure).contains("Buffering capacity")) {
      // There is no better sign of it.
      throw failed("too_large", place + " answered with more than 1 MiB");
    } else if (failure != null) {
      throw failed("unreachable", place + ": " + failure);
    } else if (response.getStatus() != 200) {
      throw failed("status", place + " answered " + response.getStatus());
    }
    return new String(response.getContent(), StandardCharsets.UTF_8);
  }

  private static CompletionException failed(String outcome, String message) {
    return new CompletionException(new KeySetException(outcome, message));
  }

  /**
   * Takes the HTTP proxy that the JVM was told of, as java.net does: providers are often outside.
   * Before the first question, because Jetty decides then for good.
   */
  private synchronized void useProxyFor(URI from) {
    ProxySelector selector = ProxySelector.getDefault();
    if (selector == null || proxies.contains(from)) {
      return;
    }
    List<Proxy> chosen = selector.select(from);
    proxies.add(from);
    if (chosen.isEmpty()
        || chosen.get(0).type() != Proxy.Type.HTTP
        || !(chosen.get(0).address() instanceof InetSocketAddress address)) {
      return;
    }
    int port = from.getPort() >= 0 ? from.getPort() : from.getScheme().equals("https") ? 443 : 80;
    HttpProxy proxy = new HttpProxy(address.getHostString(), address.getPort());
    // Jetty compares with the host in lower case.
    proxy.getIncludedAddresses().add(from.getHost().toLowerCase(Locale.ROOT) + ":" + port);
    client.getProxyConfiguration().addProxy(proxy);
  }

  @Override
  public void execute(Runnable task) {
    client.getExecutor().execute(task);
  }

  @Override
  public KeySet.Task after(Duration wait, Runnable task) {
    return client.getScheduler().schedule(task, wait.toNanos(), TimeUnit.NANOSECONDS)::cancel;
  }

  /** Ends all that is under way, and the threads. */
  @Override
  public void close() {
    LifeCycle.stop(client);
  }
}
