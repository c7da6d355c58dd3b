package dev.gatehouse.auth;

import static org.assertj.core.api.Assertions.assertThat;

import com.auth0.jwt.algorithms.Algorithm;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.RSAPrivateKey;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a signature may be, with the keys as an admin writes them and the library that checks them.
 */
class JoseVectorsTest {

  private static final String PAYLOAD = "{\"sub\":\"alice\"}";

  /** DER of "SHA-256, with NULL as its parameters", and what is before the hash. */
  private static final String SHA_256 = "3031300d060960864801650304020105000420";

  /** A published token, and the key that belongs to it ("-" for none). */
  record Vector(String section, String key, String token) {

    static Stream<Vector> all() {
      try (InputStream file =
          Objects.requireNonNull(JoseVectorsTest.class.getResourceAsStream("/jose/rfc.txt"))) {
        return new String(file.readAllBytes(), StandardCharsets.US_ASCII)
            .lines()
            .map(line -> line.split(" ", -1))
            .map(parts -> new Vector(parts[0], parts[1], parts[2]));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    static Stream<Vector> withKey() {
      return all().filter(vector -> !vector.key.equals("-"));
    }

    /** Those that a family of algorithms which we have has signed. */
    static Stream<Vector> good() {
      return withKey().filter(vector -> !vector.section.equals("RFC7520-4.2"));
    }

    List<Algorithm> algorithms() {
      return isSecret()
          ? ofSecret(Jws.decode(key.substring("oct:".length())))
          : ofPublicKey(publicKey());
    }

    boolean isSecret() {
      return key.startsWith("oct:");
    }

    PublicKey publicKey() {
      String[] parts = key.split(":", -1);
      try {
        return switch (parts[0]) {
          case "RSA" ->
              KeyFactory.getInstance("RSA")
                  .generatePublic(new RSAPublicKeySpec(number(parts[1]), number(parts[2])));
          case "EC" ->
              KeyFactory.getInstance("EC")
                  .generatePublic(
                      new ECPublicKeySpec(
                          new ECPoint(number(parts[2]), number(parts[3])),
                          Curve.of(parts[1].equals("P-521") ? "ES512" : "ES256").parameters()));
          default -> throw new IllegalArgumentException(key);
        };
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException(e);
      }
    }

    private static BigInteger number(String part) {
      return new BigInteger(1, Jws.decode(part));
    }

    @Override
    public String toString() {
      return section;
    }
  }

  private static List<Algorithm> ofPublicKey(PublicKey key) {
    return Keys.ofPublicKey(KeysTest.pem(key));
  }

  private static List<Algorithm> ofSecret(byte[] secret) {
    return Keys.ofSecret("base64:" + Base64.getEncoder().encodeToString(secret));
  }

  @ParameterizedTest
  @CsvSource({
    "RFC7515-A.1, HS256",
    "RFC7515-A.2, RS256",
    "RFC7515-A.3, ES256",
    "RFC7515-A.4, ES512",
    "RFC7520-4.1, RS256",
    "RFC7520-4.3, ES512",
    "RFC7520-4.4, HS256",
  })
  void aPublishedTokenIsVerifiedByItsAlgorithmAndNoOtherOfItsKey(String section, String algorithm) {
    Vector vector = vector(section);

    assertThat(Jws.of(vector.token).verifiedBy(vector.algorithms())).containsExactly(algorithm);
  }

  @Test
  void aPublishedPssTokenIsNotTakenForAnotherOfItsKey() {
    Vector pss = vector("RFC7520-4.2");

    assertThat(Jws.of(pss.token).verifiedBy(pss.algorithms())).isEmpty();
  }

  @Test
  void thePublishedUnsignedTokenIsVerifiedByNoKey() {
    Jws unsigned = Jws.of(vector("RFC7515-A.5").token);

    assertThat(Vector.withKey())
        .hasSize(8)
        .allSatisfy(vector -> assertThat(unsigned.verifiedBy(vector.algorithms())).isEmpty());
  }

  @Test
  void aPublishedTokenIsVerifiedByNoKeyButItsOwn() {
    List<Vector> vectors = Vector.good().toList();

    for (Vector signed : vectors) {
      for (Vector other : vectors) {
        if (!signed.key.equals(other.key)) {
          assertThat(Jws.of(signed.token).verifiedBy(other.algorithms()))
              .as("%s with the key of %s", signed, other)
              .isEmpty();
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.gatehouse.auth.JoseVectorsTest$Vector#good")
  void noBitOfAPublishedSignatureMayChange(Vector vector) {
    List<Algorithm> algorithms = vector.algorithms();
    Jws token = Jws.of(vector.token);
    byte[] signature = Jws.decode(token.signature());

    // Of the slow ones every seventh: each byte, and each place in a byte, has its turn.
    int step = vector.key.startsWith("EC:") ? 7 : 1;
    for (int bit = 0; bit < 8 * signature.length; bit += step) {
      byte[] changed = signature.clone();
      changed[bit / 8] ^= (byte) (1 << (bit % 8));
      assertThat(token.withSignature(changed).verifiedBy(algorithms)).as("bit %d", bit).isEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource("dev.gatehouse.auth.JoseVectorsTest$Vector#good")
  void noCharacterOfAPublishedHeaderOrPayloadMayChange(Vector vector) {
    List<Algorithm> algorithms = vector.algorithms();
    Jws token = Jws.of(vector.token);

    for (int at = 0; at < token.header().length(); at++) {
      assertThat(token.withHeader(changed(token.header(), at)).verifiedBy(algorithms))
          .as("header at %d", at)
          .isEmpty();
    }
    for (int at = 0; at < token.payload().length(); at++) {
      assertThat(token.withPayload(changed(token.payload(), at)).verifiedBy(algorithms))
          .as("payload at %d", at)
          .isEmpty();
    }
  }

  /** One bit of one character turned: another bit for each place. */
  private static String changed(String text, int at) {
    char other = (char) (text.charAt(at) ^ (1 << (at % 7)));
    return text.substring(0, at) + other + text.substring(at + 1);
  }

  /**
   * This is how java-jwt is, and why none but the caller can see to it: who remembers or revokes a
   * token by its text must know that it may be written in other ways.
   */
  @ParameterizedTest
  @ValueSource(strings = {"RFC7515-A.1", "RFC7515-A.2", "RFC7515-A.3"})
  void theLibraryTakesTheSameSignatureInAnotherWriting(String section) {
    Vector vector = vector(section);
    Jws token = Jws.of(vector.token);
    String signature = token.signature();
    String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    int last = alphabet.indexOf(signature.charAt(signature.length() - 1));
    String unusedBit = signature.substring(0, signature.length() - 1) + alphabet.charAt(last ^ 1);
    String padded = signature + "=".repeat(3 - (signature.length() + 3) % 4);

    for (String other : List.of(unusedBit, padded)) {
      assertThat(other).isNotEqualTo(signature);
      assertThat(new Jws(token.header(), token.payload(), other).verifiedBy(vector.algorithms()))
          .as(other)
          .hasSize(1);
    }
  }

  @ParameterizedTest
  @MethodSource("dev.gatehouse.auth.JoseVectorsTest$Vector#good")
  void aSignatureThatIsNoBase64UrlIsRefused(Vector vector) {
    Jws token = Jws.of(vector.token);
    String signature = token.signature();

    for (String bad :
        List.of(
            " " + signature,
            signature + " ",
            signature + "\n",
            "?" + signature,
            signature.substring(0, 8) + "\r\n" + signature.substring(8),
            signature.substring(0, 8) + "+" + signature.substring(9),
            signature.substring(0, 8) + "/" + signature.substring(9),
            signature + "====",
            "=" + signature,
            signature + "." + signature,
            signature + "\u0000",
            "\u00e9" + signature.substring(1))) {
      assertThat(new Jws(token.header(), token.payload(), bad).verifiedBy(vector.algorithms()))
          .as(bad)
          .isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"RFC7515-A.2", "RFC7515-A.3", "RFC7515-A.4"})
  void aPublicKeyIsNoSecret(String section) {
    PublicKey key = vector(section).publicKey();
    String pem = KeysTest.pem(key);

    for (byte[] secret :
        List.of(
            pem.getBytes(StandardCharsets.UTF_8),
            pem.strip().getBytes(StandardCharsets.UTF_8),
            key.getEncoded())) {
      for (Algorithm forger : ofSecret(secret)) {
        Jws unsigned = Jws.of(forger.getName(), PAYLOAD, new byte[0]);
        Jws forged =
            unsigned.withSignature(
                forger.sign(
                    unsigned.header().getBytes(StandardCharsets.UTF_8),
                    unsigned.payload().getBytes(StandardCharsets.UTF_8)));

        assertThat(forged.verifiedBy(ofSecret(secret)))
            .as("the forgery is well made")
            .containsExactly(forger.getName());
        assertThat(forged.verifiedBy(ofPublicKey(key))).isEmpty();
      }
    }
  }

  @TestFactory
  Stream<DynamicTest> aSignatureOfTheWrongFormIsRefusedInEveryFamily()
      throws GeneralSecurityException {
    List<DynamicTest> tests = new ArrayList<>();
    for (String algorithm :
        List.of("ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "HS256", "HS384", "HS512")) {
      Signed signed = Signed.by(algorithm);
      Map<String, byte[]> forms = new LinkedHashMap<>();
      byte[] good = signed.signature();
      int length = good.length;
      for (int other :
          new int[] {0, 1, 2, length / 2, length - 2, length - 1, length + 1, length + 2}) {
        forms.put("cut or filled up to " + other, Arrays.copyOf(good, other));
      }
      forms.put("twice", join(good, good));
      forms.put("20 times as long", Arrays.copyOf(good, 20 * length));
      forms.put("a zero in front", join(new byte[1], good));
      forms.put("a zero in front, the end cut", join(new byte[1], Arrays.copyOf(good, length - 1)));
      forms.put("the first byte cut", Arrays.copyOfRange(good, 1, length));
      forms.put("all zero", new byte[length]);
      forms.put("all ones", filled(length, 0xff));
      forms.put("one", filled(length, 0));
      forms.get("one")[length - 1] = 1;
      forms.put("the halves changed about", halvesChangedAbout(good));
      forms.put("reversed", reversed(good));
      forms.put("its own text", Jws.encode(good).getBytes(StandardCharsets.US_ASCII));
      forms.put("DER of two zeros", HexFormat.of().parseHex("3006020100020100"));
      forms.put("DER of two ones", HexFormat.of().parseHex("3006020101020101"));
      forms.forEach(
          (form, bytes) ->
              tests.add(
                  DynamicTest.dynamicTest(
                      algorithm + ": " + form,
                      () ->
                          assertThat(signed.token.withSignature(bytes).verifiedBy(signed.keys))
                              .isEmpty())));
      tests.add(
          DynamicTest.dynamicTest(
              algorithm + ": the good one",
              () ->
                  assertThat(signed.token.withSignature(good).verifiedBy(signed.keys))
                      .containsExactly(algorithm)));
    }
    return tests.stream();
  }

  /** A good token, made with a new key. */
  private record Signed(Jws token, List<Algorithm> keys) {

    byte[] signature() {
      return Jws.decode(token.signature());
    }

    static Signed by(String algorithm) throws GeneralSecurityException {
      Jws token = Jws.of(algorithm, PAYLOAD, new byte[0]);
      int bits = Integer.parseInt(algorithm.substring(2));
      byte[] signature;
      List<Algorithm> keys;
      if (algorithm.startsWith("HS")) {
        keys = ofSecret(filled(64, 7));
        Algorithm one =
            keys.stream().filter(k -> k.getName().equals(algorithm)).findFirst().orElseThrow();
        signature =
            one.sign(
                token.header().getBytes(StandardCharsets.UTF_8),
                token.payload().getBytes(StandardCharsets.UTF_8));
      } else {
        boolean rsa = algorithm.startsWith("RS");
        KeyPair pair =
            rsa ? KeysTest.rsa(2048) : KeysTest.ec("secp" + (bits == 512 ? 521 : bits) + "r1");
        keys = ofPublicKey(pair.getPublic());
        Signature signer =
            Signature.getInstance("SHA" + bits + (rsa ? "withRSA" : "withECDSAinP1363Format"));
        signer.initSign(pair.getPrivate());
        signer.update(token.signed());
        signature = signer.sign();
      }
      return new Signed(token.withSignature(signature), keys);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"ES256", "ES384", "ES512"})
  void anEllipticSignatureInDerIsRefused(String algorithm) throws GeneralSecurityException {
    String size = algorithm.substring(2);
    KeyPair pair = KeysTest.ec("secp" + size.replace("512", "521") + "r1");
    Jws token = Jws.of(algorithm, PAYLOAD, new byte[0]);
    List<Algorithm> keys = ofPublicKey(pair.getPublic());
    Signature signer = Signature.getInstance("SHA" + size + "withECDSA");
    signer.initSign(pair.getPrivate());

    // Its length differs from one to the next.
    for (int i = 0; i < 50; i++) {
      signer.update(token.signed());
      assertThat(token.withSignature(signer.sign()).verifiedBy(keys)).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"ES256", "ES384", "ES512"})
  void noNumberOutOfRangeIsTakenInAnEllipticSignature(String algorithm)
      throws GeneralSecurityException {
    Curve curve = Curve.of(algorithm);
    Signed signed = Signed.by(algorithm);
    BigInteger goodR = first(signed.signature());
    BigInteger goodS = second(signed.signature());
    BigInteger one = BigInteger.ONE;
    BigInteger n = curve.n();
    BigInteger p = curve.p();
    BigInteger all = one.shiftLeft(8 * curve.bytes()).subtract(one);
    List<BigInteger> numbers =
        Stream.of(
                BigInteger.ZERO,
                one,
                BigInteger.TWO,
                n.shiftRight(1),
                n.subtract(one),
                n,
                n.add(one),
                p.subtract(one),
                p,
                p.add(one),
                all,
                goodR.add(n),
                goodS.add(n),
                n.subtract(goodR),
                goodR,
                goodS)
            .filter(number -> number.compareTo(all) <= 0)
            .toList();

    int tried = 0;
    for (BigInteger r : numbers) {
      for (BigInteger s : numbers) {
        if (!(r.equals(goodR) && s.equals(goodS))) {
          assertThat(signed.token.withSignature(curve.signature(r, s)).verifiedBy(signed.keys))
              .as("r %s, s %s", r, s)
              .isEmpty();
          tried++;
        }
      }
    }
    assertThat(tried).isGreaterThanOrEqualTo(14 * 14 - 1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"ES256", "ES384", "ES512"})
  void aRareButGoodEllipticSignatureIsVerified(String algorithm) throws GeneralSecurityException {
    Curve curve = Curve.of(algorithm);
    BigInteger one = BigInteger.ONE;
    BigInteger n = curve.n();
    BigInteger middle = n.shiftRight(1);
    int bits = n.bitLength();
    Jws token = Jws.of(algorithm, PAYLOAD, new byte[0]);

    List<BigInteger> smallToGreat =
        List.of(
            one,
            BigInteger.valueOf(0x80),
            // With zeros in front, and the highest bit of the first byte that is not zero set.
            one.shiftLeft(bits - 40),
            one.shiftLeft(bits / 8 * 8 - 17),
            middle,
            middle.add(one),
            n.subtract(one.shiftLeft(20)),
            n.subtract(one));
    for (int i = 0; i < smallToGreat.size(); i++) {
      BigInteger s = smallToGreat.get(i);
      // As r, any of them but the last: it need not be the x of a point.
      ECPoint point = curve.pointFrom(smallToGreat.get((i + 3) % (smallToGreat.size() - 1)));
      BigInteger r = point.getAffineX();
      List<Algorithm> keys = ofPublicKey(curve.keyFor(point, s, token.signed()));

      assertThat(token.withSignature(curve.signature(r, s)).verifiedBy(keys))
          .as("r %s, s %s", r, s)
          .containsExactly(algorithm);
      // The other of the pair is as good by the standard: a token has more than one signature.
      assertThat(token.withSignature(curve.signature(r, n.subtract(s))).verifiedBy(keys))
          .containsExactly(algorithm);
      assertThat(token.withSignature(curve.signature(s, r)).verifiedBy(keys))
          .as("changed about")
          .isEmpty();
    }
  }

  /**
   * The x of a point may be past the order, and a check that forgot the range would find it equal
   * to such an r. (By the standard x modulo the order is a good r. JDK 17 refuses that as well, JDK
   * 25 does not: no signer will ever meet one.)
   */
  @ParameterizedTest
  @ValueSource(strings = {"ES256", "ES384", "ES512"})
  void anXPastTheOrderIsNoNumberOfASignature(String algorithm) throws GeneralSecurityException {
    Curve curve = Curve.of(algorithm);
    Jws token = Jws.of(algorithm, PAYLOAD, new byte[0]);
    ECPoint point = curve.pointFrom(curve.n().add(BigInteger.ONE));
    BigInteger s = BigInteger.valueOf(3);
    List<Algorithm> keys = ofPublicKey(curve.keyFor(point, s, token.signed()));

    assertThat(token.withSignature(curve.signature(point.getAffineX(), s)).verifiedBy(keys))
        .isEmpty();
  }

  @TestFactory
  Stream<DynamicTest> anRsaSignatureWithAnyOtherPaddingIsRefused() throws GeneralSecurityException {
    KeyPair pair = KeysTest.rsa(2048);
    List<Algorithm> keys = ofPublicKey(pair.getPublic());
    RSAPrivateKey key = (RSAPrivateKey) pair.getPrivate();
    Jws token = Jws.of("RS256", PAYLOAD, new byte[0]);
    byte[] hash = MessageDigest.getInstance("SHA-256").digest(token.signed());
    String h = HexFormat.of().formatHex(hash);
    String info = SHA_256 + h;

    Map<String, String> blocks = new LinkedHashMap<>();
    blocks.put("block type 0", padded("0000", "ff", info));
    blocks.put("block type 2", padded("0002", "ff", info));
    blocks.put("a first byte that is not 0", padded("0101", "ff", info));
    blocks.put("padding of zeros", padded("0001", "00", info));
    blocks.put("padding of others", padded("0001", "fe", info));
    blocks.put("no byte between", padded("0001", "ff", info).replaceFirst("ff00303", "ffff303"));
    blocks.put(
        "one byte changed in the padding", padded("0001", "ff", info).replaceFirst("ff", "7f"));
    // What was forged with small exponents: short padding, and rubbish after the hash.
    blocks.put("rubbish at the end", filledUp("0001" + "ff".repeat(8) + "00" + info, "5a"));
    blocks.put("zeros at the end", filledUp("0001" + "ff".repeat(8) + "00" + info, "00"));
    blocks.put("one byte at the end", padded("0001", "ff", info + "00"));
    blocks.put("no padding", filledUp("000100" + info, "5a"));
    blocks.put("zeros in front", "00".repeat(150) + "0001" + "ff".repeat(52) + "00" + info);
    blocks.put("the hash alone", padded("0001", "ff", h));
    blocks.put("an octet string alone", padded("0001", "ff", "0420" + h));
    blocks.put("nothing in it", padded("0001", "ff", ""));
    blocks.put("a hash cut short", padded("0001", "ff", info.substring(0, info.length() - 2)));
    blocks.put(
        "other parameters",
        padded("0001", "ff", "3032300e0609608648016503040201040100" + "0420" + h));
    blocks.put("a length in the long form", padded("0001", "ff", "308131" + info.substring(4)));
    blocks.put(
        "a length with a zero in front", padded("0001", "ff", "30820031" + info.substring(4)));
    blocks.put("an indefinite length", padded("0001", "ff", "3080" + info.substring(4) + "0000"));
    blocks.put("a length too great", padded("0001", "ff", "3032" + info.substring(4)));
    blocks.put(
        "a length in the long form within", padded("0001", "ff", "303230810d" + info.substring(8)));
    blocks.put(
        "a hash with a length in the long form",
        padded("0001", "ff", "3032" + info.substring(4, 34) + "048120" + h));
    blocks.put(
        "something after the hash", padded("0001", "ff", "3033" + info.substring(4) + "0500"));
    blocks.put("a set in place of a sequence", padded("0001", "ff", "31" + info.substring(2)));
    blocks.put("named SHA-512", padded("0001", "ff", info.replace("0304020105", "0304020305")));
    blocks.put(
        "named SHA-1, with this hash", padded("0001", "ff", "302d300906052b0e03021a05000420" + h));
    blocks.put(
        "the hash of another text",
        padded(
            "0001",
            "ff",
            SHA_256
                + HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(new byte[1]))));

    List<DynamicTest> tests = new ArrayList<>();
    blocks.forEach(
        (what, block) ->
            tests.add(
                DynamicTest.dynamicTest(
                    what,
                    () -> {
                      assertThat(block).hasSize(512);
                      assertThat(token.withSignature(raw(key, block)).verifiedBy(keys)).isEmpty();
                    })));
    tests.add(
        DynamicTest.dynamicTest(
            "the good one, in both its writings",
            () -> {
              byte[] good = raw(key, padded("0001", "ff", info));
              assertThat(token.withSignature(good).verifiedBy(keys)).containsExactly("RS256");
              // Older signers leave NULL out, and the JDK takes that. None but the owner of the key
              // can make either.
              byte[] older =
                  raw(key, padded("0001", "ff", "302f300b06096086480165030402010420" + h));
              assertThat(token.withSignature(older).verifiedBy(keys)).containsExactly("RS256");
              BigInteger unreduced = new BigInteger(1, good).add(key.getModulus());
              assertThat(token.withSignature(bytes(unreduced, 256)).verifiedBy(keys))
                  .as("plus the modulus")
                  .isEmpty();
              BigInteger negative = key.getModulus().subtract(new BigInteger(1, good));
              assertThat(token.withSignature(bytes(negative, 256)).verifiedBy(keys)).isEmpty();
            }));
    for (BigInteger number :
        List.of(
            BigInteger.ZERO,
            BigInteger.ONE,
            key.getModulus().subtract(BigInteger.ONE),
            key.getModulus(),
            key.getModulus().add(BigInteger.ONE))) {
      tests.add(
          DynamicTest.dynamicTest(
              "the number " + number.toString(16),
              () ->
                  assertThat(token.withSignature(bytes(number, 256)).verifiedBy(keys)).isEmpty()));
    }
    return tests.stream();
  }

  /** A block of 256 bytes, in hex: its start, as much padding as fits, a zero, the content. */
  private static String padded(String start, String padding, String content) {
    return start + padding.repeat(256 - 3 - content.length() / 2) + "00" + content;
  }

  private static String filledUp(String block, String with) {
    return block + with.repeat(256 - block.length() / 2);
  }

  /** What signs a block, whatever is in it. */
  private static byte[] raw(RSAPrivateKey key, String block) {
    return bytes(new BigInteger(block, 16).modPow(key.getPrivateExponent(), key.getModulus()), 256);
  }

  /** A number in this many bytes, or in more if it needs them. */
  private static byte[] bytes(BigInteger number, int length) {
    String hex = number.toString(16);
    int digits = Math.max(2 * length, hex.length() + hex.length() % 2);
    return HexFormat.of().parseHex("0".repeat(digits - hex.length()) + hex);
  }

  private static Vector vector(String section) {
    return Vector.all().filter(v -> v.section.equals(section)).findFirst().orElseThrow();
  }

  private static byte[] join(byte[] one, byte[] other) {
    byte[] joined = Arrays.copyOf(one, one.length + other.length);
    System.arraycopy(other, 0, joined, one.length, other.length);
    return joined;
  }

  private static byte[] filled(int length, int value) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  private static byte[] halvesChangedAbout(byte[] bytes) {
    int half = bytes.length / 2;
    return join(Arrays.copyOfRange(bytes, half, bytes.length), Arrays.copyOf(bytes, half));
  }

  private static byte[] reversed(byte[] bytes) {
    byte[] reversed = new byte[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      reversed[i] = bytes[bytes.length - 1 - i];
    }
    return reversed;
  }

  private static BigInteger first(byte[] signature) {
    return new BigInteger(1, Arrays.copyOf(signature, signature.length / 2));
  }

  private static BigInteger second(byte[] signature) {
    return new BigInteger(1, Arrays.copyOfRange(signature, signature.length / 2, signature.length));
  }
}
