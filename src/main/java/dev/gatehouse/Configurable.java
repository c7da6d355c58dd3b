package dev.gatehouse;

import dev.gatehouse.config.Parameters;

/**
 * A filter or servlet with parameters. It is asked to read them twice: once before anything starts,
 * on an object that is then thrown away, so that all problems of all filters and servlets are
 * reported together; and once when it is initialised.
 */
public interface Configurable {

  /** Reads every parameter, whatever the others say, and has no other effect. */
  void configure(Parameters parameters);
}
