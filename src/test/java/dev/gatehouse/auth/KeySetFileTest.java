package dev.gatehouse.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class KeySetFileTest {

  private static final URI SOURCE = URI.create("https://idp.example/keys?a=b&c=%22");
  private static final Instant FETCHED = Instant.parse("2026-01-02T03:04:05.678901234Z");

  @TempDir private Path folder = Path.of("");

  private KeySetFile file(URI source) {
    return new KeySetFile(folder, source);
  }

  private static KeySetFile.Kept kept(String document) {
    return new KeySetFile.Kept(document, FETCHED);
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }

  private Path only() throws IOException {
    assertThat(files()).hasSize(1);
    return files().get(0);
  }

  private static String permissions(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  @Test
  void aSetIsReadAsItWasWritten() throws IOException {
    String document = " {\"keys\":[\"\\u00fc\u00fc\u20ac\ud83d\ude00\"]}\r\n\u0000";
    file(SOURCE).write(kept(document));

    assertThat(file(SOURCE).read()).contains(kept(document));
    // It may not outlive its permissions in a folder that others can read.
    assertThat(permissions(only())).isEqualTo("rw-------");
  }

  @Test
  void theLastOneIsKeptAndNothingElse() throws IOException {
    file(SOURCE).write(kept("x".repeat(1 << 20)));
    file(SOURCE).write(new KeySetFile.Kept("second", FETCHED.plusSeconds(1)));

    assertThat(file(SOURCE).read()).contains(new KeySetFile.Kept("second", FETCHED.plusSeconds(1)));
    assertThat(only().getFileName().toString()).matches("keys-[0-9a-f]{16}\\.json");
  }

  @Test
  void beforeTheFirstThereIsNothing() throws IOException {
    assertThat(file(SOURCE).read()).isEmpty();
    assertThat(new KeySetFile(folder.resolve("absent"), SOURCE).read()).isEmpty();
    assertThat(files()).isEmpty();
  }

  @Test
  void sourcesHaveAFileEach() throws IOException {
    URI other = URI.create("https://idp.example/keys");
    file(SOURCE).write(kept("one"));
    assertThat(file(other).read()).isEmpty();
    file(other).write(kept("two"));

    assertThat(file(SOURCE).read()).contains(kept("one"));
    assertThat(file(other).read()).contains(kept("two"));
    assertThat(files()).hasSize(2);
  }

  @Test
  void anotherSourcesFileIsNotReadUnderWhateverName() throws IOException {
    file(SOURCE).write(kept("one"));
    Path ours = only();
    String text = Files.readString(ours);
    for (String source : new String[] {"\"https://evil.example/\"", "null", "7", "[\"x\"]"}) {
      Files.writeString(
          ours, text.replaceFirst("\"source\":\".*?[^\\\\]\",", "\"source\":" + source + ","));

      assertThat(file(SOURCE).read()).isEmpty();
    }
    Files.writeString(ours, text);
    assertThat(file(SOURCE).read()).isPresent();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "garbage",
        "null",
        "[]",
        "TEXTx",
        "TEXTTEXT",
        "HALF",
        "\u0000\u0000\u0000\u0000",
        "{\"source\":\"SOURCE\"}",
        "{\"source\":\"SOURCE\",\"document\":\"x\"}",
        "{\"source\":\"SOURCE\",\"document\":\"x\",\"fetched\":\"yesterday\"}",
        "{\"source\":\"SOURCE\",\"document\":\"x\",\"fetched\":1800000000}",
        "{\"source\":\"SOURCE\",\"source\":\"SOURCE\",\"document\":\"x\",\"fetched\":\"2026-01-02T03:04:05Z\"}",
      })
  void aFileThatIsNotWholeIsNotRead(String garbage) throws IOException {
    file(SOURCE).write(kept("{\"keys\":[]}"));
    String text = Files.readString(only());
    Files.writeString(
        only(),
        garbage
            .replace("TEXT", text)
            .replace("HALF", text.substring(0, text.length() / 2))
            .replace("SOURCE", SOURCE.toString().replace("\"", "\\\"")));

    assertThatIOException().isThrownBy(() -> file(SOURCE).read());
    file(SOURCE).write(kept("new"));
    assertThat(file(SOURCE).read()).contains(kept("new"));
  }

  @Test
  void aFileThatIsNoTextIsNotRead() throws IOException {
    file(SOURCE).write(kept("x"));
    Files.write(only(), new byte[] {'{', (byte) 0xff, (byte) 0xfe, '}'});
    assertThatIOException().isThrownBy(() -> file(SOURCE).read());

    Path name = only();
    Files.delete(name);
    Files.createDirectory(name);
    assertThatIOException().isThrownBy(() -> file(SOURCE).read());
    assertThat(Files.isDirectory(only())).isTrue();
  }

  @Test
  void whatCannotBeWrittenLeavesNothingBehind() throws IOException {
    file(SOURCE).write(kept("x"));
    Path name = only();
    Files.delete(name);
    Files.createDirectories(name.resolve("not-empty"));

    assertThatIOException().isThrownBy(() -> file(SOURCE).write(kept("x")));
    assertThat(files()).containsExactly(name);
    assertThatIOException()
        .isThrownBy(() -> new KeySetFile(folder.resolve("absent"), SOURCE).write(kept("x")));
  }

  @ParameterizedTest
  @CsvSource({
    "rwx------, true",
    "rwxr-xr-x, true",
    "rwx-w----, false",
    "rwxrwxr-x, false",
    "rwx----w-, false",
    "rwxrwxrwx, false",
  })
  void aFolderThatIsThereMayNotBeOthersToWrite(String permissions, boolean fit) throws IOException {
    Path state = Files.createDirectory(folder.resolve("state"));
    Files.setPosixFilePermissions(state, PosixFilePermissions.fromString(permissions));

    if (fit) {
      assertThat(KeySetFile.folder(state.toString())).isEqualTo(state);
      KeySetFile.prepare(state);
    } else {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> KeySetFile.folder(state.toString()))
          .withMessageContaining("0700");
      assertThatIOException().isThrownBy(() -> KeySetFile.prepare(state));
    }
    assertThat(permissions(state)).isEqualTo(permissions);
    assertThat(state).isEmptyDirectory();
  }

  @Test
  void aFileThatIsTooLargeIsNotRead() throws IOException {
    String document = "\"".repeat(1 << 20);
    file(SOURCE).write(kept(document));
    assertThat(file(SOURCE).read()).contains(kept(document));

    Files.writeString(only(), Files.readString(only()) + " ".repeat(4 << 20));
    assertThatIOException().isThrownBy(() -> file(SOURCE).read());
  }

  @Test
  void theFolderIsMade() throws IOException {
    Path state = folder.resolve("var/lib/gatehouse");
    String parent = permissions(folder);

    assertThat(KeySetFile.folder(state.toString())).isEqualTo(state.toAbsolutePath());
    assertThat(folder).isEmptyDirectory();
    KeySetFile.prepare(state);

    assertThat(permissions(state)).isEqualTo("rwx------");
    assertThat(permissions(folder)).isEqualTo(parent);
  }

  @Test
  void aRelativeFolderIsBelowTheCurrentOne() {
    assertThat(KeySetFile.folder("target")).isEqualTo(Path.of("target").toAbsolutePath());
  }

  @ParameterizedTest
  @ValueSource(strings = {"file", "file/below", "file/far/below", "a\u0000b"})
  void whatCanBeNoFolderIsRefusedUntouched(String name) throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "kept");

    assertThatIllegalArgumentException()
        .isThrownBy(() -> KeySetFile.folder(folder + "/" + name))
        .satisfies(e -> assertThat(e.getMessage()).isNotBlank());
    assertThat(file).hasContent("kept");
    assertThat(files()).containsExactly(file);
  }

  @Test
  void ofWritersAtOnceOneHasTheLastWord() throws Exception {
    int writers = 4;
    int rounds = 25;
    CyclicBarrier together = new CyclicBarrier(writers + 1);
    ExecutorService threads = Executors.newFixedThreadPool(writers);
    try {
      List<Future<?>> ends = new ArrayList<>();
      for (int i = 0; i < writers; i++) {
        String document = Character.toString('a' + i).repeat(10_000 * (i + 1));
        ends.add(
            threads.submit(
                () -> {
                  together.await(60, TimeUnit.SECONDS);
                  for (int round = 0; round < rounds; round++) {
                    file(SOURCE).write(kept(document));
                    assertWhole(file(SOURCE).read().orElseThrow().document());
                  }
                  return null;
                }));
      }
      together.await(60, TimeUnit.SECONDS);
      for (Future<?> end : ends) {
        end.get(60, TimeUnit.SECONDS);
      }
    } finally {
      threads.shutdownNow();
    }
    assertWhole(file(SOURCE).read().orElseThrow().document());
    assertThat(Files.readString(only(), StandardCharsets.UTF_8)).startsWith("{").endsWith("}");
  }

  private static void assertWhole(String document) {
    String letter = Objects.requireNonNull(document).substring(0, 1);
    assertThat(document).isEqualTo(letter.repeat(10_000 * (letter.charAt(0) - 'a' + 1)));
  }
}
