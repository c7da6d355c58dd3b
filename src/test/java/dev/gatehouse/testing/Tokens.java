package dev.gatehouse.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.Key;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** The keys of this run, and the tokens good and bad that are made with them. */
public final class Tokens {
  /** The key that a gateway trusts, and the algorithm of its tokens. */
  public enum Trust {
    /** {@code jwt.secret}. */
    HS256,
    /** {@code jwt.publicKey} with an RSA key. */
    RS256,
    /** {@code jwt.publicKey} with a P-256 key. */
    ES256
  }

  /** The issuer that good tokens name. */
  public static final String ISSUER = "https://id.example";

  /** The audience that good tokens name. */
  public static final String AUDIENCE = "gatehouse";

  private static final String SECRET = randomSecret();
  private static final KeyPair RSA = newRsa();
  private static final KeyPair EC = newEc();
  private static final KeyPair STRANGER_RSA = newRsa();
  private static final KeyPair STRANGER_EC = newEc();

  private Tokens() {}

  /** The text of {@code jwt.secret}, which must not appear anywhere. */
  public static String secret() {
    return SECRET;
  }

  /** The settings that make a gateway trust a key. */
  public static Webapp trusting(Trust trust, Webapp webapp) {
    return switch (trust) {
      case HS256 -> webapp.setting("jwt.secret", SECRET);
      case RS256 -> webapp.setting("jwt.publicKey", pemFile(RSA.getPublic()).toString());
      case ES256 -> webapp.setting("jwt.publicKey", pemFile(EC.getPublic()).toString());
    };
  }

  /** Claims that are good in every respect; a test changes them. */
  public static Map<String, Object> claims() {
    Map<String, Object> claims = new LinkedHashMap<>();
    claims.put("iss", ISSUER);
    claims.put("aud", AUDIENCE);
    claims.put("sub", "demo");
    claims.put("scope", "orders:read orders:write");
    claims.put("exp", inSeconds(3_600));
    return claims;
  }

  /** Good claims but for one. */
  public static Map<String, Object> claims(String name, Object value) {
    Map<String, Object> claims = claims();
    claims.put(name, value);
    return claims;
  }

  /** A time for {@code exp}, {@code nbf} and {@code iat}. */
  public static long inSeconds(long seconds) {
    return Instant.now().getEpochSecond() + seconds;
  }

  /** A good token. */
  public static String good(Trust trust) {
    return signed(trust, claims());
  }

  /** A good token that may see metrics. */
  public static String admin(Trust trust) {
    return signed(trust, claims("scope", "gateway:admin"));
  }

  /** A token with these claims and a true signature. */
  public static String signed(Trust trust, Map<String, ?> claims) {
    return switch (trust) {
      case HS256 -> hmac("HS256", "HmacSHA256", SECRET.getBytes(UTF_8), claims);
      case RS256 -> rsa(RSA.getPrivate(), "RS256", Map.of(), claims);
      case ES256 -> ec(EC.getPrivate(), claims);
    };
  }

  /** Tokens that a gateway with this trust must refuse, by what is wrong with each. */
  public static Map<String, String> bad(Trust trust) {
    Map<String, String> bad = new LinkedHashMap<>();
    String good = good(trust);
    String[] part = good.split("\\.", -1);
    String admin = base64(Json.write(claims("scope", "gateway:admin")));

    bad.put("its claims were changed", part[0] + "." + admin + "." + part[2]);
    bad.put("its signature was changed", part[0] + "." + part[1] + "." + flipped(part[2]));
    bad.put("it has no signature", part[0] + "." + part[1] + ".");
    bad.put("it has two parts", part[0] + "." + part[1]);
    bad.put("it has five parts", good + ".YQ.YQ");
    bad.put("it is no token", "not-a-token");
    bad.put("it is dots", "..");

    for (String none : new String[] {"none", "None", "NONE", "nOnE"}) {
      String head = base64("{\"alg\":\"" + none + "\",\"typ\":\"JWT\"}");
      bad.put("alg " + none + ", unsigned", head + "." + part[1] + ".");
      bad.put("alg " + none + ", with a signature", head + "." + part[1] + "." + part[2]);
    }

    bad.put("it is expired", signed(trust, claims("exp", inSeconds(-3_600))));
    bad.put("it expired beyond the leeway", signed(trust, claims("exp", inSeconds(-45))));
    bad.put("it is not valid yet", signed(trust, claims("nbf", inSeconds(3_600))));
    bad.put("it was issued in the future", signed(trust, claims("iat", inSeconds(3_600))));
    Map<String, Object> withoutExp = claims();
    withoutExp.remove("exp");
    bad.put("it has no exp", signed(trust, withoutExp));
    bad.put("its exp is null", signed(trust, claims("exp", null)));
    bad.put("its exp is text", signed(trust, claims("exp", "tomorrow")));
    bad.put("its sub holds a line break", signed(trust, claims("sub", "a\r\nX-Evil: 1")));
    bad.put("its sub holds a NUL", signed(trust, claims("sub", "a\0b")));

    bad.put("a stranger signed it", byStranger(trust));
    bad.put("the key in its header signed it", byKeyInHeader());
    if (trust != Trust.HS256) {
      PublicKey key = trust == Trust.RS256 ? RSA.getPublic() : EC.getPublic();
      String pem = pem(key);
      bad.put("HS256 with the PEM", hmacWith(pem.getBytes(UTF_8)));
      bad.put("HS256 with the PEM, stripped", hmacWith(pem.strip().getBytes(UTF_8)));
      bad.put("HS256 with the DER", hmacWith(key.getEncoded()));
    } else {
      bad.put("HS384 with a short secret", hmac("HS384", "HmacSHA384", secretBytes(), claims()));
      bad.put("HS512 with a short secret", hmac("HS512", "HmacSHA512", secretBytes(), claims()));
      bad.put("RS256 where a secret is due", rsa(RSA.getPrivate(), "RS256", Map.of(), claims()));
    }
    if (trust == Trust.ES256) {
      String zeros = Base64.getUrlEncoder().withoutPadding().encodeToString(new byte[64]);
      bad.put("its signature is all zeros", part[0] + "." + part[1] + "." + zeros);
      bad.put("another issuer", signed(trust, claims("iss", "https://other.example")));
      bad.put("another audience", signed(trust, claims("aud", "billing")));
    }
    return bad;
  }

