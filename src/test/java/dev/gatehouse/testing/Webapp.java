package dev.gatehouse.testing;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One deployment of the WAR: a context path, its settings file and what its web.xml has besides.
 */
public final class Webapp {
  private final String context;
  private final Map<String, String> settings = new LinkedHashMap<>();
  private final StringBuilder webXml = new StringBuilder();

  private Webapp(String context) {
    this.context = context;
  }

  /** A deployment at a context path: {@code ""} for the root, else such as {@code "/gw"}. */
  public static Webapp at(String context) {
    return new Webapp(context);
  }

  /** A line of the settings file. */
  public Webapp setting(String key, String value) {
    settings.put(key, value);
    return this;
  }

  /** Elements that an administrator adds to web.xml from outside the WAR. */
  public Webapp webXml(String elements) {
    webXml.append(elements).append('\n');
    return this;
  }

  String context() {
    return context;
  }

  /** What the containers call it: the name of its descriptor without the suffix. */
  String name() {
    return context.isEmpty() ? "ROOT" : context.substring(1);
  }

  Map<String, String> settings() {
    return settings;
  }

  String webXml() {
    return webXml.toString();
  }
}
