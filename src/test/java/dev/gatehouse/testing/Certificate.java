package dev.gatehouse.testing;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/** A key and a certificate for 127.0.0.1 that nobody else has signed. */
public final class Certificate {
  static final String PASSWORD = "changeit";

  private final Path file;

  private Certificate(Path file) {
    this.file = file;
  }

  /** Makes a new one in a folder. */
  public static Certificate in(Path folder) {
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
                "SAN=ip:127.0.0.1",
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

  SSLContext context() throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(in, PASSWORD.toCharArray());
      KeyManagerFactory keys =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      keys.init(store, PASSWORD.toCharArray());
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keys.getKeyManagers(), null, null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
