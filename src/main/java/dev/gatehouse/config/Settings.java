package dev.gatehouse.config;

import jakarta.servlet.ServletContext;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import javax.naming.InitialContext;
import javax.naming.NamingException;
import org.jspecify.annotations.Nullable;

/**
 * The values that admins set outside of web.xml, looked up in this order, first hit wins: JVM
 * system property, environment variable, JNDI, context init-parameter, settings file.
 *
 * <p>One object is one state of its sources: the settings file is read once, when the object is
 * made. Whoever wants newer values makes a new one.
 */
public final class Settings {

  private static final String PREFIX = "gatehouse.";
  private static final String VARIABLE_PREFIX = "GATEHOUSE_";

  /** The key that names the settings file; it cannot stand in the file itself. */
  static final String FILE_KEY = "config";

  private final Map<String, String> systemProperties;
  private final Map<String, String> environment;
  private final Function<String, @Nullable String> jndi;
  private final Map<String, String> contextParameters;
  private final Problems problems;
  private final Map<String, String> file;
  private final @Nullable Path path;

  /** Keys that somebody asked for: what is set under another key has no effect. */
  private final Set<String> known = ConcurrentHashMap.newKeySet();

  private Settings(
      Map<String, String> systemProperties,
      Map<String, String> environment,
      Function<String, @Nullable String> jndi,
      Map<String, String> contextParameters,
      Problems problems) {
    this.systemProperties = systemProperties;
    this.environment = environment;
    this.jndi = jndi;
    this.contextParameters = contextParameters;
    this.problems = problems;
    this.file = new HashMap<>();
    this.path = readFile();
  }

  /** Reads the sources as this JVM, this server and this web application have them. */
  public static Settings of(ServletContext context, Problems problems) {
    Map<String, String> contextParameters = new HashMap<>();
    for (String name : Collections.list(context.getInitParameterNames())) {
      if (name.startsWith(PREFIX)) {
        contextParameters.put(name.substring(PREFIX.length()), context.getInitParameter(name));
      }
    }
    Map<String, String> systemProperties = new HashMap<>();
    Properties all = System.getProperties();
    for (String name : all.stringPropertyNames()) {
      systemProperties.put(name, all.getProperty(name));
    }
    return new Settings(
        systemProperties, System.getenv(), Settings::lookUp, contextParameters, problems);
  }

  /** Settings from given sources, for tests. JNDI and context init-parameters by their bare key. */
  public static Settings of(
      Map<String, String> systemProperties,
      Map<String, String> environment,
      Map<String, String> jndi,
      Map<String, String> contextParameters,
      Problems problems) {
    return new Settings(systemProperties, environment, jndi::get, contextParameters, problems);
  }

  /**
   * The value set for a key, or null if it is set nowhere.
   *
   * @param key such as {@code users.url}
   */
  public @Nullable Setting find(String key) {
    known.add(key);
    Setting outside = findOutsideFile(key);
    if (outside != null) {
      return outside;
    }
    String value = file.get(key);
    return value == null ? null : new Setting(value.strip(), "file " + path + ": " + key);
  }

  private @Nullable Setting findOutsideFile(String key) {
    String value = systemProperties.get(PREFIX + key);
    if (value != null) {
      return new Setting(value.strip(), "system property " + PREFIX + key);
    }
    Setting variable = findInEnvironment(variable(key));
    if (variable != null) {
      return variable;
    }
    value = jndi.apply(key);
    if (value != null) {
      return new Setting(value.strip(), "JNDI java:comp/env/gatehouse/" + key);
    }
    value = contextParameters.get(key);
    if (value != null) {
      return new Setting(value.strip(), "context init-parameter " + PREFIX + key);
    }
    return null;
  }

  private @Nullable Setting findInEnvironment(String name) {
    String value = environment.get(name);
    String secretFile = environment.get(name + "_FILE");
    if (value != null && secretFile != null) {
      problems.add("environment: both " + name + " and " + name + "_FILE are set; expected one");
    }
    if (value != null) {
      return new Setting(value.strip(), "environment variable " + name);
    }
    if (secretFile != null) {
      try {
        return new Setting(
            Files.readString(Path.of(secretFile)).strip(),
            "environment variable " + name + "_FILE (" + secretFile + ")");
      } catch (IOException | RuntimeException e) {
        problems.add(
            "environment variable " + name + "_FILE: cannot read '" + secretFile + "': " + e);
        return new Setting("", "environment variable " + name + "_FILE");
      }
    }
    return null;
  }

