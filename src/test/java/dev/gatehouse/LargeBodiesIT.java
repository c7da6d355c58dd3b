package dev.gatehouse;

import dev.gatehouse.testing.Container;
import java.io.IOException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LargeBodiesIT {
  private static final long MIB = 1 << 20;

  @ParameterizedTest
  @MethodSource("dev.gatehouse.testing.Container#chosen")
  void bodiesLargerThanTheHeapPassByteForByte(Container container) throws IOException {
    LargeBodies.pass(container.newServer(), "32m", 70 * MIB, 70 * MIB);
  }
}
