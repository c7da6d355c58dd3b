package dev.gatehouse.admin;

import dev.gatehouse.Exchange;
import dev.gatehouse.Failure;
import dev.gatehouse.Refusal;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** A servlet that only shows something: it takes GET and HEAD, and nothing it says may be kept. */
abstract class ReportServlet extends HttpServlet {

  private static final long serialVersionUID = 1L;

  private final String mediaType;

  ReportServlet(String mediaType) {
    this.mediaType = mediaType;
  }

  /**
   * What to show.
   *
   * @param rest the raw path behind the mapping; may be empty
   * @return null if there is nothing of that name
   */
  abstract @Nullable String report(String rest);

  @Override
  protected void service(HttpServletRequest clientRequest, HttpServletResponse clientResponse)
      throws IOException {
    Exchange exchange = Exchange.of(clientRequest);
    boolean head = exchange.method().equals("HEAD");
    if (!head && !exchange.method().equals("GET")) {
      Refusal.methodRefused(exchange, clientResponse, "GET, HEAD");
      return;
    }
    int mapped = getServletContext().getContextPath().length() + exchange.route().prefix().length();
    String report = report(exchange.rawPath().substring(mapped));
    if (report == null) {
      Refusal.send(exchange, clientResponse, Failure.NO_ROUTE);
      return;
    }
    byte[] body = report.getBytes(StandardCharsets.UTF_8);
    clientResponse.setContentType(mediaType);
    clientResponse.setHeader("Cache-Control", "no-store");
    clientResponse.setContentLength(body.length);
    if (!head) {
      clientResponse.getOutputStream().write(body);
      exchange.sent(body.length);
    }
  }
}
