package dev.gatehouse.auth;

import java.math.BigInteger;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.spec.ECFieldFp;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.util.Arrays;

/**
 * Just enough arithmetic to find the public key under which a signature with chosen numbers is a
 * good one: no private key yields such a signature but by chance.
 */
record Curve(String algorithm, String hash, ECParameterSpec parameters) {

  static Curve of(String algorithm) {
    String size = algorithm.substring(2);
    String name =
        switch (algorithm) {
          case "ES256" -> "secp256r1";
          case "ES384" -> "secp384r1";
          case "ES512" -> "secp521r1";
          default -> throw new IllegalArgumentException(algorithm);
        };
    try {
      AlgorithmParameters named = AlgorithmParameters.getInstance("EC");
      named.init(new ECGenParameterSpec(name));
      return new Curve(algorithm, "SHA-" + size, named.getParameterSpec(ECParameterSpec.class));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The order of the curve. */
  BigInteger n() {
    return parameters.getOrder();
  }

  /** The prime of the curve's field. */
  BigInteger p() {
    return ((ECFieldFp) parameters.getCurve().getField()).getP();
  }

  /** The length of each of the two numbers of a signature. */
  int bytes() {
    return (n().bitLength() + 7) / 8;
  }

  /** Both numbers, each in as many bytes as the curve takes. */
  byte[] signature(BigInteger r, BigInteger s) {
    byte[] signature = new byte[2 * bytes()];
    put(r, signature, 0);
    put(s, signature, bytes());
    return signature;
  }

  private void put(BigInteger number, byte[] to, int offset) {
    byte[] signed = number.toByteArray();
    byte[] magnitude =
        signed[0] == 0 ? Arrays.copyOfRange(signed, 1, signed.length) : signed.clone();
    if (number.signum() < 0 || magnitude.length > bytes()) {
      throw new IllegalArgumentException(number + " does not fit");
    }
    System.arraycopy(magnitude, 0, to, offset + bytes() - magnitude.length, magnitude.length);
  }

  /** The least point of the curve whose x is at least this. */
  ECPoint pointFrom(BigInteger least) {
    for (BigInteger x = least; x.compareTo(p()) < 0; x = x.add(BigInteger.ONE)) {
      BigInteger square =
          x.pow(3)
              .add(parameters.getCurve().getA().multiply(x))
              .add(parameters.getCurve().getB())
              .mod(p());
      // The primes of all three curves are 3 modulo 4.
      BigInteger y = square.modPow(p().add(BigInteger.ONE).shiftRight(2), p());
      if (y.multiply(y).mod(p()).equals(square)) {
        return new ECPoint(x, y);
      }
    }
    throw new IllegalArgumentException("no point from " + least);
  }

  ECPoint generator() {
    return parameters.getGenerator();
  }

  /** The key under which (x of the point modulo n, s) signs these bytes. */
  PublicKey keyFor(ECPoint point, BigInteger s, byte[] signed) throws GeneralSecurityException {
    BigInteger inverse = point.getAffineX().mod(n()).modInverse(n());
    // No hash is longer than its curve's order.
    BigInteger e = new BigInteger(1, MessageDigest.getInstance(hash).digest(signed));
    ECPoint key =
        add(
            times(s.multiply(inverse).mod(n()), point),
            times(e.negate().multiply(inverse).mod(n()), generator()));
    return KeyFactory.getInstance("EC").generatePublic(new ECPublicKeySpec(key, parameters));
  }

  private ECPoint times(BigInteger factor, ECPoint point) {
    ECPoint sum = ECPoint.POINT_INFINITY;
    for (int bit = factor.bitLength() - 1; bit >= 0; bit--) {
      sum = add(sum, sum);
      if (factor.testBit(bit)) {
        sum = add(sum, point);
      }
    }
    return sum;
  }

  private ECPoint add(ECPoint one, ECPoint other) {
    if (one.equals(ECPoint.POINT_INFINITY)) {
      return other;
    } else if (other.equals(ECPoint.POINT_INFINITY)) {
      return one;
    }
    BigInteger x1 = one.getAffineX();
    BigInteger y1 = one.getAffineY();
    BigInteger x2 = other.getAffineX();
    BigInteger y2 = other.getAffineY();
    BigInteger slope;
    if (!x1.equals(x2)) {
      slope = y2.subtract(y1).multiply(x2.subtract(x1).modInverse(p()));
    } else if (y1.equals(y2)) {
      slope =
          BigInteger.valueOf(3)
              .multiply(x1.pow(2))
              .add(parameters.getCurve().getA())
              .multiply(y1.shiftLeft(1).modInverse(p()));
    } else {
      return ECPoint.POINT_INFINITY;
    }
    BigInteger x = slope.pow(2).subtract(x1).subtract(x2).mod(p());
    return new ECPoint(x, slope.multiply(x1.subtract(x)).subtract(y1).mod(p()));
  }
}
