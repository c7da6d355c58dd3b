package dev.gatehouse.clients;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.hc.client5.http.async.methods.SimpleHttpResponse;
import org.apache.hc.client5.http.async.methods.SimpleResponseConsumer;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManagerBuilder;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.http.message.BasicHttpRequest;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.http.nio.entity.BasicAsyncEntityProducer;
import org.apache.hc.core5.http.nio.support.BasicRequestProducer;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/** Apache's httpclient5, driven by events. */
public final class ApacheAsyncClient implements RealClient {
  // It tells of an answer before it has put the connection back; with one, it waits for that.
  private final CloseableHttpAsyncClient client =
      HttpAsyncClients.custom()
          .setConnectionManager(
              PoolingAsyncClientConnectionManagerBuilder.create().setMaxConnPerRoute(1).build())
          .build();

  /** One that is ready. */
  public ApacheAsyncClient() {
    client.start();
  }

  @Override
  public Answer send(Call call) throws IOException {
    BasicHttpRequest request = new BasicHttpRequest(call.method(), URI.create(call.url()));
    call.headers().forEach(request::addHeader);
    HttpClientContext context = HttpClientContext.create();
    context.setRequestConfig(
        RequestConfig.custom()
            .setResponseTimeout(Timeout.of(PATIENCE))
            .setExpectContinueEnabled(call.expectsContinue())
            .build());
    try {
      SimpleHttpResponse answer =
          client
              .execute(
                  new BasicRequestProducer(request, producer(call)),
                  SimpleResponseConsumer.create(),
                  context,
                  null)
              .get(60, TimeUnit.SECONDS);
      byte[] body = answer.getBodyBytes();
      return new Answer(
          answer.getVersion().toString(),
          answer.getCode(),
          ApacheHeaders.of(answer.getHeaders()),
          body == null ? new byte[0] : body);
    } catch (ExecutionException e) {
      throw new IOException(e.getCause());
    } catch (TimeoutException e) {
      throw new AssertionError("no answer within a minute", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  private static @Nullable AsyncEntityProducer producer(Call call) {
    if (call.body().isEmpty()) {
      return null;
    }
    byte[] body = call.body().get(0);
    return new BasicAsyncEntityProducer(body, null, call.chunked());
  }

  @Override
  public void close() {
    try {
      client.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String toString() {
    return "Apache's, asynchronous";
  }
}
