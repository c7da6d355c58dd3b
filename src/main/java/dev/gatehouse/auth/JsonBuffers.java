package dev.gatehouse.auth;

import com.fasterxml.jackson.core.util.BufferRecyclers;

/**
 * The buffers that Jackson keeps for every thread that has read a token. The server's threads
 * outlive the application, and by these buffers would hold all its classes until memory is short.
 * Jackson lets go of them only if it was told at its very start to keep a list.
 */
@SuppressWarnings("deprecation") // as an API for others; Jackson itself keeps the buffers by it
final class JsonBuffers implements AutoCloseable {

  private static final String LIST = BufferRecyclers.SYSTEM_PROPERTY_TRACK_REUSABLE_BUFFERS;

  /** Has this application's Jackson keep its list, and leaves others in the JVM alone. */
  JsonBuffers() {
    synchronized (System.getProperties()) {
      String before = System.setProperty(LIST, "true");
      try {
        BufferRecyclers.releaseBuffers();
      } finally {
        if (before == null) {
          System.clearProperty(LIST);
        } else {
          System.setProperty(LIST, before);
        }
      }
    }
  }

  /** Lets go of them all. */
  @Override
  public void close() {
    BufferRecyclers.releaseBuffers();
  }
}
