package dev.gatehouse;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Request targets of somebody who knows how servers map paths and how services read them. A
 * character is a byte. {@code FROM} is a path that is open to the sender, {@code TO} what lies
 * beside its last segment and is not; {@code OUT} is that path in full.
 */
final class PathForms {

  /** From one path to what lies beside it. */
  static final List<String> WAYS_OUT =
      List.of(
          // Dots.
          "FROM/../TO",
          "FROM/./../TO",
          "FROM/.././TO",
          "FROM/x/../../TO",
          "FROM/../x/../TO",
          "FROM/..",
          "FROM/../",
          "FROM/../TO/",
          "FROM/../TO/.",
          "FROM/../TO/x/..",
          "FROM/../TO.css",
          "FROM/../TO.json",
          "/..FROM/../TO",
          "/x/..FROM/../TO",
          "/.FROM/../TO",
          ".FROM/../TO",
          "..FROM/../TO",
          "FROM/.../TO",
          "FROM/....//TO",
          "FROM/../../../../../../etc/passwd",
          // Encoded dots.
          "FROM/%2e%2e/TO",
          "FROM/%2E%2E/TO",
          "FROM/%2e%2E/TO",
          "FROM/.%2e/TO",
          "FROM/%2E./TO",
          "FROM/%2e/../TO",
          "FROM/%2e%2e",
          "FROM/%2e%2e/TO%2ecss",
          "FROM/%2e%2e/TO%2e",
          "/%2e%2eFROM/%2e%2e/TO",
          "FROM/%2%65%2%65/TO",
          // Parameters.
          "FROM/..;/TO",
          "FROM/..;x=1/TO",
          "FROM/..;x=1;y/TO",
          "FROM/..;jsessionid=0A1B/TO",
          "FROM/..;%2e/TO",
          "FROM/..;x=%2f/TO",
          "FROM/.;/..;/TO",
          "FROM/.;./TO",
          "FROM/%2e%2e;/TO",
          "FROM/%2e%2e;x=1/TO",
          "FROM;/../TO",
          "FROM;jsessionid=0A1B/../TO",
          "FROM;/..;/TO",
          "FROM/;/../TO",
          "FROM/;/../../TO",
          "FROM/x;/../../TO",
          "FROM/x;y=1/..;/..;/TO",
          "FROM/..;",
          "FROM/..;/TO;.css",
          "FROM/..%3b/TO",
          "FROM/..%3Bx=1/TO",
          "FROM/%2e%2e%3b/TO",
          "FROM/%3b/../TO",
          "FROM%3b/../TO",
          "FROM/;x=1;%2f..%2f..%2fTO",
          "FROM;%2f..%2fTO",
          // Slashes.
          "FROM//../TO",
          "FROM//../../TO",
          "FROM///../../../TO",
          "FROM/..//TO",
          "FROM//..//TO",
          "/FROM/../TO",
          "//gateway.exampleFROM/../TO",
          "//FROM/..;/TO",
          // Encoded slashes.
          "FROM/..%2fTO",
          "FROM/..%2FTO",
          "FROM%2f..%2fTO",
          "FROM%2F%2e%2e%2FTO",
          "FROM/x%2f..%2f..%2fTO",
          "FROM/x/..%2f..%2fTO",
          "FROM/..%2f/TO",
          "FROM/%2f../TO",
          "FROM/..;%2fTO",
          "%2fFROM/../TO",
          // Backslashes.
          "FROM/..\\TO",
          "FROM\\..\\TO",
          "FROM\\../TO",
          "FROM/x\\..\\..\\TO",
          "FROM/..%5cTO",
          "FROM/..%5CTO",
          "FROM%5c..%5cTO",
          "FROM/%2e%2e%5cTO",
          "FROM/..%5c/TO",
          "FROM/x/..%5c..%5cTO",
          // UTF-8 that is longer than it may be, and other encodings.
          "FROM/%c0%ae%c0%ae/TO",
          "FROM/.%c0%ae/TO",
          "FROM/%e0%80%ae%e0%80%ae/TO",
          "FROM/%f0%80%80%ae%f0%80%80%ae/TO",
          "FROM/..%c0%afTO",
          "FROM/..%e0%80%afTO",
          "FROM/..%c1%9cTO",
          "FROM/\u00c0\u00ae\u00c0\u00ae/TO",
          "FROM/..\u00c0\u00afTO",
          "FROM/%u002e%u002e/TO",
          "FROM/..%u002fTO",
          "FROM/..%u2215TO",
          "FROM/%uff0e%uff0e/TO",
          // Characters that look like dots and slashes, or are not seen.
          "FROM/\u00ef\u00bc\u008e\u00ef\u00bc\u008e/TO",
          "FROM/..\u00ef\u00bc\u008fTO",
          "FROM/%ef%bc%8e%ef%bc%8e/TO",
          "FROM/..%ef%bc%8fTO",
          "FROM/%e2%80%a5/TO",
          "FROM/.%e2%80%8b./TO",
          // Control characters and spaces.
          "FROM/..%00/TO",
          "FROM/%00../TO",
          "FROM/.%00./TO",
          "FROM/..%00TO",
          "FROM/../TO%00.css",
          "FROM/..\u0000/TO",
          "FROM/..%0a/TO",
          "FROM/.%0a./TO",
          "FROM/..%0d%0a/TO",
          "FROM/..%09/TO",
          "FROM/.%09./TO",
          "FROM/..%20/TO",
          "FROM/%20../TO",
          "FROM/../TO%20",
          "FROM/..%7f/TO",
          "FROM/..\t/TO",
          "FROM/.\t./TO",
          "FROM/.. /TO",
          "FROM /../TO",
          "FROM/..\n/TO",
          "FROM/..\r/TO",
          "FROM/..\u000b/TO",
          // Ends of the path.
          "FROM/..?/TO",
          "FROM/..#/TO",
          "FROM/..%3f/TO",
          "FROM/..%23/TO",
          "FROM?/../TO",
          "FROM/?x=/../TO",
          "FROM#/../TO",
          "FROM/x#/../../TO",
          "FROM%23/../TO",
          "FROM%3f/../TO",
          // Whole addresses.
          "http://gateway.exampleFROM/../TO",
          "http://gateway.example:80FROM/%2e%2e/TO",
          "http://gateway.exampleFROM/..;/TO",
          "https://gateway.exampleFROM/..%2fTO",
          "HTTP://gateway.exampleFROM/../TO",
          "http://gateway.example@127.0.0.1FROM/../TO",
          "http://gateway.example\\@127.0.0.1FROM/../TO",
          "http://gateway.example/..FROM/../TO",
          "http:FROM/../TO",
          "http://FROM/../TO",
          // Other.
          "FROM/LONG/../TO",
          "FROM/{..}/TO",
          "FROM/..|/TO",
          "FROM/*/../TO",
          "FROM/~/../TO");

