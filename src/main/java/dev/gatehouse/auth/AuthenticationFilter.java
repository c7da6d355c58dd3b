package dev.gatehouse.auth;

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
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets a request pass only with a valid JSON Web Token in {@code Authorization: Bearer}.
 *
 * <p><b>What the client sees:</b> 401 {@code token_missing} or {@code token_invalid}, with {@code
 * WWW-Authenticate: Bearer} (RFC 6750); 503 {@code keys_unavailable} while a provider's keys are
 * needed and could not be fetched yet. Why a token was refused is not said to the client; it stands
 * in the log and in the metric {@code gatehouse_failures_total}.
 *
 * <p>A token needs {@code exp}; {@code nbf} and {@code iat} are respected; {@code iss} and {@code
 * aud} are checked when they are configured. The type of the key decides which algorithms are
 * accepted: HS256 for a secret (HS384 and HS512 if it has 48 and 64 bytes), RS256, RS384 and RS512
 * for an RSA key, ES256, ES384 or ES512 for an EC key. Keys that stand in a token, or that a token
 * points to, are never used.
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
 * <tr><td>{@code jwksUrl}</td><td>{@code jwt.jwksUrl}</td><td>URL of a key set (RFC 7517)</td>
 *   <td>none; with an issuer that is a URL, and no key, it is discovered there</td></tr>
 * <tr><td>{@code issuer}</td><td>{@code jwt.issuer}</td><td>text</td><td>none: not checked</td></tr>
 * <tr><td>{@code audience}</td><td>{@code jwt.audience}</td><td>text</td>
 *   <td>none: not checked</td></tr>
 * <tr><td>{@code leeway}</td><td>{@code jwt.leeway}</td>
 *   <td>duration, rounded up to seconds, at most {@code 60s}</td><td>{@code 30s}</td></tr>
 * <tr><td>{@code refreshInterval}</td><td>{@code jwt.refreshInterval}</td>
 *   <td>duration: least time between two fetches of a key set</td><td>{@code 30s}</td></tr>
 * <tr><td>{@code maxStale}</td><td>{@code jwt.maxStale}</td>
 *   <td>duration: how long keys serve while their provider is down</td><td>{@code 24h}</td></tr>
 * <tr><td>{@code revoked}</td><td>{@code jwt.revoked}</td>
 *   <td>{@code jti:…} and {@code sub:…}, with commas</td><td>none</td></tr>
 * <tr><td>{@code rolesClaim}</td><td>{@code jwt.rolesClaim}</td>
 *   <td>the claim with the caller's roles, or names with dots such as {@code
 *   realm_access.roles}</td><td>{@code roles}</td></tr>
 * <tr><td>{@code claimHeaders}</td><td>{@code jwt.claimHeaders}</td>
 *   <td>what services are told of other claims: {@code email=X-User-Email}, with commas</td>
 *   <td>none</td></tr>
 * <tr><td>{@code issuers}</td><td>{@code jwt.issuers}</td>
 *   <td>names with commas; each has its own {@code a.issuer}, {@code a.jwksUrl} and so on (settings
 *   {@code jwt.a.issuer} …); where it says nothing, what stands above holds, but for {@code issuer}
 *   and the keys</td><td>none</td></tr>
 * <tr><td>{@code memory}</td><td>{@code jwt.memory}</td>
 *   <td>size: how much is kept of verified tokens, or {@code none}</td>
 *   <td>{@code 32MiB}</td></tr>
 * <tr><td>{@code state.dir}</td><td>{@code state.dir}</td>
 *   <td>folder for the last good key sets, for a restart while a provider is down; no one but its
 *   owner may write to it</td><td>none: not kept</td></tr>
 * <tr><td>{@code public}</td><td>{@code jwt.public}</td>
 *   <td>paths that need no token, with commas; a method may stand before each</td>
 *   <td>{@code /gateway/health/*}, which is always open</td></tr>
 * </table>
 *
 * There must be a key for tokens, or a place to get it from: nothing is ever open by accident.
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

  private static final Logger LOG = LoggerFactory.getLogger(AuthenticationFilter.class);

  /** Open whatever is said: who asks for health rarely has a token. */
  private static final String HEALTH = "/gateway/health/*";

  private static final String SCHEME = "Bearer ";

  /**
   * How many requests may wait for keys: a part of the threads that servers have as they come, so
   * that invented keys do not take them all.
   */
  private static final int WAITERS = 32;

  /** How long a request waits for a key that it names. */
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  /** How long a provider's answer may take; with discovery there are two. */
  private static final Duration FETCH_LIMIT = Duration.ofSeconds(10);

  private final Semaphore waiters = new Semaphore(WAITERS);
  private List<IssuerSettings> issuers = List.of();
  private long memoryBytes;
  private Optional<Path> stateFolder = Optional.empty();
  private OpenPaths open = OpenPaths.of("");
  private String contextPath = "";
  private @Nullable TokenVerifier verifier;

  @Override
  public void configure(Parameters parameters) {
    parameters.keysUnder("jwt.");
    issuers = IssuerSettings.read(parameters);
    memoryBytes =
        parameters.value(
            "memory",
            "32MiB",
            "size, or none",
            text -> text.equals("none") ? 0L : (Long) Quantity.size(text));
    open =
        parameters.value(
            "public",
            HEALTH,
            "paths with commas, a method before each or none",
            text -> OpenPaths.of(text + ", " + HEALTH));
    parameters.keysUnder("");
    stateFolder = parameters.value("state.dir", "folder", KeySetFile::folder);
  }

  @Override
  protected void start(Gateway gateway, FilterConfig config) throws ServletException {
    contextPath = config.getServletContext().getContextPath();
    gateway.shared(JsonBuffers.class, JsonBuffers::new);
    if (stateFolder.isPresent()) {
      try {
        KeySetFile.prepare(stateFolder.get());
      } catch (IOException e) {
        throw new ServletException("state.dir cannot be used: " + e, e);
      }
    }
    List<KeySet> sets = new ArrayList<>();
    List<Issuer> all = new ArrayList<>();
    for (IssuerSettings settings : issuers) {
      if (settings.source().isEmpty()) {
        all.add(Issuer.of(settings, gateway.clock()));
      } else {
        all.add(
            Issuer.of(
                settings,
                gateway.clock(),
                maker -> {
                  KeySet set = keySet(gateway, settings, maker);
                  sets.add(set);
                  return set;
                }));
      }
    }
    TokenVerifier made = new TokenVerifier(all, new TokenMemory(memoryBytes), gateway.clock());
    gateway.metrics().tokensChecked("recognised", made.recognised());
    gateway.metrics().tokensChecked("examined", made.examined());
    verifier = made;
    sets.forEach(KeySet::open);
  }

  private KeySet keySet(
      Gateway gateway, IssuerSettings settings, Function<PublishedKey, VerifyingKey> maker) {
    KeySetSource source = settings.source().orElseThrow();
    if (!source.isAuthentic()) {
      LOG.warn(
          "keys of {}: whoever is between here and {} can make tokens; expected https",
          settings.name(),
          source.url().getHost());
    }
    if (settings.audience().isEmpty()) {
      LOG.warn(
          "tokens of {}: what its provider issues for others passes, too; expected audience",
          settings.name());
    }
    KeySetClient client = gateway.shared(KeySetClient.class, () -> new KeySetClient(FETCH_LIMIT));
    return new KeySet(
        settings.name(),
        settings.refresh(),
        () -> source.fetch(client),
        stateFolder.map(folder -> new KeySetFile(folder, source.url())),
        maker,
        client,
        waiters,
        System::nanoTime,
        gateway.clock(),
        gateway.metrics());
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
    if (credentials.hasMoreElements()) {
      refuse(exchange, clientResponse, Failure.TOKEN_INVALID, "two_authorizations");
    } else if (!authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
      refuse(exchange, clientResponse, Failure.TOKEN_MISSING, "not_bearer");
    } else {
      TokenVerifier.Verdict verdict = judge(authorization.substring(SCHEME.length()).strip());
      if (verdict instanceof TokenVerifier.Verdict.Accepted accepted) {
        exchange.identified(accepted.caller());
        chain.doFilter(clientRequest, clientResponse);
      } else if (verdict instanceof TokenVerifier.Verdict.Refused refused) {
        refuse(exchange, clientResponse, Failure.TOKEN_INVALID, refused.reason());
      } else if (((TokenVerifier.Verdict.KeyUnknown) verdict).seen() != null) {
        refuse(exchange, clientResponse, Failure.TOKEN_INVALID, "key_unknown");
      } else {
        Refusal.send(exchange, clientResponse, Failure.KEYS_UNAVAILABLE);
      }
    }
  }

  private TokenVerifier.Verdict judge(String token) {
    TokenVerifier judging = Objects.requireNonNull(verifier);
    TokenVerifier.Verdict verdict = judging.verify(token);
    return verdict instanceof TokenVerifier.Verdict.KeyUnknown unknown
            && unknown.keys().awaitNewer(unknown.seen(), PATIENCE)
        ? judging.verify(token)
        : verdict;
  }

  private static void refuse(
      Exchange exchange, HttpServletResponse clientResponse, Failure failure, String reason)
      throws IOException {
    Refusal.send(exchange, clientResponse, failure, reason, null);
  }
}
