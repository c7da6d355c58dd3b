package dev.gatehouse.config;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Everything that is wrong with a configuration, gathered before anything is refused. */
public final class Problems {

  /** The filters and servlets that have a problem, by the problem; both in the order they came. */
  private final Map<String, Set<String>> problems = new LinkedHashMap<>();

  /** Adds a problem of the settings as a whole. */
  public void add(String problem) {
    problems.computeIfAbsent(problem, first -> new LinkedHashSet<>());
  }

  /**
   * Adds a problem of a filter or servlet. If others have the same one, such as a wrong value of a
   * setting for all services, it is told once with all their names.
   *
   * @param component such as {@code servlet users}
   */
  public void add(String component, String problem) {
    problems.computeIfAbsent(problem, first -> new LinkedHashSet<>()).add(component);
  }

  public List<String> list() {
    List<String> list = new ArrayList<>();
    problems.forEach(
        (problem, components) ->
            list.add(
                components.isEmpty() ? problem : String.join(", ", components) + ": " + problem));
    return List.copyOf(list);
  }

  /**
   * @throws ConfigurationException with all problems, if there is one
   */
  public void refuse() {
    if (!problems.isEmpty()) {
      throw new ConfigurationException(list());
    }
  }

  /** The sentence part "; did you mean 'x'?" for the nearest known name, or nothing. */
  static String didYouMean(String name, Collection<String> known) {
    String wanted = name.toLowerCase(Locale.ROOT);
    String best = "";
    int bestDistance = Math.max(2, name.length() / 4) + 1;
    for (String candidate : known) {
      int distance = distance(wanted, candidate.toLowerCase(Locale.ROOT));
      if (distance < bestDistance) {
        best = candidate;
        bestDistance = distance;
      }
    }
    return best.isEmpty() ? "" : "; did you mean '" + best + "'?";
  }

  /** Levenshtein's edit distance. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int substituted = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(substituted, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
