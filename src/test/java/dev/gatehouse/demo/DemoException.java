package dev.gatehouse.demo;

/** Why the demo cannot run, in words for whoever started it. */
final class DemoException extends Exception {
  private static final long serialVersionUID = 1;

  DemoException(String message) {
    super(message);
  }
}