  private @Nullable Path readFile() {
    Setting named = findOutsideFile(FILE_KEY);
    Path chosen = null;
    if (named != null) {
      try {
        chosen = Path.of(named.text());
      } catch (RuntimeException e) {
        problems.add("gatehouse.config (" + named.source() + "): not a path: " + named.text());
        return null;
      }
    } else {
      for (String[] place :
          new String[][] {
            {"jetty.base", "etc/gatehouse.properties"},
            {"catalina.base", "conf/gatehouse.properties"}
          }) {
        String base = systemProperties.get(place[0]);
        if (base != null && Files.exists(Path.of(base, place[1]))) {
          chosen = Path.of(base, place[1]);
          break;
        }
      }
    }
    if (chosen == null) {
      return null;
    }
    try (Reader reader = Files.newBufferedReader(chosen, StandardCharsets.UTF_8)) {
      Path source = chosen;
      new Properties() {
        private static final long serialVersionUID = 1L;

        @Override
        public synchronized @Nullable Object put(Object key, Object value) {
          if (file.put((String) key, (String) value) != null) {
            problems.add("file " + source + ": '" + key + "' is set twice");
          }
          return null;
        }
      }.load(reader);
    } catch (IOException | RuntimeException e) {
      problems.add("settings file " + chosen + ": cannot be read: " + e);
    }
    return chosen;
  }

  /** The settings file in use, or null if there is none. */
  public @Nullable Path file() {
    return path;
  }

  /**
   * Reports what is set but was never asked for: in the file and in context init-parameters that is
   * a problem; system properties and variables are shared by the whole JVM, so there it is only a
   * warning.
   *
   * @return the warnings
   */
  public List<String> reportUnknown() {
    for (String key : new TreeSet<>(file.keySet())) {
      if (!known.contains(key)) {
        problems.add(
            "file " + path + ": unknown setting '" + key + "'" + Problems.didYouMean(key, known));
      }
    }
    for (String key : new TreeSet<>(contextParameters.keySet())) {
      if (!known.contains(key) && !key.equals(FILE_KEY)) {
        problems.add(
            "context init-parameter '"
                + PREFIX
                + key
                + "': unknown setting"
                + Problems.didYouMean(key, known));
      }
    }
    List<String> warnings = new ArrayList<>();
    for (String name : new TreeSet<>(systemProperties.keySet())) {
      String key = name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : FILE_KEY;
      if (!known.contains(key) && !key.equals(FILE_KEY)) {
        warnings.add(
            "system property '" + name + "': unknown setting" + Problems.didYouMean(key, known));
      }
    }
    Set<String> variables = new TreeSet<>();
    variables.add(variable(FILE_KEY));
    known.forEach(key -> variables.add(variable(key)));
    for (String name : new TreeSet<>(environment.keySet())) {
      String plain = name.endsWith("_FILE") ? name.substring(0, name.length() - 5) : name;
      if (name.startsWith(VARIABLE_PREFIX)
          && !variables.contains(plain)
          && !variables.contains(name)) {
        warnings.add(
            "environment variable '"
                + name
                + "': unknown setting"
                + Problems.didYouMean(plain, variables));
      }
    }
    return warnings;
  }

  static String variable(String key) {
    return VARIABLE_PREFIX + key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
  }

  /** Asks this application's own naming context, by names that no request has a part in. */
  @SuppressWarnings("BanJNDI")
  private static @Nullable String lookUp(String key) {
    try {
      Object value = new InitialContext().lookup("java:comp/env/gatehouse/" + key);
      return value == null ? null : value.toString();
    } catch (NamingException | RuntimeException e) {
      // A server without JNDI, or a name that is not bound: both mean "not set here".
      return null;
    }
  }
}
