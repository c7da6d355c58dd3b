package dev.gatehouse;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A table of a document, for tests that hold it against what is. */
final class MarkdownTable {
  private final List<List<String>> lines;

  private MarkdownTable(List<List<String>> lines) {
    this.lines = lines;
  }

  /** The first table behind a heading. */
  static MarkdownTable below(String heading, Path document) {
    List<List<String>> lines = new ArrayList<>();
    boolean below = false;
    for (String line : read(document)) {
      if (line.equals(heading)) {
        below = true;
      } else if (below && line.startsWith("|")) {
        lines.add(cells(line));
      } else if (below && !lines.isEmpty()) {
        break;
      }
    }
    if (lines.size() < 3) {
      throw new IllegalStateException(document + " has no table below " + heading);
    }
    return new MarkdownTable(lines);
  }

  /** The cells of each row. */
  List<List<String>> rows() {
    return lines.subList(2, lines.size());
  }

  /** The cells of each row by the heads of their columns. */
  List<Map<String, String>> rowsByHead() {
    List<Map<String, String>> rows = new ArrayList<>();
    for (List<String> cells : rows()) {
      Map<String, String> row = new LinkedHashMap<>();
      for (int i = 0; i < cells.size(); i++) {
        row.put(lines.get(0).get(i), requireNonNull(cells.get(i)));
      }
      rows.add(row);
    }
    return rows;
  }

  private static List<String> cells(String line) {
    String[] cells = line.substring(1, line.length() - 1).split("(?<!\\\\)\\|", -1);
    return Arrays.stream(cells).map(cell -> cell.replace("\\|", "|").strip()).toList();
  }

  private static List<String> read(Path document) {
    try {
      return Files.readAllLines(document);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
