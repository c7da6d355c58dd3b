package dev.gatehouse.config;

import java.util.List;

/** The configuration is wrong, and the application must not be deployed; holds every problem. */
public final class ConfigurationException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final List<String> problems;

  public ConfigurationException(List<String> problems) {
    super(message(problems));
    this.problems = List.copyOf(problems);
  }

  private static String message(List<String> problems) {
    return "Gatehouse does not start: "
        + problems.size()
        + (problems.size() == 1 ? " problem" : " problems")
        + " in its configuration:\n  - "
        + String.join("\n  - ", problems);
  }

  public List<String> problems() {
    return problems;
  }
}
