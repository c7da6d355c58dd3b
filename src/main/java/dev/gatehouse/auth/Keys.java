package dev.gatehouse.auth;

import com.auth0.jwt.algorithms.Algorithm;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECFieldFp;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.EllipticCurve;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Turns what an admin wrote into the algorithms that a key allows: the key decides, no token does.
 */
final class Keys {

  private static final int LEAST_SECRET_BYTES = 32;
  private static final int LEAST_RSA_BITS = 2048;
  private static final Pattern PEM =
      Pattern.compile("-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\\s]+)-----END PUBLIC KEY-----");

  private Keys() {}

  /**
   * @param text UTF-8 text, or {@code base64:…}
   * @throws IllegalArgumentException if it is too short or no base64; the message says what was
   *     expected
   */
  static List<Algorithm> ofSecret(String text) {
    byte[] secret;
    if (text.startsWith("base64:")) {
      try {
        secret = Base64.getDecoder().decode(text.substring("base64:".length()).strip());
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException("valid base64 after base64:", e);
      }
    } else {
      secret = text.getBytes(StandardCharsets.UTF_8);
    }
    if (secret.length < LEAST_SECRET_BYTES) {
      throw new IllegalArgumentException(
          "at least " + LEAST_SECRET_BYTES + " bytes (it has " + secret.length + ")");
    }
    List<Algorithm> algorithms = new ArrayList<>();
    algorithms.add(Algorithm.HMAC256(secret));
    if (secret.length >= 48) {
      algorithms.add(Algorithm.HMAC384(secret));
    }
    if (secret.length >= 64) {
      algorithms.add(Algorithm.HMAC512(secret));
    }
    return algorithms;
  }

  /**
   * @param text a PEM, or the path of a PEM file
   * @throws IllegalArgumentException if it holds no such key; the message says what was expected
   */
  static List<Algorithm> ofPublicKey(String text) {
    String pem = text;
    if (!text.contains("-----BEGIN")) {
      try {
        pem = Files.readString(Path.of(text));
      } catch (IOException | RuntimeException e) {
        throw new IllegalArgumentException(
            "a PEM, or the path of a PEM file that can be read (" + e + ")", e);
      }
    }
    // In a properties file or a variable, line ends may have become two characters.
    Matcher body = PEM.matcher(pem.replace("\\n", "\n"));
    if (!body.find()) {
      throw new IllegalArgumentException("a PEM with one 'PUBLIC KEY' (X.509)");
    }
    String base64 = body.group(1);
    if (body.find()) {
      throw new IllegalArgumentException("a PEM with one 'PUBLIC KEY' (X.509), not several");
    }
    return ofPublicKey(decode(base64));
  }

  /**
   * The algorithms that a public key may verify, by its type and its curve.
   *
   * @throws IllegalArgumentException if it is too weak or of another type; the message says what
   *     was expected
   */
  static List<Algorithm> ofPublicKey(PublicKey key) {
    if (key instanceof RSAPublicKey rsa) {
      int bits = rsa.getModulus().bitLength();
      if (bits < LEAST_RSA_BITS) {
        throw new IllegalArgumentException(
            "an RSA key of at least " + LEAST_RSA_BITS + " bits (it has " + bits + ")");
      }
      // With an exponent of 1 every text would be its own signature.
      BigInteger exponent = rsa.getPublicExponent();
      if (exponent.compareTo(BigInteger.TWO) <= 0 || !exponent.testBit(0)) {
        throw new IllegalArgumentException("an RSA key with an odd exponent of at least 3");
      }
      return List.of(Algorithm.RSA256(rsa), Algorithm.RSA384(rsa), Algorithm.RSA512(rsa));
    }
    if (key instanceof ECPublicKey ec) {
      if (isOn("secp256r1", ec)) {
        return List.of(Algorithm.ECDSA256(ec));
      } else if (isOn("secp384r1", ec)) {
        return List.of(Algorithm.ECDSA384(ec));
      } else if (isOn("secp521r1", ec)) {
        return List.of(Algorithm.ECDSA512(ec));
      }
    }
    throw new IllegalArgumentException("an EC key on P-256, P-384 or P-521");
  }

  /** Whether a key is on a curve: others have the same size, such as secp256k1. */
  private static boolean isOn(String curve, ECPublicKey key) {
    ECParameterSpec expected = curve(curve);
    ECParameterSpec actual = key.getParams();
    return actual.getCurve().equals(expected.getCurve())
        && actual.getGenerator().equals(expected.getGenerator())
        && actual.getOrder().equals(expected.getOrder())
        && actual.getCofactor() == expected.getCofactor()
        && isOn(expected.getCurve(), key.getW());
  }

  /** Whether a point is one of a curve (SEC 1 section 3.2.2.1); no JDK looks when it reads one. */
  private static boolean isOn(EllipticCurve curve, ECPoint point) {
    BigInteger prime = ((ECFieldFp) curve.getField()).getP();
    BigInteger x = point.getAffineX();
    BigInteger y = point.getAffineY();
    if (x == null || y == null || x.compareTo(prime) >= 0 || y.compareTo(prime) >= 0) {
      return false;
    }
    BigInteger right = x.pow(3).add(curve.getA().multiply(x)).add(curve.getB());
    return y.multiply(y).subtract(right).mod(prime).signum() == 0;
  }

  /** A curve by the name that the JDK has for it. */
  static ECParameterSpec curve(String name) {
    try {
      AlgorithmParameters named = AlgorithmParameters.getInstance("EC");
      named.init(new ECGenParameterSpec(name));
      return named.getParameterSpec(ECParameterSpec.class);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK knows " + name, e);
    }
  }

  private static PublicKey decode(String base64) {
    byte[] encoded;
    try {
      encoded = Base64.getMimeDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("a PEM with valid base64", e);
    }
    for (String family : new String[] {"RSA", "EC"}) {
      try {
        return KeyFactory.getInstance(family).generatePublic(new X509EncodedKeySpec(encoded));
      } catch (GeneralSecurityException e) {
        // Not of this family: the next one may read it.
      }
    }
    throw new IllegalArgumentException("an RSA or EC public key");
  }
}
