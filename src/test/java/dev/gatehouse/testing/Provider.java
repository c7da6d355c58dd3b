package dev.gatehouse.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.gatehouse.testing.Upstream.Behaviour;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.interfaces.RSAPublicKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * An identity provider: a real server that publishes the keys that a test says, and the tokens that
 * these keys sign.
 */
public final class Provider implements AutoCloseable {
  private static final String KEYS = "/keys";
  private static final String DISCOVERY = "/.well-known/openid-configuration";

  private final Upstream server = Upstream.start();
  private final Map<String, KeyPair> keys = new ConcurrentHashMap<>();

  private volatile long lastAsked = System.nanoTime();

  private Provider() {}

  /** Starts one that publishes keys of these names. */
  public static Provider publishing(String... names) {
    Provider provider = new Provider();
    provider.publish(names);
    return provider;
  }

  /** Publishes, from the next question on, keys of these names and no others. */
  public void publish(String... names) {
    will(publication(names));
  }

  /** The answers of a provider that publishes these keys. */
  public Behaviour publication(String... names) {
    byte[] set = keySet(names).getBytes(UTF_8);
    byte[] discovery =
        Json.write(Map.of("issuer", issuer(), "jwks_uri", jwksUrl())).getBytes(UTF_8);
    return (request, out) -> {
      byte[] body = request.target().equals(DISCOVERY) ? discovery : set;
      return UpstreamThat.answers("Content-Type: application/json", body).answer(request, out);
    };
  }

  /** Answers like this from the next question on. */
  public void will(Behaviour behaviour) {
    server.will(
        (request, out) -> {
          lastAsked = System.nanoTime();
          return behaviour.answer(request, out);
        });
  }

  /** How long nobody has asked it anything. */
  public Duration rested() {
    return Duration.ofNanos(System.nanoTime() - lastAsked);
  }

  /** What it is called in tokens; its discovery document is there, too. */
  public String issuer() {
    return server.url();
  }

  /** Where its key set is. */
  public String jwksUrl() {
    return server.url() + KEYS;
  }

  /** How often it was asked for its key set. */
  public int asked() {
    return (int)
        server.requests().stream().filter(request -> request.target().equals(KEYS)).count();
  }

  /** How many questions of any kind it got. */
  public int arrivals() {
    return server.requests().size();
  }

  /** A good token of this provider, signed with a key, whether that is published or not. */
  public String token(String name) {
    return token(name, Tokens.claims("iss", issuer()));
  }

  /** A token with these claims, signed with a key. */
  public String token(String name, Map<String, ?> claims) {
    return token(name, Map.of("kid", name), claims);
  }

  /** A token with these header fields besides {@code alg} and {@code typ}, signed with a key. */
  public String token(String name, Map<String, ?> header, Map<String, ?> claims) {
    return Tokens.rs256(key(name), header, claims);
  }

  /** A key as it is published. */
  public Map<String, Object> jwk(String name) {
    RSAPublicKey key = (RSAPublicKey) key(name).getPublic();
    Map<String, Object> jwk = new LinkedHashMap<>();
    jwk.put("kty", "RSA");
    jwk.put("use", "sig");
    jwk.put("alg", "RS256");
    jwk.put("kid", name);
    jwk.put("n", base64(key.getModulus()));
    jwk.put("e", base64(key.getPublicExponent()));
    return jwk;
  }

  /** A key of its own, made when it is first used. */
  public KeyPair key(String name) {
    return keys.computeIfAbsent(name, first -> Tokens.newRsa());
  }

  private String keySet(String... names) {
    List<Map<String, Object>> published = new ArrayList<>();
    for (String name : names) {
      published.add(jwk(name));
    }
    return Json.write(Map.of("keys", published));
  }

  private static String base64(BigInteger number) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(number.toByteArray());
  }

  @Override
  public void close() {
    server.close();
  }
}
