package dev.gatehouse.admin;

import dev.gatehouse.Exchange;
import dev.gatehouse.Gateway;
import dev.gatehouse.metrics.Metrics;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Shows the counts in Prometheus' text format. */
public final class MetricsServlet extends HttpServlet {

  private static final long serialVersionUID = 1L;

  @Override
  protected void doGet(HttpServletRequest clientRequest, HttpServletResponse clientResponse)
      throws IOException {
    byte[] text = Gateway.of(getServletContext()).metrics().text().getBytes(StandardCharsets.UTF_8);
    clientResponse.setContentType(Metrics.MEDIA_TYPE);
    clientResponse.setHeader("Cache-Control", "no-store");
    clientResponse.setContentLength(text.length);
    clientResponse.getOutputStream().write(text);
    Exchange.of(clientRequest).sent(text.length);
  }
}
