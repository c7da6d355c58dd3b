package dev.gatehouse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.config.Parameters;
import dev.gatehouse.config.Problems;
import dev.gatehouse.config.Settings;
import jakarta.servlet.Filter;
import jakarta.servlet.Servlet;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

class WebXmlTest {

  private final Problems problems = new Problems();
  private final Settings settings = Settings.of(Map.of(), Map.of(), Map.of(), Map.of(), problems);
  private List<Element> all = List.of();
  private List<Element> mappings = List.of();

  @BeforeEach
  void parse() throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
    factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
    Element root =
        factory
            .newDocumentBuilder()
            .parse(Path.of("src/main/webapp/WEB-INF/web.xml").toFile())
            .getDocumentElement();
    all = new ArrayList<>();
    all.add(root);
    all.addAll(children(root));
    mappings = elements("servlet-mapping");
  }

  private static List<Element> children(Element parent) {
    List<Element> children = new ArrayList<>();
    NodeList nodes = parent.getChildNodes();
    for (int i = 0; i < nodes.getLength(); i++) {
      Node node = nodes.item(i);
      if (node instanceof Element element) {
        children.add(element);
      }
    }
    return children;
  }

  private List<Element> elements(String name) {
    return all.stream().filter(element -> element.getTagName().equals(name)).toList();
  }

  private static List<String> texts(Element parent, String name) {
    return children(parent).stream()
        .filter(child -> child.getTagName().equals(name))
        .map(child -> child.getTextContent().strip())
        .toList();
  }

  private static String text(Element parent, String name) {
    List<String> texts = texts(parent, name);
    assertThat(texts).as("%s of %s", name, parent.getTextContent()).hasSize(1);
    return texts.get(0);
  }

  private Element servlet(String name) {
    return elements("servlet").stream()
        .filter(servlet -> text(servlet, "servlet-name").equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static Map<String, String> initParameters(Element component) {
    Map<String, String> parameters = new LinkedHashMap<>();
    for (Element child : children(component)) {
      if (child.getTagName().equals("init-param")) {
        parameters.put(text(child, "param-name"), text(child, "param-value"));
      }
    }
    return parameters;
  }

  private List<String> patternsOf(String servlet) {
    return mappings.stream()
        .filter(mapping -> text(mapping, "servlet-name").equals(servlet))
        .flatMap(mapping -> texts(mapping, "url-pattern").stream())
        .toList();
  }

  private Parameters parametersOf(Element component) {
    boolean filter = component.getTagName().equals("filter");
    String name = text(component, filter ? "filter-name" : "servlet-name");
    Map<String, String> init = initParameters(component);
    return filter
        ? Parameters.ofFilter(name, init, settings, problems)
        : Parameters.ofServlet(name, init, settings, problems);
  }

  /** Has a component read its parameters, as GatewayLifecycle does. */
  private Parameters read(Element component) throws ReflectiveOperationException {
    boolean filter = component.getTagName().equals("filter");
    String className = text(component, filter ? "filter-class" : "servlet-class");
    Parameters parameters = parametersOf(component);
    Object instance = Class.forName(className).getDeclaredConstructor().newInstance();
    if (instance instanceof Configurable configurable) {
      configurable.configure(parameters);
    }
    parameters.reportUnknown();
    return parameters;
  }

  private Map<String, Parameters.Read> readAll() throws ReflectiveOperationException {
    Map<String, Parameters.Read> reads = new TreeMap<>();
    List<Element> components = new ArrayList<>(elements("filter"));
    components.addAll(elements("servlet"));
    for (Element component : components) {
      for (Parameters.Read read : read(component).reads()) {
        reads.put(read.component() + " " + read.name(), read);
      }
    }
    return reads;
  }

  @Test
  void nothingJoinsTheChainThatTheFileDoesNotName() {
    assertThat(all.get(0).getAttribute("metadata-complete")).isEqualTo("true");
    assertThat(elements("absolute-ordering")).hasSize(1);
    assertThat(children(elements("absolute-ordering").get(0))).isEmpty();
  }

  @Test
  void everyFilterAndServletSupportsAsynchronousRequests() {
    for (String kind : List.of("filter", "servlet")) {
      for (Element component : elements(kind)) {
        assertThat(text(component, "async-supported"))
            .as(text(component, kind + "-name"))
            .isEqualTo("true");
      }
    }
  }

  @Test
  void everyFilterSaysWhyItStandsWhereItStands() {
    for (Element filter : elements("filter")) {
      assertThat(text(filter, "description")).as(text(filter, "filter-name")).endsWith(".");
    }
  }

  @Test
  void filtersAreMappedByUrlPatternOnly() {
    for (Element mapping : elements("filter-mapping")) {
      assertThat(texts(mapping, "servlet-name")).isEmpty();
      assertThat(texts(mapping, "url-pattern")).isNotEmpty();
      assertThat(texts(mapping, "dispatcher")).isEmpty();
    }
  }

  @Test
  void everyClassExistsAndIsWhatItIsUsedAs() throws ClassNotFoundException {
    for (Element filter : elements("filter")) {
      assertThat(Filter.class).isAssignableFrom(Class.forName(text(filter, "filter-class")));
    }
    for (Element servlet : elements("servlet")) {
      assertThat(Servlet.class).isAssignableFrom(Class.forName(text(servlet, "servlet-class")));
    }
    for (Element listener : elements("listener")) {
      Class.forName(text(listener, "listener-class"));
    }
    assertThat(elements("listener"))
        .extracting(listener -> text(listener, "listener-class"))
        .contains(GatewayLifecycle.class.getName());
  }

  @Test
  void everyMappingNamesAComponentAndEveryComponentIsMapped() {
    List<String> filters =
        elements("filter").stream().map(filter -> text(filter, "filter-name")).toList();
    List<String> servlets =
        elements("servlet").stream().map(servlet -> text(servlet, "servlet-name")).toList();

    assertThat(filters).doesNotHaveDuplicates();
    assertThat(servlets).doesNotHaveDuplicates();
    assertThat(elements("filter-mapping").stream().map(m -> text(m, "filter-name")).toList())
        .hasSameElementsAs(filters);
    assertThat(mappings.stream().map(m -> text(m, "servlet-name")).toList())
        .hasSameElementsAs(servlets);
    assertThat(mappings.stream().flatMap(m -> texts(m, "url-pattern").stream()).toList())
        .doesNotHaveDuplicates();
  }

  @Test
  void theChainStandsInTheOrderOfTheContract() {
    assertThat(elements("filter-mapping"))
        .extracting(
            mapping ->
                text(mapping, "filter-name")
                    + " "
                    + String.join(" ", texts(mapping, "url-pattern")))
        .containsExactly(
            "open-exchange /*",
            "write-access-log /*",
            "find-client-address /*",
            "refuse-ambiguous-requests /*",
            "limit-by-address /*",
            "authenticate /*",
            "authorize-admin /gateway/metrics /gateway/routes",
            "limit-by-caller /*",
            "set-gateway-headers /*");
    assertThat(elements("filter").stream().map(filter -> text(filter, "filter-name")).toList())
        .as("filters stand in the order of their mappings")
        .isEqualTo(elements("filter-mapping").stream().map(m -> text(m, "filter-name")).toList());
  }

  @ParameterizedTest
  @CsvSource({
    "users, UserService, /api/users/* /api/user/* /users/*, http://localhost:8001",
    "products, ProductService, /api/products/* /products/*, http://localhost:8002",
    "orders, OrderService, /api/orders/* /orders/*, http://localhost:8003",
    "notifications, NotificationService, /api/notifications/* /notifications/*,"
        + " http://localhost:8004",
    "inventory, InventoryService, /api/inventory/* /inventory/*, http://localhost:8002",
  })
  void theServicesAreThoseOfTheContract(String name, String type, String patterns, String url) {
    Element servlet = servlet(name);

    assertThat(text(servlet, "servlet-class")).isEqualTo("dev.gatehouse.services." + type);
    assertThat(patternsOf(name)).containsExactly(patterns.split(" ", -1));
    assertThat(initParameters(servlet))
        .containsExactly(Map.entry("url", "${" + name + ".url:" + url + "}"));
  }

  @Test
  void thereIsNoOtherServiceAndEachIsAServiceProxy() throws ClassNotFoundException {
    List<String> services = new ArrayList<>();
    for (Element servlet : elements("servlet")) {
      String className = text(servlet, "servlet-class");
      if (dev.gatehouse.proxy.ServiceProxy.class.isAssignableFrom(Class.forName(className))) {
        services.add(text(servlet, "servlet-name"));
      }
    }

    assertThat(services)
        .containsExactly("users", "products", "orders", "notifications", "inventory");
  }

  @Test
  void whatHasNoRouteIsAnsweredByUsAndNothingIsServedAsAFile() {
    assertThat(text(servlet("no-route"), "servlet-class"))
        .isEqualTo("dev.gatehouse.edge.NoRouteServlet");
    assertThat(patternsOf("no-route")).contains("/", "*.jsp", "*.jspx");
  }

  @Test
  void theGatewaysOwnEndpointsAreThoseOfTheContract() {
    assertThat(patternsOf("health")).containsExactly("/gateway/health/*");
    assertThat(patternsOf("metrics")).containsExactly("/gateway/metrics");
    assertThat(patternsOf("routes")).containsExactly("/gateway/routes");
    Element admin =
        elements("filter").stream()
            .filter(filter -> text(filter, "filter-name").equals("authorize-admin"))
            .findFirst()
            .orElseThrow();
    assertThat(initParameters(admin)).containsEntry("scope", "gateway:admin");
  }

  @Test
  void withoutSettingsTheOnlyProblemIsThatThereIsNoKeyForTokens()
      throws ReflectiveOperationException {
    readAll();

    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0))
        .contains("filter authenticate", "jwt.secret", "jwt.publicKey");
  }

  @ParameterizedTest
  @CsvSource({
    "filter write-access-log, accessLog, accessLog, -",
    "filter write-access-log, accessLog.format, accessLog.format, combined",
    "filter find-client-address, trustedProxies, trustedProxies, ''",
    "filter authenticate, secret, jwt.secret, ''",
    "filter authenticate, publicKey, jwt.publicKey, ''",
    "filter authenticate, jwksUrl, jwt.jwksUrl, ''",
    "filter authenticate, issuer, jwt.issuer, ''",
    "filter authenticate, audience, jwt.audience, ''",
    "filter authenticate, leeway, jwt.leeway, 30s",
    "filter authenticate, refreshInterval, jwt.refreshInterval, 30s",
    "filter authenticate, maxStale, jwt.maxStale, 24h",
    "filter authenticate, issuers, jwt.issuers, ''",
    "filter authenticate, revoked, jwt.revoked, ''",
    "filter authenticate, rolesClaim, jwt.rolesClaim, roles",
    "filter authenticate, claimHeaders, jwt.claimHeaders, ''",
    "filter authenticate, memory, jwt.memory, 32MiB",
    "filter authenticate, state.dir, state.dir, ''",
    "filter authenticate, public, jwt.public, /gateway/health/*",
    "filter limit-by-caller, limit, '', ''",
    "filter limit-by-caller, burst, '', ''",
    "filter limit-by-caller, concurrent, '', ''",
    "filter limit-by-caller, key, '', caller",
    "filter limit-by-caller, except, '', health",
    "filter limit-by-caller, dryRun, '', false",
    "filter limit-by-caller, keys, '', 100000",
    "filter limit-by-caller, store, rateLimit.store, local",
    "filter limit-by-caller, onStoreLoss, rateLimit.onStoreLoss, local",
    "filter authorize-admin, scope, '', ''",
    "filter authorize-admin, role, '', ''",
    "filter authorize-admin, methods, '', ''",
    "servlet users, url, url, ''",
    "servlet users, timeout.connect, timeout.connect, 5s",
    "servlet users, timeout.response, timeout.response, 30s",
    "servlet users, timeout.idle, timeout.idle, 60s",
    "servlet users, timeout.total, timeout.total, none",
    "servlet users, hostHeader, hostHeader, service",
    "servlet users, cookiePath, cookiePath, keep",
    "servlet users, sse.heartbeat, sse.heartbeat, none",
  })
  void aParameterHasTheKeyAndTheDefaultOfTheContract(
      String component, String name, String key, String fallback)
      throws ReflectiveOperationException {
    Parameters.Read read = Objects.requireNonNull(readAll().get(component + " " + name));

    assertThat(read.key()).isEqualTo(key);
    assertThat(read.fallback()).isEqualTo(fallback);
    assertThat(read.format()).isNotBlank();
  }

  @Test
  void theTableOfDefaultsAboveIsComplete() throws ReflectiveOperationException {
    assertThat(readAll().keySet().stream().filter(name -> !name.startsWith("servlet ")))
        .hasSize(21 + 2 * 9);
    for (String service : List.of("users", "products", "orders", "notifications", "inventory")) {
      assertThat(read(servlet(service)).reads())
          .extracting(Parameters.Read::name)
          .containsExactly(
              "url",
              "timeout.connect",
              "timeout.response",
              "timeout.idle",
              "timeout.total",
              "sse.heartbeat",
              "hostHeader",
              "cookiePath");
    }
  }

  @Test
  void aPlaceholderHasTheParametersKeyAndDefault() throws ReflectiveOperationException {
    Map<String, Parameters.Read> reads = readAll();
    List<Element> components = new ArrayList<>(elements("filter"));
    components.addAll(elements("servlet"));
    for (Element component : components) {
      boolean filter = component.getTagName().equals("filter");
      String name = text(component, filter ? "filter-name" : "servlet-name");
      for (Map.Entry<String, String> written : initParameters(component).entrySet()) {
        if (written.getValue().startsWith("${")) {
          Parameters.Read read =
              Objects.requireNonNull(
                  reads.get((filter ? "filter " : "servlet ") + name + " " + written.getKey()));
          String key = filter ? read.key() : name + "." + read.key();
          if (key.isEmpty()) {
            // Each filter of the class would read the same setting: only web.xml tells them apart.
            assertThat(name + " " + written.getValue())
                .isIn("limit-by-address ${rateLimit.byAddress:}", "limit-by-caller ${rateLimit:}");
            continue;
          }
          assertThat(written.getValue()).startsWith("${" + key + ":");
          if (filter) {
            assertThat(read.text()).as(written.getKey()).isEqualTo(read.fallback());
          }
        }
      }
    }
  }
}
