package dev.gatehouse.testing;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A key and a certificate for one host that nobody else has signed. */
public final class Certificate {
  static final String PASSWORD = "changeit";

  private final Path file;

  private Certificate(Path file) {
    this.file = file;
  }

  /** Makes a new one for 127.0.0.1 in a folder. */
  public static Certificate in(Path folder) {
    return in(folder, "ip:127.0.0.1");
  }

  /** Makes a new one in a folder, for a host such as {@code dns:localhost}. */
  static Certificate in(Path folder, String host) {
    Path file = folder.resolve("certificate.p12");
    Program.Ended made =
        Program.at(Jdk.chosen().resolve("bin/keytool"))
            .run(
                "-genkeypair",
                "-keyalg",
                "RSA",
                "-keysize",
                "2048",
                "-dname",
                "CN=service",
                "-ext",
                "SAN=" + host,
                "-storetype",
                "PKCS12",
                "-keystore",
                file.toString(),
                "-storepass",
                PASSWORD);
    if (!Files.exists(file)) {
      throw new IllegalStateException("no certificate: " + made);
    }
    return new Certificate(file);
  }

  Path file() {
    return file;
  }

  /** Writes the key and the certificate next to it, for programs that want both as PEM. */
  Path pem() {
    try {
      KeyStore store = store();
      String alias = store.aliases().nextElement();
      byte[] key = store.getKey(alias, PASSWORD.toCharArray()).getEncoded();
      byte[] certificate = store.getCertificate(alias).getEncoded();
      return Files.writeString(
          file.resolveSibling("certificate.pem"),
          pem("PRIVATE KEY", key) + pem("CERTIFICATE", certificate),
          US_ASCII);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /** For a server that shows it, and for a client that trusts it and nothing else. */
  SSLContext context() throws IOException {
    try {
      KeyStore store = store();
      KeyManagerFactory keys =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      keys.init(store, PASSWORD.toCharArray());
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(store);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private KeyStore store() throws IOException, GeneralSecurityException {
    try (InputStream in = Files.newInputStream(file)) {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(in, PASSWORD.toCharArray());
      return store;
    }
  }

  private static String pem(String what, byte[] content) {
    String lines = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
    return "-----BEGIN %1$s-----\n%2$s\n-----END %1$s-----\n".formatted(what, lines);
  }
}
