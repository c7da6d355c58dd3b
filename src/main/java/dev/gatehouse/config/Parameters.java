package dev.gatehouse.config;

import jakarta.servlet.FilterConfig;
import jakarta.servlet.ServletConfig;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of one filter or servlet, read once each, with every problem collected.
 *
 * <p>A parameter's value is the init-param of that name in web.xml, with its placeholders expanded;
 * without one, the setting of the parameter's key; without that, the default. An empty value means
 * "not set" where the parameter may be absent.
 */
public final class Parameters {

  /**
   * What one parameter came to.
   *
   * @param component such as {@code servlet users}
   * @param name the init-param's name
   * @param key the setting's key; empty if it is set in web.xml only
   * @param format what may be written, in words
   * @param fallback the default, as it would be written; empty if there is none
   * @param text the value in effect, secrets masked
   * @param source where the value came from
   */
  public record Read(
      String component,
      String name,
      String key,
      String format,
      String fallback,
      String text,
      String source) {}

  /** The user and the password of a URL, and its query: some providers want a secret there. */
  private static final Pattern SECRETS =
      Pattern.compile("(?<=//)[^/@\\s]*(?=@)|(?<=://[^?\\s]{1,500}\\?)[^'\\s]+");

  private final String component;
  private final String scope;
  private final Map<String, String> initParameters;
  private final Settings settings;
  private final Problems problems;
  private final List<Read> reads = new ArrayList<>();
  private @Nullable String keyPrefix = "";
  private Set<String> servlets = Set.of();

  private Parameters(
      String component,
      String scope,
      Map<String, String> initParameters,
      Settings settings,
      Problems problems) {
    this.component = component;
    this.scope = scope;
    this.initParameters = initParameters;
    this.settings = settings;
    this.problems = problems;
  }

  /** The parameters of a filter. */
  public static Parameters ofFilter(
      String name, Map<String, String> initParameters, Settings settings, Problems problems) {
    return new Parameters("filter " + name, "", initParameters, settings, problems);
  }

  /** The parameters of a filter, as the server hands them to it. */
  public static Parameters of(FilterConfig config, Settings settings, Problems problems) {
    return ofFilter(
        config.getFilterName(),
        collect(config.getInitParameterNames(), config::getInitParameter),
        settings,
        problems);
  }

  /** The parameters of a servlet, as the server hands them to it. */
  public static Parameters of(ServletConfig config, Settings settings, Problems problems) {
    return ofServlet(
        config.getServletName(),
        collect(config.getInitParameterNames(), config::getInitParameter),
        settings,
        problems);
  }

  private static Map<String, String> collect(
      Enumeration<String> names, Function<String, @Nullable String> values) {
    Map<String, String> collected = new HashMap<>();
    for (String name : Collections.list(names)) {
      String value = values.apply(name);
      if (value != null) {
        collected.put(name, value);
      }
    }
    return collected;
  }

  /** The parameters of a servlet: settings of its own, {@code <servlet>.<key>}, go first. */
  public static Parameters ofServlet(
      String name, Map<String, String> initParameters, Settings settings, Problems problems) {
    return new Parameters("servlet " + name, name + ".", initParameters, settings, problems);
  }

  /** From here on, names of other servlets than these are a problem. */
  public Parameters amongServlets(Set<String> all) {
    servlets = all;
    return this;
  }

  /** Servlet-names with commas, with a default. */
  public Set<String> servlets(String name, String fallback) {
    Set<String> named = value(name, fallback, "servlet-names with commas", Parameters::names);
    Set<String> unknown = new TreeSet<>(named);
    unknown.removeAll(servlets);
    if (isWritten(name) && !servlets.isEmpty() && !unknown.isEmpty()) {
      problem("init-param '" + name + "': expected servlet-names, got " + unknown);
    }
    return named;
  }

  private static Set<String> names(String text) {
    return Arrays.stream(text.split(",", -1))
        .map(String::strip)
        .filter(each -> !each.isEmpty())
        .collect(Collectors.toUnmodifiableSet());
  }

  /**
   * From here on, the settings' keys are the parameters' names behind a prefix such as {@code
   * jwt.}.
   */
  public void keysUnder(String prefix) {
    keyPrefix = prefix;
  }

  /** From here on, the parameters are set in web.xml only. */
  public void withoutSettings() {
    keyPrefix = null;
  }

  /** Text, or nothing if it is not set. */
  public Optional<String> text(String name, String format) {
    return parse(name, "", format, Parameters::shown, Function.identity());
  }

  /** Text with a default. */
  public String text(String name, String fallback, String format) {
    return parse(name, fallback, format, Parameters::shown, Function.identity()).orElse(fallback);
  }

  /** Like {@link #value(String, String, Function)}, for what is never shown. */
  public <T> Optional<T> secretValue(String name, String format, Function<String, T> parser) {
    return parse(name, "", format, Parameters::masked, parser);
  }

  /**
   * A value of any type.
   *
   * @param parser throws {@link IllegalArgumentException} whose message says what was expected
   * @return nothing if it is not set, or is wrong (the problem is then recorded)
   */
  public <T> Optional<T> value(String name, String format, Function<String, T> parser) {
    return parse(name, "", format, Parameters::shown, parser);
  }

