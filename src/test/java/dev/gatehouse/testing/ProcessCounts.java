package dev.gatehouse.testing;

import com.sun.management.ThreadMXBean;
import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.util.HashMap;
import java.util.Map;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/** What the threads of another Java process spend, in counts, which no slow machine changes. */
public final class ProcessCounts implements AutoCloseable {

  private static final String LOG_WRITER = "AsyncAppender-Worker";

  private final JMXConnector connector;
  private final ThreadMXBean threads;

  @SuppressWarnings("BanJNDI") // The other end is a process that the test has started.
  ProcessCounts(long pid) {
    try {
      VirtualMachine machine = VirtualMachine.attach(String.valueOf(pid));
      String address = machine.startLocalManagementAgent();
      machine.detach();
      connector = JMXConnectorFactory.connect(new JMXServiceURL(address));
      threads =
          ManagementFactory.newPlatformMXBeanProxy(
              connector.getMBeanServerConnection(),
              ManagementFactory.THREAD_MXBEAN_NAME,
              ThreadMXBean.class);
    } catch (AttachNotSupportedException e) {
      throw new IllegalStateException(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * What was spent.
   *
   * @param allocatedBytes of all objects in the heap; direct buffers lie outside
   * @param handOffs how often a thread waited for another one to wake it. Who waits in a selector
   *     is not in it, nor who waits for a monitor, nor the thread that writes log lines: it rests
   *     from time to time, so it waits more often the slower the machine is. All voluntary context
   *     switches, which Linux tells, would be more, but they differed by a third from round to
   *     round.
   */
  public record Spent(long allocatedBytes, long handOffs) {
    private static final Spent NOTHING = new Spent(0, 0);

    /** More than any budget allows. */
    private static final Spent UNKNOWN = new Spent(Long.MAX_VALUE, Long.MAX_VALUE);

    private Spent plus(Spent more) {
      return new Spent(allocatedBytes + more.allocatedBytes, handOffs + more.handOffs);
    }

    private Spent minus(Spent less) {
      return new Spent(allocatedBytes - less.allocatedBytes, handOffs - less.handOffs);
    }
  }

  /**
   * What the process spends while this runs. To look adds some 150 kB and 20 hand-offs. If a thread
   * ends meanwhile, nobody knows what it has spent, and more is told than any budget allows.
   */
  public Spent during(Runnable work) {
    Map<Long, Spent> before = byThread();
    work.run();
    Map<Long, Spent> after = byThread();
    if (!after.keySet().containsAll(before.keySet())) {
      return Spent.UNKNOWN;
    }
    return after.entrySet().stream()
        .map(now -> now.getValue().minus(before.getOrDefault(now.getKey(), Spent.NOTHING)))
        .reduce(Spent.NOTHING, Spent::plus);
  }

  private Map<Long, Spent> byThread() {
    long[] ids = threads.getAllThreadIds();
    long[] bytes = threads.getThreadAllocatedBytes(ids);
    ThreadInfo[] infos = threads.getThreadInfo(ids);
    Map<Long, Spent> spent = new HashMap<>();
    for (int i = 0; i < ids.length; i++) {
      // Otherwise it has ended since its id was told.
      if (bytes[i] >= 0 && infos[i] != null) {
        boolean rests = infos[i].getThreadName().startsWith(LOG_WRITER);
        spent.put(ids[i], new Spent(bytes[i], rests ? 0 : infos[i].getWaitedCount()));
      }
    }
    return spent;
  }

  @Override
  public void close() {
    try {
      connector.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
