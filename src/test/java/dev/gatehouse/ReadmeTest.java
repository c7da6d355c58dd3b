package dev.gatehouse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.config.Parameters;
import dev.gatehouse.config.Problems;
import dev.gatehouse.config.Settings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** Holds the README's tables against web.xml and the code. */
class ReadmeTest {

  private static final Pattern PLACEHOLDER = Pattern.compile("\\$\\{([^:]+):(.*)}");
  private static final Path README = Path.of("README.md");
  private static final Path WEB_XML = Path.of("src/main/webapp/WEB-INF/web.xml");

  @Test
  void theChainIsTheOneInWebXml() throws Exception {
    Map<String, String> classes = new LinkedHashMap<>();
    Document webXml = webXml();
    for (Element mapping : elements(webXml, "filter-mapping")) {
      classes.put(text(mapping, "filter-name"), "");
    }
    for (Element filter : elements(webXml, "filter")) {
      classes.put(
          text(filter, "filter-name"),
          text(filter, "filter-class").substring("dev.gatehouse.".length()));
    }
    List<String> expected = new ArrayList<>();
    classes.forEach((name, type) -> expected.add("`" + name + "` `" + type + "`"));

    List<String> told = new ArrayList<>();
    for (List<String> row : table("## The chain")) {
      told.add(row.get(0) + " " + row.get(1));
    }

    assertThat(told).containsExactlyElementsOf(expected);
  }

  @Test
  void theSettingsAreTheOnesThatTheCodeReads() throws Exception {
    Map<String, String> read = new TreeMap<>();
    Document webXml = webXml();
    for (Element filter : elements(webXml, "filter")) {
      for (Element value : elements(filter, "param-value")) {
        Matcher placeholder = PLACEHOLDER.matcher(value.getTextContent().strip());
        if (placeholder.matches()) {
          read.put(placeholder.group(1), placeholder.group(2));
        }
      }
      read.putAll(defaults(text(filter, "filter-class")));
    }
    for (Element servlet : elements(webXml, "servlet")) {
      read.putAll(defaults(text(servlet, "servlet-class")));
    }
    read.remove("");
    // Theirs are told in words.
    read.remove("url");
    read.remove("accessLog");

    Map<String, String> told = new TreeMap<>();
    for (List<String> row : table("## Settings")) {
      told.put(unquoted(row.get(0)), unquoted(row.get(2)).replace("none", ""));
    }
    assertThat(told.remove("<service>.url")).isNotNull();
    assertThat(told.remove("accessLog")).isNotNull();

    read.replaceAll((key, value) -> value.replace("none", ""));
    assertThat(told).isEqualTo(read);
  }

  @Test
  void theServicesUrlsAreTheOnesInWebXml() throws Exception {
    String told = "";
    for (List<String> row : table("## Settings")) {
      if (row.get(0).equals("`<service>.url`")) {
        told = row.get(2);
      }
    }
    for (Element servlet : elements(webXml(), "servlet")) {
      for (Element param : elements(servlet, "init-param")) {
        String name = text(servlet, "servlet-name");
        String value = text(param, "param-value");
        String url = value.substring(value.indexOf(':') + 1, value.length() - 1);
        assertThat(value).isEqualTo("${" + name + ".url:" + url + "}");
        assertThat(told).contains("`" + name + "`").contains("`" + url + "`");
      }
    }
  }

  @Test
  void everyFailureIsTold() throws Exception {
    Map<String, Integer> told = new TreeMap<>();
    for (List<String> row : table("## Answers of the gateway itself")) {
      for (String code : row.get(1).split(",", -1)) {
        told.put(unquoted(code), Integer.valueOf(row.get(0)));
      }
    }

    Map<String, Integer> failures = new TreeMap<>();
    for (Failure failure : Failure.values()) {
      failures.put(failure.code(), failure.status());
    }
    assertThat(told).isEqualTo(failures);
  }

  private static Map<String, String> defaults(String className) throws Exception {
    Map<String, String> defaults = new TreeMap<>();
    if (Class.forName(className).getDeclaredConstructor().newInstance()
        instanceof Configurable configurable) {
      Problems problems = new Problems();
      Settings nothing = Settings.of(Map.of(), Map.of(), Map.of(), Map.of(), problems);
      Parameters parameters = Parameters.ofServlet("x", Map.of(), nothing, problems);
      configurable.configure(parameters);
      parameters.reads().forEach(read -> defaults.put(read.key(), read.fallback()));
    }
    return defaults;
  }

  private static List<List<String>> table(String heading) {
    return MarkdownTable.below(heading, README).rows();
  }

  private static String unquoted(String cell) {
    return cell.replace("`", "").strip();
  }

  private static Document webXml() throws Exception {
    return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(WEB_XML.toFile());
  }

  private static List<Element> elements(Document document, String name) {
    return elements(document.getDocumentElement(), name);
  }

  private static List<Element> elements(Element parent, String name) {
    List<Element> elements = new ArrayList<>();
    NodeList found = parent.getElementsByTagName(name);
    for (int i = 0; i < found.getLength(); i++) {
      elements.add((Element) found.item(i));
    }
    return elements;
  }

  private static String text(Element parent, String name) {
    return elements(parent, name).get(0).getTextContent().strip();
  }
}