  /**
   * A value of any type with a default, where an empty value is a value, too (such as: no paths).
   *
   * @param parser must take the default
   */
  public <T> T value(String name, String fallback, String format, Function<String, T> parser) {
    return value(name, fallback, format, parser, Parameters::shown);
  }

  /**
   * The same, for what has a secret in it.
   *
   * @param shown what may be shown of a text, be it right or wrong
   */
  public <T> T value(
      String name,
      String fallback,
      String format,
      Function<String, T> parser,
      UnaryOperator<String> shown) {
    Optional<T> parsed = parse(name, fallback, format, shown, parser);
    if (parsed.isPresent() || isSet(name)) {
      return parsed.orElseGet(() -> parser.apply(fallback));
    }
    try {
      return parser.apply("");
    } catch (IllegalArgumentException e) {
      problem("init-param '" + name + "': expected " + e.getMessage() + ", got ''");
      return parser.apply(fallback);
    }
  }

  /** Whether a parameter that was read has a value that is not empty, be it right or wrong. */
  public boolean isSet(String name) {
    return reads.stream().anyMatch(read -> read.name().equals(name) && !read.text().isEmpty());
  }

  /** Whether web.xml has the init-param, be its value empty or not. */
  public boolean isWritten(String name) {
    return initParameters.containsKey(name);
  }

  /** One of several words. */
  public String choice(String name, String fallback, String... words) {
    List<String> allowed = Arrays.asList(words);
    return parse(
            name,
            fallback,
            String.join(", ", allowed),
            Parameters::shown,
            text -> {
              if (!allowed.contains(text)) {
                throw new IllegalArgumentException("one of " + String.join(", ", allowed));
              }
              return text;
            })
        .orElse(fallback);
  }

  /** A time span of more than nothing. */
  public Duration duration(String name, String fallback) {
    return parse(name, fallback, "duration", Parameters::shown, Quantity::positiveDuration)
        .orElseGet(() -> Quantity.duration(fallback));
  }

  /** A time span of more than nothing, or nothing if it is not set or is {@code none}. */
  public Optional<Duration> optionalDuration(String name) {
    return parse(
            name,
            "none",
            "duration",
            Parameters::shown,
            text ->
                text.equals("none")
                    ? Optional.<Duration>empty()
                    : Optional.of(Quantity.positiveDuration(text)))
        .flatMap(Function.identity());
  }

  /** Records a problem that concerns several parameters, or a value as a whole. */
  public void problem(String problem) {
    problems.add(component, SECRETS.matcher(problem).replaceAll("***"));
  }

  /** Reports the init-params that nobody read. */
  public void reportUnknown() {
    Set<String> known = new TreeSet<>();
    reads.forEach(read -> known.add(read.name()));
    for (String name : new TreeSet<>(initParameters.keySet())) {
      if (!known.contains(name)) {
        problem("unknown init-param '" + name + "'" + Problems.didYouMean(name, known));
      }
    }
  }

  /** What was read, in the order in which it was read. */
  public List<Read> reads() {
    return List.copyOf(reads);
  }

  private static String masked(String text) {
    return text.isEmpty() ? "" : "***";
  }

  private static String shown(String text) {
    // A private key where a public one was expected is a secret, too, now that it is here.
    return text.contains("PRIVATE KEY-----")
        ? masked(text)
        : SECRETS.matcher(text).replaceAll(masked(text));
  }

  private <T> Optional<T> parse(
      String name,
      String fallback,
      String format,
      UnaryOperator<String> display,
      Function<String, T> parser) {
    Setting setting = find(name, fallback, display);
    String shown = display.apply(setting.text());
    reads.add(new Read(component, name, key(name), format, fallback, shown, setting.source()));
    if (setting.text().isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(parser.apply(setting.text()));
    } catch (IllegalArgumentException e) {
      problem(
          "init-param '"
              + name
              + "' ("
              + setting.source()
              + "): expected "
              + e.getMessage()
              + ", got '"
              + shown
              + "'");
      return Optional.empty();
    }
  }

  private Setting find(String name, String fallback, UnaryOperator<String> display) {
    String written = initParameters.get(name);
    if (written != null) {
      try {
        return Placeholders.expand(written.strip(), "web.xml", settings::find);
      } catch (IllegalArgumentException e) {
        String got = ", got '" + display.apply(written) + "'";
        problem("init-param '" + name + "': " + e.getMessage() + got);
        return new Setting("", "web.xml");
      }
    }
    // Looked up only here: a setting that a literal in web.xml overrides has no effect, and what
    // has
    // no effect is reported as unknown.
    Setting set = keyPrefix == null ? null : setting(key(name));
    return set != null ? set : new Setting(fallback, "default");
  }

  private String key(String name) {
    return keyPrefix == null ? "" : keyPrefix + name;
  }

  private @Nullable Setting setting(String key) {
    Setting own = scope.isEmpty() ? null : settings.find(scope + key);
    Setting common = settings.find(key);
    return own != null ? own : common;
  }
}
