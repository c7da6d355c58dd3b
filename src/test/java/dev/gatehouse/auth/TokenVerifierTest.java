package dev.gatehouse.auth;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.auth0.jwt.algorithms.Algorithm;
import dev.gatehouse.Caller;
import java.io.ByteArrayOutputStream;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.Signature;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenVerifierTest {

  private static final long NOW = 1_800_000_000L;
  private static final Clock CLOCK = Clock.fixed(Instant.ofEpochSecond(NOW), ZoneOffset.UTC);
  private static final String SECRET =
      "a secret of sixty-four bytes, which is enough for HS512, too!!!!";
  private static final byte[] SECRET_BYTES = SECRET.getBytes(UTF_8);
  private static final String HS256 = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
  private static final String EXP = "\"exp\":" + (NOW + 60);

  private static @Nullable KeyPair rsaPair;
  private static @Nullable KeyPair ecPair;

  @BeforeAll
  static void makeKeys() throws GeneralSecurityException {
    rsaPair = KeysTest.rsa(2048);
    ecPair = KeysTest.ec("secp256r1");
  }

  private static KeyPair rsa() {
    return java.util.Objects.requireNonNull(rsaPair);
  }

  private static KeyPair ec() {
    return java.util.Objects.requireNonNull(ecPair);
  }

  private static TokenVerifier verifier(List<Algorithm> algorithms, Duration leeway) {
    return verifier(algorithms, null, null, leeway, CLOCK);
  }

  private static TokenVerifier ofSecret() {
    return verifier(Keys.ofSecret(SECRET), Duration.ofSeconds(30));
  }

  private static TokenVerifier ofRsa() {
    return verifier(Keys.ofPublicKey(KeysTest.pem(rsa().getPublic())), Duration.ofSeconds(30));
  }

  private static TokenVerifier ofEc() {
    return verifier(Keys.ofPublicKey(KeysTest.pem(ec().getPublic())), Duration.ofSeconds(30));
  }

  private static TokenVerifier of(@Nullable String issuer, @Nullable String audience) {
    return verifier(Keys.ofSecret(SECRET), issuer, audience, Duration.ofSeconds(30), CLOCK);
  }

  private static TokenVerifier verifier(
      List<Algorithm> algorithms,
      @Nullable String issuer,
      @Nullable String audience,
      Duration leeway,
      Clock clock) {
    IssuerSettings settings =
        new IssuerSettings(
            "default",
            algorithms,
            Optional.empty(),
            Optional.ofNullable(issuer),
            Optional.ofNullable(audience),
            leeway,
            new RefreshRule(Duration.ofSeconds(30), Duration.ofHours(24)),
            Set.of(),
            "roles",
            Map.of());
    return new TokenVerifier(List.of(Issuer.of(settings, clock)), new TokenMemory(0), clock);
  }

  private static String base64(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  private static String base64(String text) {
    return base64(text.getBytes(UTF_8));
  }

  private static byte[] hmac(String name, byte[] secret, String signed) {
    try {
      Mac mac = Mac.getInstance(name);
      mac.init(new SecretKeySpec(secret, name));
      return mac.doFinal(signed.getBytes(UTF_8));
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  private static String signed(String header, String payload, byte[] secret) {
    String text = base64(header) + "." + base64(payload);
    return text + "." + base64(hmac("HmacSHA256", secret, text));
  }

  private static String signed(String payload) {
    return signed(HS256, payload, SECRET_BYTES);
  }

  private static String signed(String header, String payload, PrivateKey key, String algorithm)
      throws GeneralSecurityException {
    String text = base64(header) + "." + base64(payload);
    Signature signature = Signature.getInstance(algorithm);
    signature.initSign(key);
    signature.update(text.getBytes(UTF_8));
    return text + "." + base64(signature.sign());
  }

  private static void assertRefused(TokenVerifier verifier, String token) {
    assertThat(verifier.verify(token)).isInstanceOf(TokenVerifier.Verdict.Refused.class);
  }

  private static void assertRefused(TokenVerifier verifier, String token, String reason) {
    assertThat(verifier.verify(token)).isEqualTo(new TokenVerifier.Verdict.Refused(reason));
  }

  private static Caller accepted(TokenVerifier verifier, String token) {
    assertThat(verifier.verify(token)).isInstanceOf(TokenVerifier.Verdict.Accepted.class);
    return ((TokenVerifier.Verdict.Accepted) verifier.verify(token)).caller();
  }

  // Algorithms and signatures.

  @ParameterizedTest
  @CsvSource({"HS256, HmacSHA256", "HS384, HmacSHA384", "HS512, HmacSHA512"})
  void aSecretVerifiesHmac(String algorithm, String mac) {
    String text = base64("{\"alg\":\"" + algorithm + "\"}") + "." + base64("{" + EXP + "}");

    accepted(ofSecret(), text + "." + base64(hmac(mac, SECRET_BYTES, text)));
  }

  @ParameterizedTest
  @CsvSource({"HS384, HmacSHA384", "HS512, HmacSHA512"})
  void aShorterSecretDoesNotVerifyLongerHmac(String algorithm, String mac) {
    String secret = "only thirty-two bytes of secret!";
    String text = base64("{\"alg\":\"" + algorithm + "\"}") + "." + base64("{" + EXP + "}");
    TokenVerifier verifier = verifier(Keys.ofSecret(secret), Duration.ofSeconds(30));

    assertRefused(
        verifier, text + "." + base64(hmac(mac, secret.getBytes(UTF_8), text)), "algorithm");
  }

  @ParameterizedTest
  @CsvSource({"RS256, SHA256withRSA", "RS384, SHA384withRSA", "RS512, SHA512withRSA"})
  void anRsaKeyVerifiesRsa(String algorithm, String signature) throws GeneralSecurityException {
    String header = "{\"alg\":\"" + algorithm + "\"}";

    accepted(ofRsa(), signed(header, "{" + EXP + "}", rsa().getPrivate(), signature));
  }

  @Test
  void anEcKeyVerifiesEcdsa() throws GeneralSecurityException {
    accepted(
        ofEc(),
        signed(
            "{\"alg\":\"ES256\"}",
            "{" + EXP + "}",
            ec().getPrivate(),
            "SHA256withECDSAinP1363Format"));
  }

  @Test
  void aSignatureInDerIsNoJose() throws GeneralSecurityException {
    assertRefused(
        ofEc(),
        signed("{\"alg\":\"ES256\"}", "{" + EXP + "}", ec().getPrivate(), "SHA256withECDSA"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "none",
        "None",
        "NONE",
        "nOnE",
        "",
        " none",
        "HS256 ",
        "hs256",
        "HS1",
        "RS256",
        "ES256",
        "PS256",
        "EdDSA",
        "HS256\\u0000",
        "dir",
        "A128KW"
      })
  void anotherAlgorithmIsRefusedSignedOrNot(String algorithm) {
    String header = "{\"alg\":\"" + algorithm + "\"}";
    String payload = "{" + EXP + ",\"sub\":\"mallory\"}";
    String unsigned = base64(header) + "." + base64(payload) + ".";

    for (TokenVerifier verifier : List.of(ofSecret(), ofRsa(), ofEc())) {
      assertRefused(verifier, unsigned);
      assertRefused(verifier, unsigned + "AAAA");
      assertRefused(verifier, signed(header, payload, SECRET_BYTES));
      assertRefused(verifier, signed(header, payload, new byte[1]));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"alg\":null}",
        "{\"alg\":256}",
        "{\"alg\":[\"HS256\"]}",
        "{\"alg\":{\"HS256\":1}}",
        "{\"alg\":true}",
        "{\"ALG\":\"HS256\"}",
        "[]",
        "null",
        "\"HS256\"",
        "",
        "{",
        "{\"alg\":\"HS256\"",
      })
  void aHeaderWithoutAnAlgorithmInItIsRefused(String header) {
    assertRefused(ofSecret(), signed(header, "{" + EXP + "}", SECRET_BYTES));
  }

  @Test
  void aPublicKeyIsNoSecret() {
    String header = "{\"alg\":\"HS256\"}";
    String payload = "{" + EXP + ",\"sub\":\"mallory\"}";
    for (KeyPair pair : List.of(rsa(), ec())) {
      String pem = KeysTest.pem(pair.getPublic());
      List<byte[]> secrets = new ArrayList<>();
      secrets.add(pair.getPublic().getEncoded());
      for (String form :
          List.of(pem, pem.strip(), pem.replace("\n", "\r\n"), pem.replace("\n", ""))) {
        secrets.add(form.getBytes(UTF_8));
      }
      for (byte[] secret : secrets) {
        String token = signed(header, payload, secret);
        assertRefused(ofRsa(), token, "algorithm");
        assertRefused(ofEc(), token, "algorithm");
        List<Algorithm> both = new ArrayList<>(Keys.ofSecret(SECRET));
        both.addAll(Keys.ofPublicKey(pem));
        assertRefused(verifier(both, Duration.ZERO), token, "signature");
      }
    }
  }

  @Test
  void aSecretAndAPublicKeyEachVerifyTheirOwn() throws GeneralSecurityException {
    List<Algorithm> both = new ArrayList<>(Keys.ofSecret(SECRET));
    both.addAll(Keys.ofPublicKey(KeysTest.pem(rsa().getPublic())));
    TokenVerifier verifier = verifier(both, Duration.ZERO);

    accepted(verifier, signed("{" + EXP + "}"));
    accepted(
        verifier,
        signed("{\"alg\":\"RS256\"}", "{" + EXP + "}", rsa().getPrivate(), "SHA256withRSA"));
  }

  @Test
  void aTokenOfAnotherKeyIsRefused() throws GeneralSecurityException {
    assertRefused(
        ofSecret(),
        signed(HS256, "{" + EXP + "}", SECRET.replace('a', 'b').getBytes(UTF_8)),
        "signature");
    assertRefused(
        ofRsa(),
        signed(
            "{\"alg\":\"RS256\"}",
            "{" + EXP + "}",
            KeysTest.rsa(2048).getPrivate(),
            "SHA256withRSA"),
        "signature");
  }

  @Test
  void whateverIsChangedInATokenItIsRefused() {
    String token = signed("{" + EXP + ",\"sub\":\"alice\"}");
    TokenVerifier verifier = ofSecret();
    accepted(verifier, token);

    String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // The last character of the signature holds two bits that mean nothing: it is not changed here.
    for (int i = 0; i < token.length() - 1; i++) {
      char c = token.charAt(i);
      char other = c == '.' ? '-' : alphabet.charAt((alphabet.indexOf(c) + 32) % alphabet.length());
      assertRefused(verifier, token.substring(0, i) + other + token.substring(i + 1));
      assertRefused(verifier, token.substring(0, i) + token.substring(i + 1));
      assertRefused(verifier, token.substring(0, i));
    }
  }

  @Test
  void aPsychicSignatureIsRefused() {
    String text = base64("{\"alg\":\"ES256\"}") + "." + base64("{" + EXP + ",\"sub\":\"mallory\"}");
    byte[] order =
        new java.math.BigInteger(
                "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
            .toByteArray();
    byte[] n = Arrays.copyOfRange(order, order.length - 32, order.length);
    byte[] zero = new byte[32];
    byte[] one = new byte[32];
    one[31] = 1;
    for (byte[] r : List.of(zero, one, n)) {
      for (byte[] s : List.of(zero, n)) {
        ByteArrayOutputStream both = new ByteArrayOutputStream();
        both.writeBytes(r);
        both.writeBytes(s);
        assertRefused(ofEc(), text + "." + base64(both.toByteArray()), "signature");
      }
    }
    for (int length : new int[] {0, 1, 8, 63, 65, 96, 128, 132}) {
      assertRefused(ofEc(), text + "." + base64(new byte[length]));
    }
    assertRefused(ofEc(), text + "." + base64(new byte[] {0x30, 6, 2, 1, 0, 2, 1, 0}));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"}",
        "\"jku\":\"http://127.0.0.1:1/keys\"",
        "\"x5u\":\"http://127.0.0.1:1/cert\"",
        "\"x5c\":[\"AAAA\"]",
        "\"kid\":\"../../../../dev/null\"",
        "\"kid\":\"' OR 1=1 --\"",
        "\"kid\":\"http://127.0.0.1:1/keys\"",
        "\"zip\":\"DEF\"",
      })
  void aHeaderCannotBringItsOwnKey(String member) {
    String header = "{\"alg\":\"HS256\"," + member + "}";

    assertRefused(ofSecret(), signed(header, "{" + EXP + "}", new byte[3]), "signature");
    assertRefused(ofSecret(), signed(header, "{" + EXP + "}", new byte[1]), "signature");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "7",
        "true",
        "null",
        "{}",
        "[\"a\"]",
        "\"\"",
        "\"a\\r\\nb\"",
        "\"a\\u0000\"",
        "\"\u00e9\""
      })
  void aKeysNameIsShortTextInAscii(String kid) {
    String header = "{\"alg\":\"HS256\",\"kid\":" + kid + "}";

    assertRefused(ofSecret(), signed(header, "{" + EXP + "}", SECRET_BYTES), "kid");
  }

  @Test
  void aKeysNameHasALimit() {
    for (int length : new int[] {1, 256}) {
      String header = "{\"alg\":\"HS256\",\"kid\":\"" + "k".repeat(length) + "\"}";
      accepted(ofSecret(), signed(header, "{" + EXP + "}", SECRET_BYTES));
    }
    String header = "{\"alg\":\"HS256\",\"kid\":\"" + "k".repeat(257) + "\"}";
    assertRefused(ofSecret(), signed(header, "{" + EXP + "}", SECRET_BYTES), "kid");
  }

  /** Decoders overlook all of these, so that one token would have many spellings. */
  @Test
  void aTokenHasOneSpelling() {
    String token = signed("{" + EXP + "}");
    accepted(ofSecret(), token);
    char last = token.charAt(token.length() - 1);
    for (char c :
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".toCharArray()) {
      if (c != last) {
        assertRefused(ofSecret(), token.substring(0, token.length() - 1) + c);
      }
    }
    for (String other : List.of(token + "=", token + " ", token + "\n", token + ".", "." + token)) {
      assertRefused(ofSecret(), other, "malformed");
    }
    assertRefused(ofSecret(), token.replace('.', ' '), "malformed");
  }

  @Test
  void anEmbeddedPublicKeyIsNotUsed() throws GeneralSecurityException {
    KeyPair mine = KeysTest.rsa(2048);
    java.security.interfaces.RSAPublicKey key =
        (java.security.interfaces.RSAPublicKey) mine.getPublic();
    String header =
        "{\"alg\":\"RS256\",\"jwk\":{\"kty\":\"RSA\",\"n\":\""
            + base64(key.getModulus().toByteArray())
            + "\",\"e\":\""
            + base64(key.getPublicExponent().toByteArray())
            + "\"}}";

    assertRefused(
        ofRsa(), signed(header, "{" + EXP + "}", mine.getPrivate(), "SHA256withRSA"), "signature");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}",
        "{\"alg\":\"HS256\",\"crit\":[\"http://example.org/x\"],\"http://example.org/x\":1}",
        "{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}",
        "{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":true}",
        "{\"alg\":\"HS256\",\"crit\":[]}",
        "{\"alg\":\"HS256\",\"crit\":null}",
        "{\"alg\":\"HS256\",\"crit\":\"x\"}",
        "{\"alg\":\"HS256\",\"b64\":false}",
      })
  void anExtensionThatMustBeUnderstoodIsNot(String header) {
    // RFC 7515 section 4.1.11, RFC 7797 section 7, RFC 7519 section 7.2
    assertRefused(ofSecret(), signed(header, "{" + EXP + "}", SECRET_BYTES), "critical");
  }

  // The form of a token.

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ".",
        "..",
        "...",
        "....",
        "a",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "a.b.c.d.e",
        "null",
        "Bearer x",
        "!!!.???.***",
        "e30.e30.",
        "e30.e30.e30",
        "bnVsbA.bnVsbA.bnVsbA",
        "\u00e9.\u00e9.\u00e9",
        "eyJhbGciOiJIUzI1NiJ9..",
        "eyJhbGciOiJIUzI1NiJ9.bnVsbA.",
        " . . ",
        "\n.\n.\n",
      })
  void whatIsNoTokenIsRefusedWithoutAnException(String token) {
    assertRefused(ofSecret(), token);
    assertRefused(ofRsa(), token);
    assertRefused(ofEc(), token);
  }

  @Test
  void anEncryptedTokenIsRefused() {
    String header = base64("{\"alg\":\"dir\",\"enc\":\"A128GCM\",\"cty\":\"JWT\"}");
    String inner = base64(base64("{\"alg\":\"none\"}") + "." + base64("{" + EXP + "}") + ".");

    assertRefused(ofSecret(), header + ".." + base64("iv") + "." + inner + "." + base64("tag"));
    assertRefused(ofSecret(), signed("{" + EXP + "}") + "." + base64("a") + "." + base64("b"));
    assertRefused(ofSecret(), signed("{" + EXP + "}") + ".");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "[]",
        "\"\"",
        "1",
        "true",
        "{",
        "{]",
        "{\"exp\"}",
        "{exp:1}",
        "\u0000"
      })
  void aPayloadThatIsNoObjectIsRefused(String payload) {
    assertRefused(ofSecret(), signed(payload));
  }

  @Test
  void aLongTokenIsRefusedUnread() {
    String payload = "{" + EXP + ",\"x\":\"" + "a".repeat(6000) + "\"}";
    String fits = signed(payload);
    accepted(ofSecret(), fits);
    assertThat(fits.length()).isBetween(8000, 8192);

    assertRefused(
        ofSecret(), signed("{" + EXP + ",\"x\":\"" + "a".repeat(6800) + "\"}"), "too_long");
    assertRefused(ofSecret(), "a".repeat(8193), "too_long");
    assertRefused(ofSecret(), ".".repeat(9 * 1024), "too_long");
    assertRefused(ofSecret(), ".".repeat(8192));
  }

  @ParameterizedTest
  @ValueSource(strings = {"[", "{\"a\":"})
  void deepNestingIsRefusedWithoutAnError(String opening) {
    String closing = opening.startsWith("[") ? "]" : "}";
    int depth = 5800 / (opening.length() + 1);
    String deep = opening.repeat(depth) + "1" + closing.repeat(depth);

    for (String header : List.of(HS256, "{\"alg\":\"HS256\",\"x\":" + opening.repeat(900) + "}")) {
      assertThat(
              ofSecret().verify(signed(header, "{" + EXP + ",\"x\":" + deep + "}", SECRET_BYTES)))
          .isNotNull();
    }
    assertRefused(ofSecret(), signed("[".repeat(5900)));
    assertRefused(ofSecret(), signed("{\"alg\":" + "[".repeat(5900), "{}", SECRET_BYTES));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"exp\":1,\"exp\":1800000060",
        "\"exp\":1800000060,\"exp\":1",
        "\"sub\":\"alice\",\"exp\":1800000060,\"sub\":\"mallory\"",
      })
  void ofDuplicateClaimsNoneOrTheLastCounts(String claims) {
    // RFC 7519 section 4
    TokenVerifier.Verdict verdict = ofSecret().verify(signed("{" + claims + "}"));

    if (verdict instanceof TokenVerifier.Verdict.Accepted accepted) {
      assertThat(claims).doesNotEndWith("\"exp\":1");
      assertThat(accepted.caller().subject()).isIn(null, "mallory");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"exp\":1,\"exp\":1800000060}",
        "{\"exp\":1800000060,\"sub\":\"alice\",\"sub\":\"mallory\"}",
        "{\"exp\":1800000060,\"scope\":\"a\",\"scope\":\"gateway:admin\"}",
      })
  void aTokenWithDuplicateClaimsIsRefused(String payload) {
    // Who reads the same token behind the gateway may take the other one.
    assertRefused(ofSecret(), signed(payload), "malformed");
  }

  @Test
  void whateverIsSentNothingIsThrown() {
    Random random = new Random(7);
    TokenVerifier verifier = ofSecret();
    String good = signed("{" + EXP + ",\"sub\":\"alice\",\"scope\":\"a b\",\"aud\":[\"x\"]}");
    for (int i = 0; i < 2_000; i++) {
      StringBuilder token = new StringBuilder(good);
      for (int j = random.nextInt(4); j >= 0; j--) {
        token.setCharAt(random.nextInt(token.length()), (char) random.nextInt(0x180));
      }
      assertThat(verifier.verify(token.toString())).isNotNull();
    }
    for (int i = 0; i < 2_000; i++) {
      byte[] payload =
          ("{" + EXP + ",\"sub\":\"alice\",\"scp\":[\"a\"],\"nbf\":1}").getBytes(UTF_8);
      for (int j = random.nextInt(3); j >= 0; j--) {
        payload[random.nextInt(payload.length)] = (byte) random.nextInt(256);
      }
      String text = base64(HS256) + "." + base64(payload);
      String token = text + "." + base64(hmac("HmacSHA256", SECRET_BYTES, text));
      assertThat(verifier.verify(token)).isNotNull();
    }
  }

  // Times.

  @ParameterizedTest
  @CsvSource({
    "60, 0, true",
    "1, 0, true",
    "-1, 0, false",
    "-3600, 0, false",
    "1, 30, true",
    "-1, 30, true",
    "-29, 30, true",
    "-31, 30, false",
    "-60, 30, false",
  })
  void aTokenExpires(long secondsLeft, long leeway, boolean valid) {
    TokenVerifier verifier = verifier(Keys.ofSecret(SECRET), Duration.ofSeconds(leeway));
    String token = signed("{\"exp\":" + (NOW + secondsLeft) + "}");

    if (valid) {
      accepted(verifier, token);
    } else {
      assertRefused(verifier, token, "expired");
    }
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "-30, 30", "-1, 1"})
  void aTokenIsNotAcceptedOnItsExpirationTime(long secondsLeft, long leeway) {
    // RFC 7519 section 4.1.4: "on or after which the JWT MUST NOT be accepted"
    TokenVerifier verifier = verifier(Keys.ofSecret(SECRET), Duration.ofSeconds(leeway));

    assertRefused(verifier, signed("{\"exp\":" + (NOW + secondsLeft) + "}"), "expired");
  }

  @Test
  void aTokenDoesNotLiveOnUntilTheSecondIsFull() {
    Clock clock = Clock.fixed(Instant.ofEpochSecond(NOW, 999_000_000), ZoneOffset.UTC);
    TokenVerifier verifier = verifier(Keys.ofSecret(SECRET), null, null, Duration.ZERO, clock);

    assertRefused(verifier, signed("{\"exp\":" + NOW + "}"), "expired");
    accepted(verifier, signed("{\"exp\":" + (NOW + 1) + "}"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"sub\":\"alice\"}",
        "{\"exp\":null}",
        "{\"exp\":\"1800000060\"}",
        "{\"exp\":\"2030-01-01T00:00:00Z\"}",
        "{\"exp\":\"\"}",
        "{\"exp\":0}",
        "{\"exp\":-1}",
        "{\"exp\":-1800000060}",
        "{\"exp\":true}",
        "{\"exp\":[1800000060]}",
        "{\"exp\":{\"value\":1800000060}}",
        "{\"exp\":1e400}",
        "{\"exp\":1e999999999}",
        "{\"exp\":99999999999999999999999999}",
        "{\"exp\":9223372036854775807}",
        "{\"exp\":-9223372036854775808}",
        "{\"exp\":NaN}",
        "{\"exp\":Infinity}",
        "{\"EXP\":1800000060}",
        "{\"exp \":1800000060}",
      })
  void aTokenWithoutAUsableExpirationTimeIsRefused(String payload) {
    assertRefused(ofSecret(), signed(payload));
  }

  @Test
  void theReasonTellsThatTheExpirationTimeIsMissing() {
    assertRefused(ofSecret(), signed("{\"sub\":\"alice\"}"), "exp_missing");
    assertRefused(ofSecret(), signed("{\"exp\":null}"), "exp_missing");
  }

  @ParameterizedTest
  @CsvSource({
    "1800000060.5, true",
    "1.80000006e9, true",
    "1800000060.0, true",
    "4102444800, true",
    "1799999000.5, false",
    "1.7e9, false",
  })
  void anExpirationTimeMayBeAnyNumber(String exp, boolean valid) {
    // RFC 7519 section 2, NumericDate: non-integer values can be represented
    TokenVerifier.Verdict verdict = ofSecret().verify(signed("{\"exp\":" + exp + "}"));

    assertThat(verdict instanceof TokenVerifier.Verdict.Accepted).isEqualTo(valid);
  }

  @ParameterizedTest
  @CsvSource({
    "nbf, -60, true",
    "nbf, 0, true",
    "nbf, 29, true",
    "nbf, 30, true",
    "nbf, 31, false",
    "nbf, 3600, false",
    "iat, -3600, true",
    "iat, 0, true",
    "iat, 30, true",
    "iat, 31, false",
    "iat, 3600, false",
  })
  void aTokenIsNotValidBeforeItsTime(String claim, long secondsAhead, boolean valid) {
    String token = signed("{" + EXP + ",\"" + claim + "\":" + (NOW + secondsAhead) + "}");

    if (valid) {
      accepted(ofSecret(), token);
    } else {
      assertRefused(ofSecret(), token, claim);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"nbf\":\"1\"",
        "\"nbf\":true",
        "\"nbf\":[1]",
        "\"nbf\":1e400",
        "\"nbf\":9223372036854775807",
        "\"iat\":\"1\"",
        "\"iat\":{}",
        "\"iat\":1e999999999",
      })
  void aTimeThatIsNoneIsRefused(String claim) {
    assertRefused(ofSecret(), signed("{" + EXP + "," + claim + "}"));
  }

  // Issuer and audience.

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"iss\":\"https://idp.example\"|true",
        "\"iss\":\"https://idp.example/\"|false",
        "\"iss\":\"https://IDP.example\"|false",
        "\"iss\":\" https://idp.example\"|false",
        "\"iss\":\"https://evil.example\"|false",
        "\"iss\":\"\"|false",
        "\"iss\":null|false",
        "\"iss\":7|false",
        "\"iss\":[\"https://idp.example\"]|false",
        "\"iss\":[\"https://evil.example\",\"https://idp.example\"]|false",
        "\"iss\":{\"https://idp.example\":1}|false",
        "\"ISS\":\"https://idp.example\"|false",
        "\"x\":1|false",
      })
  void theIssuerIsTheConfiguredOne(String claim, boolean valid) {
    TokenVerifier.Verdict verdict =
        of("https://idp.example", null).verify(signed("{" + EXP + "," + claim + "}"));

    assertThat(verdict instanceof TokenVerifier.Verdict.Accepted)
        .as("%s", verdict)
        .isEqualTo(valid);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"aud\":\"gatehouse\"|true",
        "\"aud\":[\"gatehouse\"]|true",
        "\"aud\":[\"other\",\"gatehouse\"]|true",
        "\"aud\":\"Gatehouse\"|false",
        "\"aud\":\"gatehouse2\"|false",
        "\"aud\":\"other gatehouse\"|false",
        "\"aud\":[\"other\"]|false",
        "\"aud\":[[\"gatehouse\"]]|false",
        "\"aud\":[]|false",
        "\"aud\":\"\"|false",
        "\"aud\":null|false",
        "\"aud\":[null]|false",
        "\"aud\":7|false",
        "\"aud\":{\"gatehouse\":1}|false",
        "\"x\":1|false",
      })
  void theAudienceHoldsTheConfiguredOne(String claim, boolean valid) {
    TokenVerifier.Verdict verdict =
        of(null, "gatehouse").verify(signed("{" + EXP + "," + claim + "}"));

    assertThat(verdict instanceof TokenVerifier.Verdict.Accepted)
        .as("%s", verdict)
        .isEqualTo(valid);
  }

  @Test
  void issuerAndAudienceAreNotLookedAtUnlessConfigured() {
    accepted(ofSecret(), signed("{" + EXP + ",\"iss\":\"x\",\"aud\":[\"y\"]}"));
  }

  @Test
  void theReasonNamesTheClaim() {
    assertRefused(of("i", null), signed("{" + EXP + ",\"iss\":\"x\"}"), "iss");
    assertRefused(of(null, "a"), signed("{" + EXP + ",\"aud\":\"x\"}"), "aud");
  }

  // Who is calling.

  @ParameterizedTest
  @ValueSource(strings = {"alice", "auth0|5f7c", "a b", "alice@example.org", "%41", "?"})
  void theSubjectIsTheCaller(String subject) {
    String token = signed("{" + EXP + ",\"sub\":\"" + subject + "\"}");

    assertThat(accepted(ofSecret(), token).subject()).isEqualTo(subject);
  }

  @Test
  void aSubjectMayBeNonAscii() {
    assertThat(
            accepted(ofSecret(), signed("{" + EXP + ",\"sub\":\"J\u00fcrgen \u20ac\"}")).subject())
        .isEqualTo("J\u00fcrgen \u20ac");
  }

  @Test
  void withoutASubjectThereIsNone() {
    assertThat(accepted(ofSecret(), signed("{" + EXP + "}")).subject()).isNull();
    assertThat(accepted(ofSecret(), signed("{" + EXP + ",\"sub\":\"\"}")).subject()).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a\\u0000b",
        "\\u0000",
        "a\\nb",
        "a\\rb",
        "a\\r\\nX-User-Id: root",
        "\\t",
        "a\\u001bb",
        "a\\u007f",
        "a\\u0085b",
        "\\u009b"
      })
  void aSubjectWithControlCharactersIsRefused(String subject) {
    assertRefused(
        ofSecret(), signed("{" + EXP + ",\"sub\":\"" + subject + "\"}"), "control_character");
  }

  @Test
  void aSubjectOfNullIsRefused() {
    assertRefused(ofSecret(), signed("{" + EXP + ",\"sub\":null}"), "sub");
  }

  @ParameterizedTest
  @ValueSource(strings = {"7", "1.5", "true", "{}", "[]", "[\"alice\"]", "{\"a\":1}"})
  void aSubjectThatIsNoTextIsRefused(String subject) {
    assertRefused(ofSecret(), signed("{" + EXP + ",\"sub\":" + subject + "}"), "sub");
  }

  @ParameterizedTest
  @ValueSource(strings = {"\\ud800", "a\\udc00b", "\\udc00\\ud800"})
  void aSubjectThatIsNoUnicodeIsRefused(String subject) {
    // It has no UTF-8, so a service would be told of a user called "?".
    assertRefused(ofSecret(), signed("{" + EXP + ",\"sub\":\"" + subject + "\"}"), "sub");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"scope\":\"a\"|a",
        "\"scope\":\"a b gateway:admin\"|a,b,gateway:admin",
        "\"scope\":\" a  b \"|a,b",
        "\"scope\":\"\"|''",
        "\"scp\":[\"a\",\"b\"]|a,b",
        "\"scp\":[]|''",
        "\"scp\":null|''",
        "\"x\":1|''",
        "\"scope\":null,\"scp\":[\"a\"]|a",
        "\"scope\":\"a\",\"scp\":[\"gateway:admin\"]|a",
        "\"Scope\":\"gateway:admin\"|''",
        "\"roles\":[\"gateway:admin\"]|''",
      })
  void theScopesAreTheTokensInItsOrder(String claim, String scopes) {
    Caller caller = accepted(ofSecret(), signed("{" + EXP + "," + claim + "}"));

    assertThat(String.join(",", caller.scopes())).isEqualTo(scopes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"\"scope\":\"a\\nb\"", "\"scope\":\"a\\tb\"", "\"scp\":[\"a\\u0000\"]"})
  void aScopeWithControlCharactersIsRefused(String claim) {
    assertRefused(ofSecret(), signed("{" + EXP + "," + claim + "}"), "control_character");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"scope\":7",
        "\"scope\":true",
        "\"scope\":{\"gateway:admin\":true}",
        "\"scp\":{\"gateway:admin\":true}",
        "\"scp\":[[\"gateway:admin\"]]",
        "\"scp\":[{\"a\":\"gateway:admin\"}]",
      })
  void scopesOfAnotherFormGrantNothing(String claim) {
    TokenVerifier.Verdict verdict = ofSecret().verify(signed("{" + EXP + "," + claim + "}"));

    if (verdict instanceof TokenVerifier.Verdict.Accepted accepted) {
      assertThat(accepted.caller().scopes()).isEmpty();
    }
  }

  @Test
  void anElementOfScpIsOneScope() {
    // A service that splits X-User-Scopes at blanks would find a scope that the gateway does not.
    TokenVerifier.Verdict verdict =
        ofSecret().verify(signed("{" + EXP + ",\"scp\":[\"a gateway:admin\"]}"));

    assertThat(verdict).isEqualTo(new TokenVerifier.Verdict.Refused("scope"));
  }
}
