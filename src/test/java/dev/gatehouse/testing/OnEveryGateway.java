package dev.gatehouse.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ArgumentsSource;

/**
 * Runs a test class once for each running gateway, which its constructor takes; the upstreams are
 * fresh before each test.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ParameterizedClass(name = "{0}")
@ArgumentsSource(RunningGateways.class)
@ExtendWith(RunningGateways.class)
public @interface OnEveryGateway {
  /** The contexts that the class is for: see {@link RunningGateways} for what each has. */
  String[] contexts() default {RunningGateways.STOCK, RunningGateways.EXTENDED};

  /**
   * Whether it wants servers of its own, as they come: without what {@code docs/containers.md} asks
   * for.
   */
  boolean asTheyCome() default false;
}
