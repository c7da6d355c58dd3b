package dev.gatehouse.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.auth0.jwt.algorithms.Algorithm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class KeysTest {

  @TempDir private Path folder = Path.of("");

  static KeyPair rsa(int bits) throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(bits);
    return generator.generateKeyPair();
  }

  static KeyPair ec(String curve) throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec(curve));
    return generator.generateKeyPair();
  }

  static String pem(PublicKey key) {
    return pem("PUBLIC KEY", key.getEncoded());
  }

  private static String pem(String what, byte[] encoded) {
    return "-----BEGIN "
        + what
        + "-----\n"
        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(encoded)
        + "\n-----END "
        + what
        + "-----\n";
  }

  private static List<String> names(List<Algorithm> algorithms) {
    return algorithms.stream().map(Algorithm::getName).toList();
  }

  @ParameterizedTest
  @CsvSource({
    "32, HS256",
    "47, HS256",
    "48, HS256 HS384",
    "63, HS256 HS384",
    "64, HS256 HS384 HS512",
    "200, HS256 HS384 HS512",
  })
  void aSecretAllowsTheAlgorithmsThatItIsLongEnoughFor(int bytes, String algorithms) {
    byte[] secret = new byte[bytes];

    assertThat(names(Keys.ofSecret("x".repeat(bytes)))).containsExactly(algorithms.split(" ", -1));
    assertThat(names(Keys.ofSecret("base64:" + Base64.getEncoder().encodeToString(secret))))
        .containsExactly(algorithms.split(" ", -1));
  }

  @Test
  void aSecretsLengthIsCountedInBytesOfUtf8() {
    assertThat(names(Keys.ofSecret("\u00e9".repeat(16)))).containsExactly("HS256");
    assertThatIllegalArgumentException().isThrownBy(() -> Keys.ofSecret("\u00e9".repeat(15) + "x"));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 16, 31})
  void aShortSecretIsRefusedAndNotTold(int bytes) {
    String secret = "q".repeat(bytes);
    String encoded = "base64:" + Base64.getEncoder().encodeToString(new byte[bytes]);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> Keys.ofSecret(secret))
        .withMessage("at least 32 bytes (it has %d)", bytes);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Keys.ofSecret(encoded))
        .withMessage("at least 32 bytes (it has %d)", bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"base64:%%%", "base64:QUJDR", "base64:QUJD REVG", "base64:QQ=Q="})
  void brokenBase64IsRefusedAndNotTold(String secret) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Keys.ofSecret(secret))
        .satisfies(
            e -> assertThat(e.getMessage()).contains("base64").doesNotContain(secret.substring(7)));
  }

  @Test
  void anRsaKeyAllowsRsaOnly() throws GeneralSecurityException {
    assertThat(names(Keys.ofPublicKey(pem(rsa(2048).getPublic()))))
        .containsExactly("RS256", "RS384", "RS512");
  }

  @ParameterizedTest
  @ValueSource(ints = {1024, 2047})
  void aWeakRsaKeyIsRefused(int bits) throws GeneralSecurityException {
    String pem = pem(rsa(bits).getPublic());

    assertThatIllegalArgumentException()
        .isThrownBy(() -> Keys.ofPublicKey(pem))
        .withMessageContaining("2048")
        .withMessageContaining(String.valueOf(bits));
  }

  @ParameterizedTest
  @CsvSource({"secp256r1, ES256", "secp384r1, ES384", "secp521r1, ES512"})
  void anEcKeyAllowsTheOneAlgorithmOfItsCurve(String curve, String algorithm)
      throws GeneralSecurityException {
    assertThat(names(Keys.ofPublicKey(pem(ec(curve).getPublic())))).containsExactly(algorithm);
  }

  @ParameterizedTest
  @CsvSource({
    // secp256k1 and brainpoolP256r1 in place of secp256r1
    "06082a8648ce3d030107, 06052b8104000a",
    "06082a8648ce3d030107, 06092b2403030208010107",
  })
  void anotherCurveIsRefusedEvenOfTheSameSize(String p256, String other)
      throws GeneralSecurityException {
    String hex = HexFormat.of().formatHex(ec("secp256r1").getPublic().getEncoded());
    int shorter = (p256.length() - other.length()) / 2;
    // 30 59 (all) 30 13 (algorithm): both lengths change with the name of the curve.
    String changed =
        hex.replace(p256, other)
            .replaceFirst("3059", String.format(Locale.ROOT, "30%02x", 0x59 - shorter))
            .replaceFirst("3013", String.format(Locale.ROOT, "30%02x", 0x13 - shorter));

    assertThatIllegalArgumentException()
        .isThrownBy(() -> Keys.ofPublicKey(pem("PUBLIC KEY", HexFormat.of().parseHex(changed))));
  }

  @ParameterizedTest
  @ValueSource(strings = {"Ed25519", "X25519", "DSA", "RSASSA-PSS"})
  void aKeyOfAnotherFamilyIsRefused(String family) throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance(family);
    if (family.equals("DSA") || family.equals("RSASSA-PSS")) {
      generator.initialize(2048);
    }
    String pem = pem(generator.generateKeyPair().getPublic());

    assertThatIllegalArgumentException()
        .isThrownBy(() -> Keys.ofPublicKey(pem))
        .withMessageContaining("RSA or EC");
  }

  @Test
  void aPemMayStandInAFile() throws GeneralSecurityException, IOException {
    Path file = Files.writeString(folder.resolve("key.pem"), pem(ec("secp256r1").getPublic()));

    assertThat(names(Keys.ofPublicKey(file.toString()))).containsExactly("ES256");
  }

  @Test
  void aPemMayHoldItsLineEndsInAnyWriting() throws GeneralSecurityException {
    String pem = pem(ec("secp256r1").getPublic());

    for (String end : new String[] {"\n", "\r\n", "\\n", " ", ""}) {
      assertThat(names(Keys.ofPublicKey(pem.replace("\n", end)))).as(end).containsExactly("ES256");
    }
  }

  @Test
  void textAroundThePemIsNoMatter() throws GeneralSecurityException {
    String pem = "# the provider's key of 2026\n" + pem(ec("secp256r1").getPublic()) + "\n\n";

    assertThat(names(Keys.ofPublicKey(pem))).containsExactly("ES256");
  }

  @ParameterizedTest
  @ValueSource(strings = {"nothing.pem", ".", "\u0000"})
  void aFileThatCannotBeReadIsRefusedWithItsName(String name) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Keys.ofPublicKey(folder + "/" + name))
        .withMessageContaining("path of a PEM file");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----AAAA-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----=-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----!!!-----END PUBLIC KEY-----",
        "-----BEGIN RSA PUBLIC KEY-----AAAA-----END RSA PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----AAAA-----END CERTIFICATE-----",
      })
  void aPemWithoutAPublicKeyIsRefused(String pem) {
    assertThatIllegalArgumentException().isThrownBy(() -> Keys.ofPublicKey(pem));
  }

  @Test
  void aPrivateKeyIsRefused() throws GeneralSecurityException {
    PrivateKey key = ec("secp256r1").getPrivate();
    String pem = pem("PRIVATE KEY", key.getEncoded());

    assertThatIllegalArgumentException()
        .isThrownBy(() -> Keys.ofPublicKey(pem))
        .satisfies(
            e ->
                assertThat(e.getMessage())
                    .contains("PUBLIC KEY")
                    .doesNotContain(Base64.getEncoder().encodeToString(key.getEncoded())));
  }

  @Test
  void ofSeveralKeysNoneIsIgnoredInSilence() throws GeneralSecurityException {
    String two = pem(ec("secp256r1").getPublic()) + pem(ec("secp256r1").getPublic());

    assertThatIllegalArgumentException()
        .isThrownBy(() -> Keys.ofPublicKey(two))
        .withMessageContaining("one 'PUBLIC KEY'");
  }

  @Test
  void aSecretIsNotTakenForAPublicKey() {
    String secret = new String(new byte[64], StandardCharsets.US_ASCII);

    assertThatIllegalArgumentException().isThrownBy(() -> Keys.ofPublicKey(secret));
  }
}
