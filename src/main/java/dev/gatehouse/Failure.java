package dev.gatehouse;

/**
 * Every way in which an exchange can fail: the one table that answers, log, metrics and (later)
 * retries read.
 */
public enum Failure {
  PATH_AMBIGUOUS(400, Source.CLIENT, Retry.NEVER, "The path can be read in two ways."),
  TOKEN_MISSING(401, Source.CLIENT, Retry.NEVER, "This path needs a bearer token."),
  TOKEN_INVALID(401, Source.CLIENT, Retry.NEVER, "The bearer token is not valid."),
  SCOPE_MISSING(403, Source.CLIENT, Retry.NEVER, "The token lacks the scope that this path needs."),
  NO_ROUTE(404, Source.CLIENT, Retry.NEVER, "No service is mapped to this path."),
  METHOD_REFUSED(405, Source.CLIENT, Retry.NEVER, "The gateway does not take this method."),
  RATE_LIMITED(429, Source.CLIENT, Retry.NEVER, "There were too many requests."),
  HEADERS_TOO_LARGE(431, Source.CLIENT, Retry.NEVER, "The request's header is too large."),
  CLIENT_TIMEOUT(408, Source.CLIENT, Retry.NEVER, "The request did not come in time."),
  CLIENT_GONE(499, Source.CLIENT, Retry.NEVER, "The client went away."),
  INTERNAL(500, Source.GATEWAY, Retry.NEVER, "The gateway failed."),
  CODING_REFUSED(
      501, Source.CLIENT, Retry.NEVER, "The gateway knows no transfer coding but chunked."),
  UPSTREAM_UNREACHABLE(502, Source.UPSTREAM, Retry.ALWAYS, "The service cannot be reached."),
  UPSTREAM_RESET(502, Source.UPSTREAM, Retry.IF_UNSENT, "The service broke off the connection."),
  UPSTREAM_GARBLED(
      502, Source.UPSTREAM, Retry.IF_UNSENT, "The service's answer could not be understood."),
  KEYS_UNAVAILABLE(
      503, Source.GATEWAY, Retry.NEVER, "The keys that verify tokens are not known yet."),
  LIMIT_UNAVAILABLE(
      503, Source.GATEWAY, Retry.NEVER, "Whether there were too many requests is not known."),
  SATURATED(503, Source.GATEWAY, Retry.ALWAYS, "The service has more requests than it can take."),
  STOPPING(503, Source.GATEWAY, Retry.IF_UNSENT, "The gateway is being stopped."),
  UPSTREAM_TIMEOUT(504, Source.UPSTREAM, Retry.IF_UNSENT, "The service did not answer in time.");

  /** Whose fault it is. */
  public enum Source {
    CLIENT,
    GATEWAY,
    UPSTREAM
  }

  /** When another attempt cannot do harm. */
  public enum Retry {
    /** The request would fail again, or nobody waits for the answer. */
    NEVER,
    /** Only if the service cannot have acted on the request. */
    IF_UNSENT,
    /** Nothing has reached the service. */
    ALWAYS
  }

  private final int status;
  private final Source source;
  private final Retry retry;
  private final String detail;

  Failure(int status, Source source, Retry retry, String detail) {
    this.status = status;
    this.source = source;
    this.retry = retry;
    this.detail = detail;
  }

  /** The HTTP status, for the client or (499) for the log only. */
  public int status() {
    return status;
  }

  public Source source() {
    return source;
  }

  public Retry retry() {
    return retry;
  }

  /** One sentence for the client. */
  public String detail() {
    return detail;
  }

  /** The name that clients, logs and metrics see, such as {@code path_ambiguous}. */
  public String code() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
