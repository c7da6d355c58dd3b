package dev.gatehouse.auth;

import com.auth0.jwt.algorithms.Algorithm;
import dev.gatehouse.Exchange;
import dev.gatehouse.Failure;
import dev.gatehouse.Gateway;
import dev.gatehouse.GatewayFilter;
import dev.gatehouse.Refusal;
import dev.gatehouse.config.Parameters;
import dev.gatehouse.config.Quantity;
import jakarta.servlet.FilterChain;
import jakarta.servlet.FilterConfig;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Lets a request pass only with a valid JSON Web Token in {@code Authorization: Bearer}.
 *
 * <p><b>What the client sees:</b> 401 {@code token_missing} or {@code token_invalid}, with {@code
 * WWW-Authenticate: Bearer} (RFC 6750). Why a token was refused is not said to the client; it
 * stands in the log and in the metric {@code gatehouse_failures_total}.
 *
 * <p>A token needs {@code exp}; {@code nbf} and {@code iat} are respected; {@code iss} and {@code
 * aud} are checked when they are configured. The type of the key decides which algorithms are
 * accepted: HS256 for a secret (HS384 and HS512 if it has 48 and 64 bytes), RS256, RS384 and RS512
 * for an RSA key, ES256, ES384 or ES512 for an EC key.
 *
 * <p><b>Place in the chain:</b> mapped to {@code /*}, so that a new mapping is protected from the
 * start; before everything that asks who is calling.
 *
 * <table>
 * <caption>Parameters</caption>
 * <tr><th>init-param</th><th>setting</th><th>format</th><th>default</th></tr>
 * <tr><td>{@code secret}</td><td>{@code jwt.secret}</td>
 *   <td>UTF-8 text, or {@code base64:…}; at least 32 bytes</td><td>none</td></tr>
 * <tr><td>{@code publicKey}</td><td>{@code jwt.publicKey}</td>
 *   <td>path of a PEM file, or the PEM itself; RSA (2048 bit or more) or EC</td><td>none</td></tr>
 * <tr><td>{@code issuer}</td><td>{@code jwt.issuer}</td><td>text</td><td>none: not checked</td></tr>
 * <tr><td>{@code audience}</td><td>{@code jwt.audience}</td><td>text</td>
 *   <td>none: not checked</td></tr>
 * <tr><td>{@code leeway}</td><td>{@code jwt.leeway}</td><td>duration, rounded up to seconds</td>
 *   <td>{@code 30s}</td></tr>
 * <tr><td>{@code public}</td><td>{@code jwt.public}</td>
 *   <td>paths that need no token, with commas; a method may stand before each</td>
 *   <td>{@code /gateway/health/*}, which is always open</td></tr>
 * </table>
 *
 * At least one of secret and publicKey must be set: nothing is ever open by accident.
 *
 * <pre>{@code
 * <filter>
 *   <filter-name>authenticate</filter-name>
 *   <filter-class>dev.gatehouse.auth.AuthenticationFilter</filter-class>
 *   <async-supported>true</async-supported>
 *   <init-param>
 *     <param-name>public</param-name>
 *     <param-value>/gateway/health/*, GET /api/products/*</param-value>
 *   </init-param>
 * </filter>
 * }</pre>
 */
public final class AuthenticationFilter extends GatewayFilter {

  /** Open whatever is said: who asks for health rarely has a token. */
  private static final String HEALTH = "/gateway/health/*";

  private static final String SCHEME = "Bearer ";
  private static final String NO_BEARER = "not_bearer";

  private final List<Algorithm> algorithms = new ArrayList<>();
  private Optional<String> issuer = Optional.empty();
  private Optional<String> audience = Optional.empty();
  private Duration leeway = Duration.ZERO;
  private OpenPaths open = OpenPaths.of("");
  private String contextPath = "";
  private @Nullable TokenVerifier verifier;

  @Override
  public void configure(Parameters parameters) {
    parameters.keysUnder("jwt.");
    Optional<List<Algorithm>> ofSecret =
        parameters.secretValue(
            "secret", "UTF-8 text, or base64:…; at least 32 bytes", Keys::ofSecret);
    Optional<List<Algorithm>> ofPublicKey =
        parameters.value(
            "publicKey", "path of a PEM file, or the PEM itself; RSA or EC", Keys::ofPublicKey);
    ofSecret.ifPresent(algorithms::addAll);
    ofPublicKey.ifPresent(algorithms::addAll);
    if (!parameters.isSet("secret") && !parameters.isSet("publicKey")) {
      parameters.problem(
          "no key for tokens: expected jwt.secret or jwt.publicKey (nothing is open by accident)");
    }
    issuer = parameters.text("issuer", "text");
    audience = parameters.text("audience", "text");
    leeway = parameters.value("leeway", "30s", "duration", Quantity::duration);
    open =
        parameters.value(
            "public",
            HEALTH,
            "paths with commas, a method before each or none",
            text -> OpenPaths.of(text + ", " + HEALTH));
  }

  @Override
  protected void start(Gateway gateway, FilterConfig config) {
    contextPath = config.getServletContext().getContextPath();
    gateway.shared(JsonBuffers.class, JsonBuffers::new);
    verifier = new TokenVerifier(algorithms, issuer, audience, leeway, gateway.clock());
  }

  @Override
  protected void apply(
      Exchange exchange,
      HttpServletRequest clientRequest,
      HttpServletResponse clientResponse,
      FilterChain chain)
      throws IOException, ServletException {
    if (open.opens(exchange.method(), exchange.rawPath().substring(contextPath.length()))) {
      chain.doFilter(clientRequest, clientResponse);
      return;
    }
    Enumeration<String> credentials = clientRequest.getHeaders("Authorization");
    if (!credentials.hasMoreElements()) {
      Refusal.send(exchange, clientResponse, Failure.TOKEN_MISSING);
      return;
    }
    String authorization = credentials.nextElement();
    TokenVerifier.Verdict verdict =
        credentials.hasMoreElements()
            ? new TokenVerifier.Verdict.Refused("two_authorizations")
            : judge(authorization);
    if (verdict instanceof TokenVerifier.Verdict.Accepted accepted) {
      exchange.identified(accepted.caller());
      chain.doFilter(clientRequest, clientResponse);
    } else if (verdict instanceof TokenVerifier.Verdict.Refused refused) {
      Failure failure =
          refused.reason().equals(NO_BEARER) ? Failure.TOKEN_MISSING : Failure.TOKEN_INVALID;
      Refusal.send(exchange, clientResponse, failure, refused.reason(), null);
    }
  }

  private TokenVerifier.Verdict judge(String authorization) {
    if (!authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
      return new TokenVerifier.Verdict.Refused(NO_BEARER);
    }
    return java.util.Objects.requireNonNull(verifier)
        .verify(authorization.substring(SCHEME.length()).strip());
  }
}