  /**
   * What is no way out for who decodes once. The gateway forwards it as it came, where the server
   * lets it through: an encoded percent sign is a character like others.
   */
  static final List<String> WAYS_OUT_ENCODED_TWICE =
      List.of(
          "FROM/%252e%252e/TO",
          "FROM/%252E%252E/TO",
          "FROM/.%252e/TO",
          "FROM/%252e./TO",
          "FROM/%252e%252e;/TO",
          "FROM/%252e%252e",
          "FROM/..%252fTO",
          "FROM/..%252FTO",
          "FROM/%252e%252e%252fTO",
          "FROM/x%252f..%252f..%252fTO",
          "FROM/..%255cTO",
          "FROM/..%255c/TO",
          "FROM/..%253b/TO",
          "FROM/..%253bx=1/TO",
          "FROM/..;%252fTO",
          "FROM/..%2500/TO",
          "FROM/..%253f/TO",
          "FROM/%25252e%25252e/TO",
          "FROM/%25%32%65%25%32%65/TO",
          "FROM/%%32%65%%32%65/TO",
          "FROM/%25c0%25ae%25c0%25ae/TO",
          "FROM/%25u002e%25u002e/TO");

  /** A path that is not open, so that it may be taken for another one. */
  static final List<String> DISGUISES =
      List.of(
          "OUT",
          "OUT/",
          "OUT/.",
          "OUT/x/..",
          "OUT.css",
          "OUT.json",
          "OUT;.css",
          "OUT;x=1",
          "OUT;/x",
          "OUT;jsessionid=0A1B",
          "OUT%3bjsessionid=0A1B",
          "OUT;FROM",
          "OUT%2e",
          "OUT%20",
          "OUT%09",
          "OUT%0a",
          "OUT%00",
          "OUT%00.css",
          "OUT%252ecss",
          "OUT?",
          "OUT?FROM",
          "OUT%3fFROM",
          "OUT#FROM",
          "OUT%23FROM",
          "OUT/..FROM",
          "OUT/..;FROM",
          "OUT/%2e%2eFROM",
          "OUT/../../../..FROM",
          "OUT//FROM",
          "OUT\\FROM",
          "OUT%2fFROM",
          "OUT FROM",
          "FROM OUT",
          "OUT\tFROM",
          "FROM\tOUT",
          "OUT\nFROM",
          "FROM\rOUT",
          "UPPER-OUT",
          "ENCODED-OUT",
          "FROMOUT",
          "FROM-x/TO",
          "UPPER-FROM/TO",
          "ENCODED-FROM/TO",
          "UPPER-FROM/../TO",
          "ENCODED-FROM/../TO",
          "/OUT",
          "//OUT",
          "/.OUT",
          "/x/..OUT",
          "/;OUT",
          "/;x=1OUT",
          "\\OUT",
          "%2fOUT",
          "%5cOUT",
          "http://gateway.exampleOUT",
          "https://gateway.example:8443OUT",
          "http://gateway.example@127.0.0.1OUT",
          "http://127.0.0.1FROM@gateway.exampleOUT",
          "http://OUT",
          "http:OUT",
          "gateway.example:80",
          "gateway.exampleOUT",
          "//gateway.exampleOUT",
          "*",
          "*OUT",
          "",
          "?",
          "#OUT",
          "?OUT",
          ".",
          "..",
          "/",
          "/.",
          "/..",
          "//");

