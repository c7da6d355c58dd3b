package dev.gatehouse.demo;

import java.io.IOException;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/** Ports that nobody listens on, for servers that must be told theirs before they start. */
final class FreePorts {
  // Below the range that systems give to outgoing connections, so that none of those takes one
  // meanwhile.
  private static final int LOWEST = 20_000;
  private static final int BEYOND = 30_000;

  private FreePorts() {}

  static int one() {
    return inARow(1);
  }

  /** The first of so many. */
  static int inARow(int count) {
    for (int attempt = 0; attempt < 1_000; attempt++) {
      int first = ThreadLocalRandom.current().nextInt(LOWEST, BEYOND - count);
      if (areFree(first, count)) {
        return first;
      }
    }
    throw new IllegalStateException("no " + count + " free ports in a row");
  }

  static boolean areFree(int first, int count) {
    for (int port = first; port < first + count; port++) {
      try (ServerSocket probe = new ServerSocket(port)) {
        probe.setReuseAddress(true);
      } catch (IOException inUse) {
        return false;
      }
    }
    return true;
  }
}
