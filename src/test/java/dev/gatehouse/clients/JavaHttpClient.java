package dev.gatehouse.clients;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;

/** The JDK's own. */
public final class JavaHttpClient implements RealClient.Streaming {
  private final Version version;
  private final HttpClient client;
  private boolean upgraded;

  /** With HTTP/1.1, or with HTTP/2 in clear text to which its first request upgrades. */
  public JavaHttpClient(Version version) {
    this.version = version;
    this.client = HttpClient.newBuilder().version(version).followRedirects(Redirect.NORMAL).build();
  }

  @Override
  public Answer send(Call call) throws IOException {
    HttpResponse<byte[]> answer = exchange(call, BodyHandlers.ofByteArray());
    return new Answer(
        answer.version().toString(), answer.statusCode(), answer.headers(), answer.body());
  }

  @Override
  public InputStream open(Call call) throws IOException {
    return exchange(call, BodyHandlers.ofInputStream()).body();
  }

  private <T> HttpResponse<T> exchange(Call call, BodyHandler<T> handler) throws IOException {
    if (version == Version.HTTP_2 && !upgraded) {
      upgrade(call);
    }
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(call.url()))
            .timeout(PATIENCE)
            .method(call.method(), publisher(call))
            .expectContinue(call.expectsContinue());
    call.headers().forEach(request::header);
    return exchange(request.build(), handler);
  }

  /** Not every server can go over to HTTP/2 amid a request with a body. */
  private void upgrade(Call call) throws IOException {
    URI any = URI.create(call.url()).resolve("/");
    exchange(HttpRequest.newBuilder(any).timeout(PATIENCE).build(), BodyHandlers.discarding());
    upgraded = true;
  }

  private <T> HttpResponse<T> exchange(HttpRequest request, BodyHandler<T> handler)
      throws IOException {
    try {
      return client.send(request, handler);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  private static BodyPublisher publisher(Call call) {
    if (call.body().isEmpty()) {
      return BodyPublishers.noBody();
    }
    BodyPublisher publisher = BodyPublishers.ofByteArray(call.body().get(0));
    return call.chunked() ? BodyPublishers.fromPublisher(publisher) : publisher;
  }

  @Override
  public void close() {}

  @Override
  public String toString() {
    return "Java's HttpClient, " + version;
  }
}
