package dev.gatehouse;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import dev.gatehouse.config.ConfigurationException;
import dev.gatehouse.config.Parameters;
import dev.gatehouse.config.Problems;
import dev.gatehouse.config.Settings;
import dev.gatehouse.log.LossCountingAsyncAppender;
import dev.gatehouse.metrics.Metrics;
import jakarta.servlet.FilterRegistration;
import jakarta.servlet.Registration;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;
import jakarta.servlet.ServletRegistration;
import java.lang.reflect.Field;
import java.lang.reflect.InaccessibleObjectException;
import java.time.Clock;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks the whole configuration before anything starts, and stops everything at the end.
 *
 * <p>If something in web.xml or in the settings is wrong, the application is not deployed, and the
 * log names every problem at once. Else the log tells each parameter's value and where it came
 * from.
 */
public final class GatewayLifecycle implements ServletContextListener {

  private static final Logger LOG = LoggerFactory.getLogger(GatewayLifecycle.class);

  private @Nullable Gateway gateway;

  @Override
  public void contextInitialized(ServletContextEvent event) {
    ServletContext context = event.getServletContext();
    Problems problems = new Problems();
    Settings settings = Settings.of(context, problems);
    Configuration configuration = readAll(context, settings, problems);
    settings.reportUnknown().forEach(LOG::warn);
    try {
      problems.refuse();
    } catch (ConfigurationException e) {
      LOG.error("{}", e.getMessage());
      stopLogs();
      throw e;
    }
    report(configuration);

    Clock clock = Clock.system(ZoneId.systemDefault());
    Gateway started = new Gateway(clock, settings, configuration, new Metrics());
    countLostLines(started.metrics());
    started.publish(context);
    gateway = started;
  }

  @Override
  public void contextDestroyed(ServletContextEvent event) {
    if (gateway != null) {
      gateway.close();
      gateway.metrics().close();
    }
    stopLogs();
    leaveThreads();
  }

  /**
   * Has the server's threads forget the application. Up to JDK 23 a thread remembers, for a
   * security manager, which code it was started by, and so do the threads that it starts in turn: a
   * thread of Tomcat's pool that was started while we called Tomcat would keep our classes for as
   * long as Tomcat runs. Stock Tomcat opens java.lang for this kind of thing; Jetty starts its
   * threads in a privileged block, which remembers Jetty only.
   */
  @SuppressWarnings("removal") // Where there is no more getSecurityManager, there is no field.
  private static void leaveThreads() {
    try {
      Field startedBy = Thread.class.getDeclaredField("inheritedAccessControlContext");
      if (System.getSecurityManager() != null) {
        return;
      }
      startedBy.setAccessible(true);
      for (Thread thread : Thread.getAllStackTraces().keySet()) {
        startedBy.set(thread, null);
      }
    } catch (ReflectiveOperationException
        | InaccessibleObjectException
        | SecurityException notHere) {
      // The JDK has no such field, or the server does not open it.
    }
  }

  /** Writes what is queued and ends the logs' threads, which would outlive the application. */
  private static void stopLogs() {
    if (LoggerFactory.getILoggerFactory() instanceof LoggerContext logs) {
      logs.stop();
    }
  }

  /** Has every filter and servlet of ours read its parameters, on objects that are then dropped. */
  private static Configuration readAll(
      ServletContext context, Settings settings, Problems problems) {
    List<Configuration.Component> filters = new ArrayList<>();
    for (FilterRegistration filter : byName(context.getFilterRegistrations())) {
      filters.add(
          component(
              context,
              filter,
              filter.getUrlPatternMappings(),
              filter.getServletNameMappings(),
              Parameters.ofFilter(filter.getName(), filter.getInitParameters(), settings, problems)
                  .amongServlets(context.getServletRegistrations().keySet())));
    }
    List<Configuration.Component> servlets = new ArrayList<>();
    for (ServletRegistration servlet : byName(context.getServletRegistrations())) {
      servlets.add(
          component(
              context,
              servlet,
              servlet.getMappings(),
              List.of(),
              Parameters.ofServlet(
                  servlet.getName(), servlet.getInitParameters(), settings, problems)));
    }
    return new Configuration(
        context.getContextPath(), context.getServerInfo(), settings.file(), filters, servlets);
  }

  private static <T> Collection<T> byName(Map<String, ? extends T> registrations) {
    return new TreeMap<String, T>(registrations).values();
  }

  private static Configuration.Component component(
      ServletContext context,
      Registration registration,
      Collection<String> patterns,
      Collection<String> servletNames,
      Parameters parameters) {
    String className = Objects.requireNonNullElse(registration.getClassName(), "");
    if (!className.isEmpty()) {
      read(context, className, parameters);
    }
    return new Configuration.Component(
        registration.getName(),
        className,
        sorted(patterns),
        sorted(servletNames),
        parameters.reads());
  }

  /** Each once: the servers tell them in orders of their own. */
  private static List<String> sorted(Collection<String> names) {
    return List.copyOf(new TreeSet<>(names));
  }

  private static void read(ServletContext context, String className, Parameters parameters) {
    try {
      Class<?> type = Class.forName(className, false, context.getClassLoader());
      if (Configurable.class.isAssignableFrom(type)) {
        ((Configurable) type.getDeclaredConstructor().newInstance()).configure(parameters);
        parameters.reportUnknown();
      } else if (className.startsWith("dev.gatehouse.")) {
        parameters.reportUnknown();
      }
    } catch (RuntimeException e) {
      parameters.problem("its parameters cannot be read: " + e);
    } catch (ReflectiveOperationException | LinkageError e) {
      // The server's own servlets may be hidden from us; the server reports those that are missing.
      if (className.startsWith("dev.gatehouse.")) {
        parameters.problem("class " + className + " cannot be used: " + e);
      }
    }
  }

  private static void report(Configuration configuration) {
    StringBuilder report = new StringBuilder(2048);
    String path = configuration.contextPath();
    report.append("Gatehouse at ").append(path.isEmpty() ? "/" : path);
    report.append(" in ").append(configuration.server());
    report.append(", settings file: ");
    report.append(configuration.file() == null ? "none" : configuration.file());
    for (List<Configuration.Component> components :
        List.of(configuration.filters(), configuration.servlets())) {
      for (Configuration.Component component : components) {
        for (Parameters.Read read : component.parameters()) {
          report.append("\n  ").append(read.component()).append(": ").append(read.name());
          report.append(" = ").append(read.text().isEmpty() ? "(not set)" : read.text());
          report.append(" (").append(read.source()).append(')');
        }
      }
    }
    LOG.info("{}", report);
  }

  private static void countLostLines(Metrics metrics) {
    if (LoggerFactory.getILoggerFactory() instanceof LoggerContext logs) {
      Iterator<Appender<ILoggingEvent>> appenders =
          logs.getLogger(Logger.ROOT_LOGGER_NAME).iteratorForAppenders();
      while (appenders.hasNext()) {
        if (appenders.next() instanceof LossCountingAsyncAppender appender) {
          metrics.logLinesLost("gateway", appender, LossCountingAsyncAppender::lost);
        }
      }
    }
  }
}
