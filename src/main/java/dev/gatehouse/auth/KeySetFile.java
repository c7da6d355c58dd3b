package dev.gatehouse.auth;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;

/**
 * Keeps the last good key set of a source in a folder, for a restart while the provider is down.
 * Whoever can write there can make tokens, so the folder is its owner's alone.
 */
final class KeySetFile {

  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rwx------");

  /** A set has 1 MiB at most, and JSON needs two characters for some. */
  private static final long LARGEST = 4L << 20;

  /** A set and when it was fetched. */
  record Kept(String document, Instant fetched) {}

  private final Path folder;
  private final URI source;

  /**
   * @param source a file of another source is not read
   */
  KeySetFile(Path folder, URI source) {
    this.folder = folder;
    this.source = source;
  }

  /**
   * Looks at a folder, and changes nothing.
   *
   * @throws IllegalArgumentException if it cannot be used; the message says what was expected
   */
  static Path folder(String text) {
    Path folder = Path.of(text).toAbsolutePath();
    Path there = folder;
    while (there.getParent() != null && !Files.exists(there)) {
      there = there.getParent();
    }
    if (!Files.isDirectory(there) || !Files.isWritable(there)) {
      throw new IllegalArgumentException(
          "a folder that can be written, or made (" + there + " cannot be)");
    }
    if (there.equals(folder) && isOpenToOthers(folder)) {
      throw new IllegalArgumentException("a folder that nobody else can write to, of mode 0700");
    }
    return folder;
  }

  private static boolean isOpenToOthers(Path folder) {
    try {
      return hasPermissions(folder)
          && Files.getPosixFilePermissions(folder).stream()
              .anyMatch(
                  permission ->
                      permission == PosixFilePermission.GROUP_WRITE
                          || permission == PosixFilePermission.OTHERS_WRITE);
    } catch (IOException e) {
      return true;
    }
  }

  private static boolean hasPermissions(Path folder) {
    return folder.getFileSystem().supportedFileAttributeViews().contains("posix");
  }

  /**
   * Makes the folder if there is none.
   *
   * @throws IOException if that fails, or if it is somebody else's
   */
  static void prepare(Path folder) throws IOException {
    Path parent = folder.getParent();
    if (!Files.exists(folder) && parent != null) {
      Files.createDirectories(parent);
      if (hasPermissions(parent)) {
        Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
      } else {
        Files.createDirectory(folder);
      }
    }
    // What we make is ours; what is somebody else's is not for our keys.
    Path ours = Files.createTempFile(folder, "keys-", ".new");
    try {
      if (!Files.getOwner(ours).equals(Files.getOwner(folder)) || isOpenToOthers(folder)) {
        throw new IOException("expected a folder of our own with mode 0700: " + folder);
      }
    } finally {
      Files.delete(ours);
    }
  }

  /** What was kept, if there is something whole of this source. */
  Optional<Kept> read() throws IOException {
    try {
      if (Files.size(file()) > LARGEST || !Files.getOwner(file()).equals(Files.getOwner(folder))) {
        throw new IOException(file() + " was not written by the gateway");
      }
      JsonNode kept = PublishedKey.json(Files.readString(file()));
      if (source.toString().equals(kept.path("source").textValue())) {
        return Optional.of(
            new Kept(kept.path("document").asText(), Instant.parse(kept.path("fetched").asText())));
      }
    } catch (NoSuchFileException e) {
      // The first start, or somebody tidied up.
    } catch (IllegalArgumentException | DateTimeException e) {
      throw new IOException(file() + " was not written by the gateway", e);
    }
    return Optional.empty();
  }

  /** Keeps a set in place of the last one; whoever reads meanwhile sees the one or the other. */
  void write(Kept kept) throws IOException {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
      json.writeStartObject();
      json.writeStringField("source", source.toString());
      json.writeStringField("fetched", kept.fetched().toString());
      json.writeStringField("document", kept.document());
      json.writeEndObject();
    }
    Path fresh = Files.createTempFile(folder, "keys-", ".new");
    try {
      try (FileChannel channel = FileChannel.open(fresh, StandardOpenOption.WRITE)) {
        for (ByteBuffer bytes = ByteBuffer.wrap(text.toByteArray()); bytes.hasRemaining(); ) {
          channel.write(bytes);
        }
        channel.force(true);
      }
      Files.move(fresh, file(), StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(fresh);
    }
  }

  private Path file() {
    try {
      byte[] name =
          MessageDigest.getInstance("SHA-256")
              .digest(source.toString().getBytes(StandardCharsets.UTF_8));
      return folder.resolve("keys-" + HexFormat.of().formatHex(name, 0, 8) + ".json");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
