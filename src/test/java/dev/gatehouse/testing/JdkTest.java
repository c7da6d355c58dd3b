package dev.gatehouse.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JdkTest {
  private final Path folder;
  private final Path own;

  JdkTest(@TempDir Path folder) {
    this.folder = folder;
    this.own = folder.resolve("own");
  }

  @BeforeEach
  void installOwn() throws IOException {
    install("own", "117.0.2");
  }

  @Test
  void theTestsOwnJdkGoesFirst() throws IOException {
    install("another", "117.0.9");

    assertThat(Jdk.ofVersion("117", own)).isEqualTo(own);
  }

  @Test
  void anotherVersionIsFoundNextToIt() throws IOException {
    install("early", "125-ea");
    install("much-newer", "1250.1");

    assertThat(Jdk.ofVersion("125", own)).hasFileName("early");
    assertThat(Jdk.ofVersion("1250", own)).hasFileName("much-newer");
  }

  @Test
  void aVersionThatIsNotThereIsAFailure() {
    assertThatThrownBy(() -> Jdk.ofVersion("125", own))
        .hasMessageContaining("no JDK 125 next to")
        .hasMessageContaining("-Dgatehouse.test.jdk125=<path>");
  }

  @Test
  void aNamedJdkOfAnotherVersionIsAFailure() {
    System.setProperty("gatehouse.test.jdk125", own.toString());
    try {
      assertThatThrownBy(() -> Jdk.ofVersion("125", own)).hasMessageEndingWith("is no JDK 125");
    } finally {
      System.clearProperty("gatehouse.test.jdk125");
    }
  }

  @Test
  void aNamedJdkGoesBeforeTheTestsOwn() throws IOException {
    Path named = install("named", "117.0.3");
    System.setProperty("gatehouse.test.jdk117", named.toString());
    try {
      assertThat(Jdk.ofVersion("117", own)).isEqualTo(named);
    } finally {
      System.clearProperty("gatehouse.test.jdk117");
    }
  }

  private Path install(String name, String version) throws IOException {
    Path home = folder.resolve(name);
    Path java = Files.createDirectories(home.resolve("bin")).resolve("java");
    assertThat(Files.createFile(java).toFile().setExecutable(true)).isTrue();
    String release = "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\n";
    Files.writeString(home.resolve("release"), release, UTF_8);
    return home;
  }
}
