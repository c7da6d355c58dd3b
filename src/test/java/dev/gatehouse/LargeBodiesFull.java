package dev.gatehouse;

import dev.gatehouse.testing.Container;
import java.io.IOException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LargeBodiesFull {
  private static final long GIB = 1 << 30;

  @ParameterizedTest
  @MethodSource("dev.gatehouse.testing.Container#chosen")
  void bodiesOfFourGibibytesPassByteForByteInALittleHeap(Container container) throws IOException {
    LargeBodies.pass(container.newServer(), "128m", 4 * GIB, GIB / 2);
  }
}
