package dev.gatehouse.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.auth0.jwt.algorithms.Algorithm;
import dev.gatehouse.testing.Json;
import java.lang.management.ManagementFactory;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECFieldFp;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class PublishedKeyTest {

  private static final Map<String, String> CURVES =
      Map.of("P-256", "secp256r1", "P-384", "secp384r1", "P-521", "secp521r1");

  private static final Map<String, KeyPair> PAIRS = new ConcurrentHashMap<>();

  private static final String RSA = "RS256 RS384 RS512";

  /** Of this kind, made once. */
  private static PublicKey key(String kind) {
    return PAIRS
        .computeIfAbsent(
            kind,
            any -> {
              try {
                String curve = CURVES.get(kind);
                return curve == null ? KeysTest.rsa(2048) : KeysTest.ec(curve);
              } catch (GeneralSecurityException e) {
                throw new AssertionError(e);
              }
            })
        .getPublic();
  }

  private static RSAPublicKey rsa() {
    return (RSAPublicKey) key("RSA");
  }

  private static ECPublicKey ec(String curve) {
    return (ECPublicKey) key(curve);
  }

  private static BigInteger prime(String curve) {
    return ((ECFieldFp) ec(curve).getParams().getCurve().getField()).getP();
  }

  /** The number in so many bytes, or in as few as it needs. */
  private static String base64(BigInteger number, int length) {
    byte[] least = number.toByteArray();
    int surplus = least[0] == 0 ? 1 : 0;
    int used = least.length - surplus;
    byte[] bytes = new byte[Math.max(used, length)];
    System.arraycopy(least, surplus, bytes, bytes.length - used, used);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  private static Map<String, Object> rsaJwk(BigInteger n, BigInteger e) {
    Map<String, Object> jwk = new LinkedHashMap<>();
    jwk.put("kty", "RSA");
    jwk.put("n", base64(n, 0));
    jwk.put("e", base64(e, 0));
    return jwk;
  }

  private static Map<String, Object> ecJwk(String curve, BigInteger x, BigInteger y) {
    int length = (prime(curve).bitLength() + 7) / 8;
    Map<String, Object> jwk = new LinkedHashMap<>();
    jwk.put("kty", "EC");
    jwk.put("crv", curve);
    jwk.put("x", base64(x, length));
    jwk.put("y", base64(y, length));
    return jwk;
  }

  private static Map<String, Object> jwk(String kind) {
    return kind.equals("RSA")
        ? rsaJwk(rsa().getModulus(), rsa().getPublicExponent())
        : ecJwk(kind, ec(kind).getW().getAffineX(), ec(kind).getW().getAffineY());
  }

  private static Map<String, Object> jwk(String kind, String member, Object value) {
    Map<String, Object> jwk = jwk(kind);
    jwk.put(member, value);
    return jwk;
  }

  private static String document(Object... keys) {
    return Json.write(Map.of("keys", keys));
  }

  private static String names(PublishedKey key) {
    return key.algorithms().stream().map(Algorithm::getName).collect(Collectors.joining(" "));
  }

  /** Alone it makes no set, and among others it spoils none of them. */
  private static void assertLeftOut(Object jwk) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PublishedKey.set(document(jwk)))
        .withMessage("none of its keys can be used");
    assertThat(PublishedKey.set(document(jwk("P-384"), jwk, jwk("RSA"))))
        .extracting(PublishedKey::key)
        .containsExactly(key("P-384"), key("RSA"));
  }

  @ParameterizedTest
  @CsvSource({"RSA, RS256 RS384 RS512", "P-256, ES256", "P-384, ES384", "P-521, ES512"})
  void theTypeAndTheCurveDecideTheAlgorithms(String kind, String algorithms) {
    List<PublishedKey> keys = PublishedKey.set(document(jwk(kind)));

    assertThat(keys).hasSize(1);
    assertThat(keys.get(0).key()).isEqualTo(key(kind));
    assertThat(names(keys.get(0))).isEqualTo(algorithms);
  }

  @Test
  void keysKeepTheirOrderAndTheirNamesWhichNeedNotDiffer() {
    List<PublishedKey> keys =
        PublishedKey.set(
            document(
                jwk("P-521", "kid", "k"),
                jwk("RSA"),
                jwk("P-256", "kid", "../../etc/passwd"),
                jwk("P-384", "kid", "k")));

    assertThat(keys)
        .extracting(PublishedKey::id)
        .containsExactly("k", null, "../../etc/passwd", "k");
    assertThat(keys)
        .extracting(PublishedKey::key)
        .containsExactly(key("P-521"), key("RSA"), key("P-256"), key("P-384"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\'',
      value = {
        // What a key says that it is for.
        "RSA|use|\"sig\"|" + RSA,
        "RSA|use|\"enc\"|",
        "RSA|use|\"SIG\"|",
        "RSA|use|null|" + RSA,
        "RSA|use|7|",
        "RSA|use|[\"sig\"]|",
        "P-256|use|\"enc\"|",
        "RSA|key_ops|[\"verify\"]|" + RSA,
        "RSA|key_ops|[\"sign\",\"verify\"]|" + RSA,
        "RSA|key_ops|[\"encrypt\",\"wrapKey\"]|",
        "P-256|key_ops|[\"deriveKey\"]|",
        "RSA|key_ops|[\"VERIFY\"]|",
        "RSA|key_ops|[[\"verify\"]]|",
        "RSA|key_ops|[]|" + RSA,
        "RSA|key_ops|null|" + RSA,
        "RSA|key_ops|\"verify\"|",
        "RSA|key_ops|{\"0\":\"verify\"}|",
        // Its algorithm, which must fit its type.
        "RSA|alg|\"RS256\"|RS256",
        "RSA|alg|\"RS512\"|RS512",
        "P-256|alg|\"ES256\"|ES256",
        "P-256|alg|\"ES384\"|",
        "P-256|alg|\"RS256\"|",
        "RSA|alg|\"ES256\"|",
        "RSA|alg|\"PS256\"|",
        "RSA|alg|\"HS256\"|",
        "RSA|alg|\"none\"|",
        "RSA|alg|\"rs256\"|",
        "RSA|alg|\"RSA-OAEP\"|",
        "RSA|alg|\"\"|",
        "RSA|alg|null|" + RSA,
        "RSA|alg|7|",
        "RSA|alg|[\"RS256\"]|",
        // Its name.
        "RSA|kid|7|",
        "RSA|kid|null|" + RSA,
        "RSA|kid|[\"k\"]|",
        "RSA|kid|{\"k\":1}|",
        // Its type and its curve.
        "RSA|kty|\"rsa\"|",
        "RSA|kty|\"EC\"|",
        "RSA|kty|\"oct\"|",
        "RSA|kty|\"OKP\"|",
        "RSA|kty|7|",
        "RSA|kty|null|",
        "P-256|kty|\"RSA\"|",
        "P-256|kty|\"OKP\"|",
        "P-256|crv|\"P-384\"|",
        "P-256|crv|\"p-256\"|",
        "P-256|crv|\"secp256r1\"|",
        "P-256|crv|\"secp256k1\"|",
        "P-256|crv|\"Ed25519\"|",
        "P-256|crv|7|",
        "P-256|crv|null|",
        // Its numbers.
        "RSA|n|\"\"|",
        "RSA|n|\"AA\"|",
        "RSA|n|\"AQAB\"|",
        "RSA|n|7|",
        "RSA|n|null|",
        "RSA|n|[\"AQAB\"]|",
        "RSA|e|\"Aw\"|" + RSA,
        "RSA|e|\"\"|",
        "RSA|e|\"AA\"|",
        "RSA|e|\"AQ\"|",
        "RSA|e|\"Ag\"|",
        "RSA|e|\"BA\"|",
        "RSA|e|\"AQAA\"|",
        "RSA|e|65537|",
        "RSA|e|\"AQ AB\"|",
        "RSA|e|\"A+AB\"|",
        "RSA|e|\"A/AB\"|",
        "P-256|x|\"\"|",
        "P-256|x|\"AA\"|",
        "P-256|x|\"AQ\"|",
        "P-256|x|7|",
        "P-256|y|\"\"|",
        "P-256|y|\"AA\"|",
        "P-256|y|null|",
        // What is not looked at: nothing is fetched, and no certificate is read.
        "RSA|x5c|[\"no certificate\"]|" + RSA,
        "RSA|x5u|\"http://127.0.0.1:1/\"|" + RSA,
        "RSA|x5t|7|" + RSA,
        "RSA|jku|\"http://127.0.0.1:1/\"|" + RSA,
        "P-256|ext|true|ES256",
        // A provider's mistake, which makes its private key no part of ours.
        "RSA|d|\"AQAB\"|" + RSA,
        "RSA|p|\"AQAB\"|" + RSA,
        "P-256|d|7|ES256",
      })
  void aMemberDecides(String kind, String member, String value, @Nullable String algorithms) {
    Map<String, Object> jwk = jwk(kind, member, Json.read(value));

    if (algorithms == null) {
      assertLeftOut(jwk);
    } else {
      List<PublishedKey> keys = PublishedKey.set(document(jwk));
      assertThat(keys).hasSize(1);
      assertThat(names(keys.get(0))).isEqualTo(algorithms);
      if (!member.equals("e")) {
        assertThat(keys.get(0).key()).isEqualTo(key(kind));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"RSA, kty", "RSA, n", "RSA, e", "P-256, kty", "P-256, crv", "P-256, x", "P-256, y"})
  void whatAKeyConsistsOfMayNotBeMissing(String kind, String member) {
    Map<String, Object> jwk = jwk(kind);
    jwk.remove(member);

    assertLeftOut(jwk);
  }

  @Test
  void aSecretIsNeverUsed() {
    String secret = Base64.getUrlEncoder().withoutPadding().encodeToString(new byte[64]);

    assertLeftOut(Map.of("kty", "oct", "k", secret));
    assertLeftOut(Map.of("kty", "oct", "k", secret, "alg", "HS256", "use", "sig", "kid", "k"));
    Map<String, Object> both = jwk("RSA", "k", secret);
    both.put("alg", "HS256");
    assertLeftOut(both);
  }

  @Test
  void aKeyOfAnotherTypeIsLeftOut() {
    assertLeftOut(Map.of("kty", "OKP", "crv", "Ed25519", "x", base64(BigInteger.TWO, 32)));
    assertLeftOut(List.of(jwk("RSA")));
    assertLeftOut("RSA");
    assertLeftOut(7);
  }

  private static Stream<Map<String, Object>> badNumbers() {
    BigInteger n = rsa().getModulus();
    BigInteger e = rsa().getPublicExponent();
    List<Map<String, Object>> bad = new ArrayList<>();
    bad.add(rsaJwk(n.shiftRight(1).setBit(0), e));
    bad.add(rsaJwk(n.shiftRight(1024).setBit(0), e));
    bad.add(rsaJwk(BigInteger.ONE.shiftLeft(100_000).setBit(0), e));
    bad.add(rsaJwk(n, n));
    bad.add(rsaJwk(n, BigInteger.ONE.shiftLeft(100_000).setBit(0)));
    for (String curve : CURVES.keySet()) {
      BigInteger x = ec(curve).getW().getAffineX();
      BigInteger y = ec(curve).getW().getAffineY();
      BigInteger p = prime(curve);
      bad.add(ecJwk(curve, BigInteger.ZERO, BigInteger.ZERO));
      bad.add(ecJwk(curve, BigInteger.ZERO, BigInteger.ONE));
      bad.add(ecJwk(curve, x, y.xor(BigInteger.ONE)));
      bad.add(ecJwk(curve, y, x));
      bad.add(ecJwk(curve, x, BigInteger.ZERO));
      bad.add(ecJwk(curve, p, y));
      bad.add(ecJwk(curve, x.add(p), y));
      bad.add(ecJwk(curve, x, y.add(p)));
      bad.add(ecJwk(curve, x.add(p), y.add(p)));
    }
    // The same point on another curve is none.
    bad.add(ecJwk("P-521", ec("P-256").getW().getAffineX(), ec("P-256").getW().getAffineY()));
    return bad.stream();
  }

  @ParameterizedTest
  @MethodSource("badNumbers")
  void aWeakKeyAndAPointOffItsCurveAreLeftOut(Map<String, Object> jwk) {
    assertLeftOut(jwk);
  }

  private static Stream<String> noSets() {
    String key = Json.write(jwk("P-256"));
    String good = "{\"keys\":[" + key + "]}";
    String two = "{\"keys\":[" + key + "],\"keys\":[" + key + "]}";
    return Stream.of(
        "",
        " ",
        "null",
        "true",
        "7",
        "\"keys\"",
        "{}",
        "[]",
        "[" + key + "]",
        key,
        "{\"keys\":[]}",
        "{\"keys\":null}",
        "{\"keys\":{}}",
        "{\"keys\":7}",
        "{\"keys\":{\"a\":" + key + "}}",
        "{\"keys\":\"" + "x".repeat(99) + "\"}",
        "{\"Keys\":[" + key + "]}",
        "{\"keys\":[null,true,7,\"x\",[],{}]}",
        "{\"keys\":[[" + key + "]]}",
        "<!DOCTYPE html><html><body>Not found</body></html>",
        good + "x",
        good + "}",
        good + good,
        good + "\u0000",
        good.substring(0, good.length() - 1),
        good.replace('"', '\''),
        good.replace("\"keys\"", "keys"),
        "//\n" + good,
        "callback(" + good + ")",
        two,
        good.replace("\"kty\"", "\"kid\":\"a\",\"kid\":\"b\",\"kty\""),
        "{\"a\":1,\"a\":1," + good.substring(1),
        "{\"a\":NaN," + good.substring(1),
        "{\"a\":\"\n\"," + good.substring(1),
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
        "{\"keys\":" + "[".repeat(100_000),
        "{\"keys\":[" + key + "," + "[".repeat(100_000) + "]".repeat(100_000) + "]}",
        "{\"a\":" + "9".repeat(100_000) + "," + good.substring(1),
        "{\"" + "a".repeat(100_000) + "\":1," + good.substring(1));
  }

  @ParameterizedTest
  @MethodSource("noSets")
  void whatIsNoKeySetIsRefused(String document) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PublishedKey.set(document))
        // It is logged, so it says nothing of what came.
        .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(40));
  }

  @Test
  void whatElseASetSaysIsNotLookedAt() {
    String good = document(jwk("P-256"));

    assertThat(PublishedKey.set(" \r\n{\"x5u\":{\"keys\":[1]}," + good.substring(1) + "\n"))
        .hasSize(1);
  }

  /** Names that Jackson's own table of names holds for one. */
  private static String sameHash(int number) {
    return IntStream.range(0, 12)
        .mapToObj(bit -> (number >> bit & 1) == 0 ? "Ab" : "BA")
        .collect(Collectors.joining());
  }

  private static Stream<String> largest() {
    int mebi = 1 << 20;
    String good = Json.write(jwk("P-256"));
    String rsa = Json.write(jwk("RSA"));
    String tail = "," + good + "]}";
    return Stream.of(
        "{\"keys\":[\"" + "x".repeat(mebi - 500) + "\"" + tail,
        "{\"keys\":[1" + ",1".repeat(mebi / 2 - 500) + tail,
        "{\"keys\":[{}" + ",{}".repeat(mebi / 3 - 500) + tail,
        "{\"keys\":[" + good + ("," + good).repeat(mebi / (good.length() + 1) - 3) + tail,
        "{\"keys\":[" + rsa + ("," + rsa).repeat(mebi / (rsa.length() + 1) - 3) + tail,
        IntStream.range(0, 70_000)
            .mapToObj(i -> "\"" + Integer.toString(i, 36) + "\":1234,")
            .collect(Collectors.joining("", "{", "\"keys\":[" + good + "]}")));
  }

  @ParameterizedTest
  @MethodSource("largest")
  void theLargestDocumentTakesLittleTime(String document) {
    assertThat(document.length()).isBetween(700_000, 1 << 20);
    long before = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();

    try {
      assertThat(PublishedKey.set(document)).isNotEmpty();
    } catch (IllegalArgumentException e) {
      // So many keys are none, which takes no time either.
    }

    long millis =
        (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - before) / 1_000_000;
    assertThat(millis).isLessThan(1_000);
  }

  @Test
  void namesThatAreMadeToCollideAreRefusedLikeAnyGarbage() {
    String document =
        IntStream.range(0, 4096)
            .mapToObj(i -> "\"" + sameHash(i) + "\":1,")
            .collect(Collectors.joining("", "{", "\"keys\":[" + Json.write(jwk("P-256")) + "]}"));

    assertThatIllegalArgumentException().isThrownBy(() -> PublishedKey.set(document));
  }
}
