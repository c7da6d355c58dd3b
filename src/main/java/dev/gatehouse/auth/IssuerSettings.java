package dev.gatehouse.auth;

import com.auth0.jwt.algorithms.Algorithm;
import dev.gatehouse.config.Parameters;
import dev.gatehouse.config.Quantity;
import dev.gatehouse.http.GatewayFields;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What is configured for one issuer of tokens.
 *
 * @param name as in {@code jwt.issuers}; {@code default} for the one that has no name
 * @param algorithms those of the keys that are written down
 * @param source where keys are published, if they are
 * @param revoked such as {@code jti:7f3a} and {@code sub:mallory}
 * @param rolesClaim the claim with the caller's roles
 * @param claimHeaders by claim, the field that tells services of it
 */
record IssuerSettings(
    String name,
    List<Algorithm> algorithms,
    Optional<KeySetSource> source,
    Optional<String> issuer,
    Optional<String> audience,
    Duration leeway,
    RefreshRule refresh,
    Set<String> revoked,
    String rolesClaim,
    Map<String, String> claimHeaders) {

  private static final String UNNAMED = "default";
  private static final Duration LONGEST_LEEWAY = Duration.ofSeconds(60);

  IssuerSettings {
    algorithms = List.copyOf(algorithms);
    revoked = Set.copyOf(revoked);
    claimHeaders = Collections.unmodifiableMap(new LinkedHashMap<>(claimHeaders));
  }

  /** Reads the flat parameters, and those of each issuer that has a name. */
  static List<IssuerSettings> read(Parameters parameters) {
    IssuerSettings flat = read(parameters, UNNAMED, null);
    List<String> names =
        parameters.value("issuers", "names with commas", IssuerSettings::names).orElse(List.of());
    List<IssuerSettings> all = new ArrayList<>();
    // Else they are no issuer, but only say what holds for those that have names.
    if (Stream.of("secret", "publicKey", "jwksUrl", "issuer").anyMatch(parameters::isSet)) {
      all.add(flat);
    }
    names.forEach(name -> all.add(read(parameters, name, flat)));
    Set<String> known = new HashSet<>();
    for (IssuerSettings each : all) {
      if (each.issuer.isPresent() && !known.add(each.issuer.get())) {
        parameters.problem("two issuers are '" + each.issuer.get() + "'; expected each once");
      }
    }
    if (all.isEmpty() && !parameters.isSet("issuers")) {
      parameters.problem(
          "no key for tokens: expected jwt.secret, jwt.publicKey or jwt.jwksUrl, or a provider's URL"
              + " as jwt.issuer (nothing is open by accident)");
    }
    return all;
  }

  /**
   * @param flat for an issuer that has a name: what holds where it says nothing of its own; never a
   *     key, nor who it is
   */
  private static IssuerSettings read(
      Parameters parameters, String name, @Nullable IssuerSettings flat) {
    String prefix = flat == null ? "" : name + ".";
    List<Algorithm> algorithms = new ArrayList<>();
    parameters
        .secretValue(
            prefix + "secret", "UTF-8 text, or base64:…; at least 32 bytes", Keys::ofSecret)
        .ifPresent(algorithms::addAll);
    parameters
        .value(
            prefix + "publicKey",
            "path of a PEM file, or the PEM itself; RSA or EC",
            Keys::ofPublicKey)
        .ifPresent(algorithms::addAll);
    Optional<KeySetSource> published =
        parameters.value(prefix + "jwksUrl", "URL of a key set", KeySetSource::of);
    Optional<String> issuer = parameters.text(prefix + "issuer", "text");
    Optional<String> audience = parameters.text(prefix + "audience", "text");
    Duration leeway =
        value(
            parameters,
            prefix,
            "leeway",
            "30s",
            flat == null ? null : flat.leeway,
            "duration, at most 60s",
            IssuerSettings::leeway);
    Duration interval =
        value(
            parameters,
            prefix,
            "refreshInterval",
            "30s",
            flat == null ? null : flat.refresh.interval(),
            "duration",
            Quantity::positiveDuration);
    Duration maxStale =
        value(
            parameters,
            prefix,
            "maxStale",
            "24h",
            flat == null ? null : flat.refresh.maxStale(),
            "duration",
            Quantity::positiveDuration);
    Set<String> revoked = new HashSet<>(flat == null ? Set.of() : flat.revoked);
    parameters
        .value(prefix + "revoked", "jti:… and sub:…, with commas", IssuerSettings::revoked)
        .ifPresent(revoked::addAll);
    String rolesClaim =
        value(
            parameters,
            prefix,
            "rolesClaim",
            "roles",
            flat == null ? null : flat.rolesClaim,
            "name of a claim, or names with dots",
            IssuerSettings::claim);
    Map<String, String> claimHeaders =
        value(
            parameters,
            prefix,
            "claimHeaders",
            "",
            flat == null ? null : flat.claimHeaders,
            "claim=X-User-Name, with commas",
            IssuerSettings::claimHeaders);
    boolean noKey =
        Stream.of("secret", "publicKey", "jwksUrl")
            .noneMatch(key -> parameters.isSet(prefix + key));
    Optional<KeySetSource> source =
        noKey && issuer.isPresent() ? discovered(parameters, prefix, issuer.get()) : published;
    if (flat != null && issuer.isEmpty()) {
      parameters.problem("jwt." + prefix + "issuer is missing: tokens are told apart by it");
    }
    return new IssuerSettings(
        name,
        algorithms,
        source,
        issuer,
        audience.isPresent() || flat == null ? audience : flat.audience,
        leeway,
        new RefreshRule(interval, maxStale),
        revoked,
        rolesClaim,
        claimHeaders);
  }

  private static <T> T value(
      Parameters parameters,
      String prefix,
      String name,
      String fallback,
      @Nullable T flat,
      String format,
      Function<String, T> parser) {
    return flat == null
        ? parameters.value(name, fallback, format, parser)
        : parameters.value(prefix + name, format, parser).orElse(flat);
  }

  /** An issuer without any key is asked for them. */
  private static Optional<KeySetSource> discovered(
      Parameters parameters, String prefix, String issuer) {
    try {
      return Optional.of(KeySetSource.discoveredFor(issuer));
    } catch (IllegalArgumentException e) {
      parameters.problem(
          ("no key for tokens of '%2$s': expected jwt.%1$ssecret, jwt.%1$spublicKey or"
                  + " jwt.%1$sjwksUrl, or a provider's http or https URL as jwt.%1$sissuer")
              .formatted(prefix, issuer));
      return Optional.empty();
    }
  }

  private static List<String> names(String text) {
    List<String> names = new ArrayList<>();
    Set<String> known = new HashSet<>(Set.of(UNNAMED));
    for (String item : text.split(",", -1)) {
      String name = item.strip();
      // Environment variables know no case and no dash.
      if (!name.matches("[A-Za-z][A-Za-z0-9_-]*")
          || !known.add(name.toLowerCase(Locale.ROOT).replace('-', '_'))) {
        throw new IllegalArgumentException(
            "different names of letters, digits, - and _, with commas (and none 'default')");
      }
      names.add(name);
    }
    return names;
  }

  private static Duration leeway(String text) {
    Duration leeway = Quantity.duration(text);
    if (leeway.compareTo(LONGEST_LEEWAY) > 0) {
      throw new IllegalArgumentException("a duration of at most 60s");
    }
    return Duration.ofSeconds(leeway.plusMillis(999).toSeconds());
  }

  private static Set<String> revoked(String text) {
    Set<String> revoked = new LinkedHashSet<>();
    for (String item : text.split(",", -1)) {
      String entry = item.strip();
      if (!entry.matches("(?s)(jti|sub):.+")) {
        throw new IllegalArgumentException("jti:… and sub:…, with commas");
      }
      revoked.add(entry);
    }
    return revoked;
  }

  private static String claim(String text) {
    if (text.isEmpty() || text.indexOf(',') >= 0) {
      throw new IllegalArgumentException("the name of a claim, or names with dots");
    }
    return text;
  }

  private static Map<String, String> claimHeaders(String text) {
    Map<String, String> headers = new LinkedHashMap<>();
    Set<String> told = new HashSet<>();
    for (String item : text.isBlank() ? new String[0] : text.split(",", -1)) {
      int equals = item.lastIndexOf('=');
      String claim = item.substring(0, Math.max(equals, 0)).strip();
      String header = item.substring(equals + 1).strip();
      if (claim.isEmpty()
          || !GatewayFields.mayTellClaim(header)
          || !told.add(header.toLowerCase(Locale.ROOT))
          || headers.put(claim, header) != null) {
        throw new IllegalArgumentException(
            "claim=X-User-Name with commas, each claim and each header once; every header begins with"
                + " X-User- (what clients send so is removed), and is not X-User-Id or X-User-Scopes");
      }
    }
    return headers;
  }
}