  /** A token signed with any RSA key. */
  public static String rs256(KeyPair pair, Map<String, ?> header, Map<String, ?> claims) {
    return rsa(pair.getPrivate(), "RS256", header, claims);
  }

  /** A token with any bytes as secret. */
  public static String hs256(byte[] secret, Map<String, ?> claims) {
    return hmac("HS256", "HmacSHA256", secret, claims);
  }

  private static String byStranger(Trust trust) {
    return switch (trust) {
      case HS256 -> hmacWith(randomSecret().getBytes(UTF_8));
      case RS256 -> rsa(STRANGER_RSA.getPrivate(), "RS256", Map.of(), claims());
      case ES256 -> ec(STRANGER_EC.getPrivate(), claims());
    };
  }

  private static String byKeyInHeader() {
    RSAPublicKey key = (RSAPublicKey) STRANGER_RSA.getPublic();
    Map<String, String> jwk =
        Map.of("kty", "RSA", "n", base64(key.getModulus()), "e", base64(key.getPublicExponent()));
    return rsa(STRANGER_RSA.getPrivate(), "RS256", Map.of("jwk", jwk), claims());
  }

  private static String hmacWith(byte[] secret) {
    return hmac("HS256", "HmacSHA256", secret, claims());
  }

  private static String hmac(String alg, String mac, byte[] secret, Map<String, ?> claims) {
    try {
      Mac hmac = Mac.getInstance(mac);
      hmac.init(new SecretKeySpec(secret, mac));
      String text = unsigned(alg, Map.of(), claims);
      return text + "." + base64(hmac.doFinal(text.getBytes(UTF_8)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String rsa(
      PrivateKey key, String alg, Map<String, ?> header, Map<String, ?> claims) {
    String text = unsigned(alg, header, claims);
    return text + "." + base64(signature("SHA256withRSA", key, text));
  }

  private static String ec(PrivateKey key, Map<String, ?> claims) {
    String text = unsigned("ES256", Map.of(), claims);
    return text + "." + base64(signature("SHA256withECDSAinP1363Format", key, text));
  }

  private static byte[] signature(String algorithm, PrivateKey key, String text) {
    try {
      Signature signature = Signature.getInstance(algorithm);
      signature.initSign(key);
      signature.update(text.getBytes(UTF_8));
      return signature.sign();
    } catch (InvalidKeyException e) {
      throw new IllegalArgumentException(e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String unsigned(String alg, Map<String, ?> header, Map<String, ?> claims) {
    Map<String, Object> whole = new LinkedHashMap<>();
    whole.put("alg", alg);
    whole.put("typ", "JWT");
    whole.putAll(header);
    return base64(Json.write(whole)) + "." + base64(Json.write(claims));
  }

  private static String flipped(String signature) {
    byte[] bytes = Base64.getUrlDecoder().decode(signature);
    bytes[bytes.length / 2] ^= 1;
    return base64(bytes);
  }

  private static byte[] secretBytes() {
    return SECRET.getBytes(UTF_8);
  }

  private static String base64(String text) {
    return base64(text.getBytes(UTF_8));
  }

  private static String base64(BigInteger number) {
    return base64(number.toByteArray());
  }

  private static String base64(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  private static Path pemFile(Key key) {
    try {
      Path file = Files.createTempFile("gatehouse-test-", ".pem");
      file.toFile().deleteOnExit();
      return Files.writeString(file, pem(key), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String pem(Key key) {
    String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key.getEncoded());
    return "-----BEGIN PUBLIC KEY-----\n" + text + "\n-----END PUBLIC KEY-----\n";
  }

  /** 32 ASCII characters: enough for HS256, too few for HS384 and HS512. */
  private static String randomSecret() {
    byte[] bytes = new byte[24];
    new SecureRandom().nextBytes(bytes);
    return base64(bytes);
  }

  static KeyPair newRsa() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(2048);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static KeyPair newEc() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"));
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
