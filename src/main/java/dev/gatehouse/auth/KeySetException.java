package dev.gatehouse.auth;

/** A key set could not be fetched, or what came was none. */
final class KeySetException extends Exception {

  private static final long serialVersionUID = 1L;

  private final String outcome;

  /**
   * @param outcome one word, from a closed set, for metrics
   * @param message for the log; nothing of it goes to clients
   */
  KeySetException(String outcome, String message) {
    super(message);
    this.outcome = outcome;
  }

  String outcome() {
    return outcome;
  }
}
