package dev.gatehouse.demo;

import java.io.IOException;

/** A port that somebody else listens on. */
public final class PortInUseException extends IOException {
  private static final long serialVersionUID = 1;

  private final int port;

  PortInUseException(int port, IOException cause) {
    super("port " + port + " is in use", cause);
    this.port = port;
  }

  public int port() {
    return port;
  }
}
