package dev.gatehouse;

import dev.gatehouse.http.GatewayFields;
import dev.gatehouse.http.Problem;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The one writer of the gateway's own error answers. */
public final class Refusal {

  private static final String ALL_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

  private Refusal() {}

  /** Refuses with no more to say than the failure does. */
  public static void send(Exchange exchange, HttpServletResponse clientResponse, Failure failure)
      throws IOException {
    send(exchange, clientResponse, failure, failure.code(), null);
  }

  /**
   * Answers with the failure's status and problem, in place of whatever was prepared.
   *
   * @param reason the exact reason for log and metrics, from a closed set of words
   * @throws IllegalStateException if the answer is already on its way
   */
  public static void send(
      Exchange exchange,
      HttpServletResponse clientResponse,
      Failure failure,
      String reason,
      @Nullable Throwable cause)
      throws IOException {
    exchange.failed(failure, reason, cause);
    String challenge =
        switch (failure) {
          case TOKEN_MISSING -> "";
          case TOKEN_INVALID -> ", error=\"invalid_token\"";
          default -> null;
        };
    write(exchange, clientResponse, failure, challenge, ALL_METHODS);
  }

  /**
   * Prepares the same answer, and leaves its body to the caller to write.
   *
   * @return the body; empty for HEAD
   * @throws IllegalStateException if the answer is already on its way
   */
  public static byte[] prepare(
      Exchange exchange,
      HttpServletResponse clientResponse,
      Failure failure,
      String reason,
      @Nullable Throwable cause) {
    exchange.failed(failure, reason, cause);
    return prepare(exchange, clientResponse, failure, null, ALL_METHODS);
  }

  /**
   * Answers with a status and nothing more, and gives the connection up: where a body cannot be
   * sent, or not be understood. When Tomcat has refused a head, it frames a body as that head has
   * told.
   */
  public static void sendBare(Exchange exchange, HttpServletResponse clientResponse, int status) {
    clientResponse.reset();
    exchange.startOver();
    clientResponse.setStatus(status);
    clientResponse.setHeader(GatewayFields.REQUEST_ID, exchange.id());
    tellClient(exchange, clientResponse);
    clientResponse.setHeader("Connection", "close");
    clientResponse.setContentLength(0);
  }

  /** Refuses a method where only some are taken (RFC 9110 section 15.5.6). */
  public static void methodRefused(
      Exchange exchange, HttpServletResponse clientResponse, String allowed) throws IOException {
    exchange.failed(Failure.METHOD_REFUSED, Failure.METHOD_REFUSED.code(), null);
    write(exchange, clientResponse, Failure.METHOD_REFUSED, null, allowed);
  }

  /**
   * Refuses a token that lacks scopes (RFC 6750 section 3.1).
   *
   * @param needed with blanks; empty if scopes would not help
   */
  public static void scopeMissing(
      Exchange exchange, HttpServletResponse clientResponse, String needed, String reason)
      throws IOException {
    exchange.failed(Failure.SCOPE_MISSING, reason, null);
    String challenge = ", error=\"insufficient_scope\"";
    if (!needed.isEmpty()) {
      challenge += ", scope=\"" + needed + "\"";
    }
    write(exchange, clientResponse, Failure.SCOPE_MISSING, challenge, ALL_METHODS);
  }

  /**
   * Refuses who asks too often.
   *
   * @param retryAfter in whole seconds
   * @param policies the names of the limits that were exceeded
   */
  public static void rateLimited(
      Exchange exchange,
      HttpServletResponse clientResponse,
      String reason,
      long retryAfter,
      List<String> policies)
      throws IOException {
    Failure failure = Failure.RATE_LIMITED;
    exchange.failed(failure, reason, null);
    reset(exchange, clientResponse, failure);
    clientResponse.setHeader("Retry-After", String.valueOf(retryAfter));
    write(
        exchange,
        clientResponse,
        finish(
            exchange,
            clientResponse,
            Problem.quotaExceeded(
                failure.status(), failure.detail(), failure.code(), exchange.id(), policies)));
  }

  private static void write(
      Exchange exchange,
      HttpServletResponse clientResponse,
      Failure failure,
      @Nullable String challenge,
      String allowed)
      throws IOException {
    write(exchange, clientResponse, prepare(exchange, clientResponse, failure, challenge, allowed));
  }

  private static void write(Exchange exchange, HttpServletResponse clientResponse, byte[] body)
      throws IOException {
    if (body.length > 0) {
      clientResponse.getOutputStream().write(body);
      exchange.sent(body.length);
    }
  }

  private static byte[] prepare(
      Exchange exchange,
      HttpServletResponse clientResponse,
      Failure failure,
      @Nullable String challenge,
      String allowed) {
    reset(exchange, clientResponse, failure);
    if (challenge != null) {
      clientResponse.setHeader("WWW-Authenticate", "Bearer realm=\"gatehouse\"" + challenge);
    }
    if (failure == Failure.METHOD_REFUSED) {
      clientResponse.setHeader("Allow", allowed);
    }
    if (failure == Failure.CLIENT_TIMEOUT) {
      // What still comes must not be taken for another request (RFC 9110 section 15.5.9).
      clientResponse.setHeader("Connection", "close");
    }
    if (failure.status() == 503) {
      clientResponse.setHeader("Retry-After", "1");
    }
    return finish(
        exchange,
        clientResponse,
        Problem.json(failure.status(), failure.detail(), failure.code(), exchange.id()));
  }

  private static void reset(
      Exchange exchange, HttpServletResponse clientResponse, Failure failure) {
    // Not resetBuffer: headers copied from a service's broken answer must go, too.
    clientResponse.reset();
    exchange.startOver();
    clientResponse.setStatus(failure.status());
    clientResponse.setHeader(GatewayFields.REQUEST_ID, exchange.id());
    tellClient(exchange, clientResponse);
  }

  private static void tellClient(Exchange exchange, HttpServletResponse clientResponse) {
    for (Map.Entry<String, String> field : exchange.clientFields()) {
      clientResponse.addHeader(field.getKey(), field.getValue());
    }
  }

  private static byte[] finish(Exchange exchange, HttpServletResponse clientResponse, byte[] body) {
    clientResponse.setContentType(Problem.MEDIA_TYPE);
    clientResponse.setContentLength(body.length);
    return exchange.method().equals("HEAD") ? new byte[0] : body;
  }
}
