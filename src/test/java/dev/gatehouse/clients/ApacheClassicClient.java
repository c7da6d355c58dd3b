package dev.gatehouse.clients;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.util.Timeout;

/** Apache's httpclient5, blocking. */
public final class ApacheClassicClient implements RealClient.Streaming {
  private final CloseableHttpClient client = HttpClients.createDefault();

  @Override
  public Answer send(Call call) throws IOException {
    return client.execute(
        request(call),
        answer ->
            new Answer(
                answer.getVersion().toString(),
                answer.getCode(),
                ApacheHeaders.of(answer.getHeaders()),
                bytes(answer.getEntity())));
  }

  private static byte[] bytes(HttpEntity entity) throws IOException {
    byte[] bytes = entity == null ? null : EntityUtils.toByteArray(entity);
    return bytes == null ? new byte[0] : bytes;
  }

  @Override
  public InputStream open(Call call) throws IOException {
    return client.executeOpen(null, request(call), null).getEntity().getContent();
  }

  private static ClassicHttpRequest request(Call call) {
    HttpUriRequestBase request = new HttpUriRequestBase(call.method(), URI.create(call.url()));
    request.setConfig(
        RequestConfig.custom()
            .setResponseTimeout(Timeout.of(PATIENCE))
            .setExpectContinueEnabled(call.expectsContinue())
            .build());
    call.headers().forEach(request::addHeader);
    if (!call.body().isEmpty()) {
      request.setEntity(new ByteArrayEntity(call.body().get(0), null, call.chunked()));
    }
    return request;
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
    return "Apache's, classic";
  }
}
