package dev.gatehouse.testing;

import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Does all the time what Tomcat does once a second: it asks each exchange that waits whether its
 * time has come. Runs within Tomcat.
 */
public final class TimeoutChecks implements ServletContextListener {

  /** What it says in the server's log at its end, with the number of checks behind it. */
  public static final String MADE = "time-out checks made: ";

  private volatile boolean stopped;
  private @Nullable Thread thread;

  /** Copies it to where Tomcat finds classes; returns the element for web.xml. */
  static String install(Path lib) throws IOException {
    String name = TimeoutChecks.class.getName();
    String file = name.replace('.', '/') + ".class";
    Path copy = lib.resolve(file);
    Files.createDirectories(copy.getParent());
    try (InputStream in = TimeoutChecks.class.getClassLoader().getResourceAsStream(file)) {
      Files.write(copy, Objects.requireNonNull(in, file).readAllBytes());
    }
    return "<listener><listener-class>%s</listener-class></listener>".formatted(name);
  }

  @Override
  public void contextInitialized(ServletContextEvent event) {
    try {
      Object context = field(field(event.getServletContext(), "context"), "context");
      Object engine = call(call(context, "getParent"), "getParent");
      Object[] connectors = (Object[]) call(call(engine, "getService"), "findConnectors");
      Object handler = call(connectors[0], "getProtocolHandler");
      Collection<?> waiting = (Collection<?>) field(handler, "waitingProcessors");
      thread = new Thread(() -> check(waiting), "timeout-checks");
      thread.start();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this Tomcat is another one", e);
    }
  }

  private void check(Collection<?> waiting) {
    try {
      long made = 0;
      while (!stopped) {
        for (Object processor : waiting) {
          made++;
          processor
              .getClass()
              .getMethod("timeoutAsync", long.class)
              .invoke(processor, System.currentTimeMillis());
        }
      }
      // To Tomcat's log: nothing else of this is there.
      System.out.println(MADE + made);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this Tomcat is another one", e);
    }
  }

  @Override
  public void contextDestroyed(ServletContextEvent event) {
    stopped = true;
    try {
      if (thread != null) {
        thread.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static Object field(Object of, String name) throws ReflectiveOperationException {
    for (Class<?> type = of.getClass(); type != null; type = type.getSuperclass()) {
      for (Field field : type.getDeclaredFields()) {
        if (field.getName().equals(name)) {
          field.setAccessible(true);
          return field.get(of);
        }
      }
    }
    throw new NoSuchFieldException(name + " of " + of.getClass());
  }

  private static Object call(Object of, String name) throws ReflectiveOperationException {
    return of.getClass().getMethod(name).invoke(of);
  }
}
