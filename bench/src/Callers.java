package bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.Signature;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.stream.IntStream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** 10,000 callers with a token each, and the keys that sign them; new ones in each run. */
final class Callers {
  private static final int COUNT = 10_000;
  private static final long DAY = 86_400;

  /** How tokens are signed. */
  enum Algorithm {
    RS256,
    HS256
  }

  private final KeyPair pair;
  private final String secret;
  private final Path folder;

  Callers(Path folder) throws GeneralSecurityException, IOException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(2048);
    this.pair = generator.generateKeyPair();
    byte[] random = new byte[32];
    new SecureRandom().nextBytes(random);
    this.secret = base64(random);
    this.folder = Files.createDirectories(folder);
    Files.writeString(publicKeyFile(), pem(pair.getPublic().getEncoded()), UTF_8);
    for (Algorithm algorithm : Algorithm.values()) {
      Files.write(tokenFile(algorithm), tokens(algorithm), UTF_8);
    }
  }

  Path folder() {
    return folder;
  }

  Path publicKeyFile() {
    return folder.resolve("public.pem");
  }

  String secret() {
    return secret;
  }

  /** The tokens of all callers, one on each line. */
  Path tokenFile(Algorithm algorithm) {
    return folder.resolve(algorithm + ".tokens");
  }

  String good(Algorithm algorithm) {
    return token(algorithm, 0, DAY);
  }

  String expired(Algorithm algorithm) {
    return token(algorithm, 0, -3_600);
  }

  String tampered(Algorithm algorithm) {
    String good = good(algorithm);
    int middle = good.lastIndexOf('.') + 20;
    char other = good.charAt(middle) == 'A' ? 'B' : 'A';
    return good.substring(0, middle) + other + good.substring(middle + 1);
  }

  private List<String> tokens(Algorithm algorithm) {
    return IntStream.range(0, COUNT)
        .parallel()
        .mapToObj(number -> token(algorithm, number, DAY))
        .toList();
  }

  private String token(Algorithm algorithm, int caller, long secondsLeft) {
    long end = Instant.now().getEpochSecond() + secondsLeft;
    String head = "{\"alg\":\"%s\",\"typ\":\"JWT\"}".formatted(algorithm);
    String claims =
        """
        {"iss":"https://id.example.org/","sub":"caller-%05d","scope":"users:read users:write",\
        "iat":%d,"exp":%d}"""
            .formatted(caller, end - DAY, end);
    String text = base64(head.getBytes(UTF_8)) + "." + base64(claims.getBytes(UTF_8));
    return text + "." + base64(signature(algorithm, text.getBytes(UTF_8)));
  }

  private byte[] signature(Algorithm algorithm, byte[] text) {
    try {
      if (algorithm == Algorithm.HS256) {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret.getBytes(UTF_8), "HmacSHA256"));
        return mac.doFinal(text);
      }
      Signature signature = Signature.getInstance("SHA256withRSA");
      signature.initSign(pair.getPrivate());
      signature.update(text);
      return signature.sign();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String base64(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  private static String pem(byte[] key) {
    String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key);
    return "-----BEGIN PUBLIC KEY-----\n" + text + "\n-----END PUBLIC KEY-----\n";
  }
}