  /**
   * Other spellings of {@code FROM/TO}, where {@code FROM} is open to the sender and {@code TO}
   * needs more.
   */
  static final List<String> SPELLINGS =
      List.of(
          "FROM/TO",
          "FROM/TO/",
          "FROM//TO",
          "FROM///TO",
          "FROM/;/TO",
          "FROM/;x=1/TO",
          "FROM;/TO",
          "FROM;x=1/TO",
          "FROM;x=1//TO",
          "FROM/TO;x=1",
          "FROM/TO;",
          "FROM/TO;/x",
          "FROM/TO;.css",
          "FROM/./TO",
          "FROM/.//TO",
          "FROM/%2e/TO",
          "FROM/.;/TO",
          "FROM/%2e;x=1/TO",
          "FROM/.%3b/TO",
          "FROM/x/../TO",
          "FROM/x/..;/TO",
          "FROM/x/%2e%2e/TO",
          "FROM/x/..%2fTO",
          "FROM/x%2f..%2fTO",
          "FROM/x\\..\\TO",
          "FROM/x/..%5cTO",
          "FROM/%2fTO",
          "FROM/%2FTO",
          "FROM%2fTO",
          "FROM/\\TO",
          "FROM\\TO",
          "FROM/%5cTO",
          "FROM%5cTO",
          "FROM/.%2fTO",
          "FROM/.%5cTO",
          "FROM/%c0%afTO",
          "FROM/%3b/TO",
          "FROM/%3bx=1/TO",
          "FROM/ENCODED-TO",
          "FROM//ENCODED-TO",
          "FROM/TO?",
          "FROM/TO#",
          "FROM/TO%00",
          "FROM/TO%2f",
          "FROM/TO%5cx",
          "FROM/TO/.",
          "FROM/TO/x/..",
          "FROM/TO/../TO",
          "/FROM/TO",
          "/.FROM/TO",
          "/;FROM/TO",
          "http://gateway.exampleFROM//TO",
          "http://gateway.exampleFROM/TO");

  private static final Pattern WORDS =
      Pattern.compile("((UPPER|ENCODED)-)?(FROM|OUT)|(ENCODED-)?TO|LONG");
  private static final String LONG_WAY_TO_NOWHERE = "x/".repeat(4_000) + "../".repeat(3_999) + "..";

  private PathForms() {}

  /**
   * The target that a form stands for.
   *
   * @param from a path in full
   * @param to what follows when its last segment is taken away
   */
  static String target(String form, String from, String to) {
    String out = from.substring(0, from.lastIndexOf('/') + 1) + to;
    return WORDS
        .matcher(form)
        .replaceAll(
            word ->
                switch (word.group()) {
                  case "UPPER-FROM" -> upper(from);
                  case "UPPER-OUT" -> upper(out);
                  case "ENCODED-FROM" -> encoded(from);
                  case "ENCODED-OUT" -> encoded(out);
                  case "ENCODED-TO" -> encoded(to);
                  case "FROM" -> from;
                  case "OUT" -> out;
                  case "TO" -> to;
                  default -> LONG_WAY_TO_NOWHERE;
                });
  }

  /** With other letters behind the context path. */
  private static String upper(String path) {
    int context = path.indexOf('/', 1);
    return path.substring(0, context) + path.substring(context).toUpperCase(Locale.ROOT);
  }

  /** With the last letter encoded. */
  private static String encoded(String path) {
    int last = path.length() - 1;
    return path.substring(0, last) + String.format("%%%02x", (int) path.charAt(last));
  }
}
