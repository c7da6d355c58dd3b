package dev.gatehouse.admin;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import dev.gatehouse.Configuration;
import dev.gatehouse.Gateway;
import dev.gatehouse.config.Parameters;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Shows where requests go, and every value in effect with its source, as JSON.
 *
 * <pre>{@code
 * {
 *   "contextPath": "",
 *   "server": "Apache Tomcat/11.0",
 *   "settingsFile": "/etc/gatehouse.properties",
 *   "services": [{
 *     "name": "users",
 *     "class": "dev.gatehouse.services.UserService",
 *     "patterns": ["/api/user/*", "/api/users/*", "/users/*"],
 *     "urls": ["http://localhost:8001"],
 *     "parameters": {
 *       "url": {"value": "http://localhost:8001", "source": "default"},
 *       "timeout.total": {"value": "none", "source": "default"}
 *     }
 *   }],
 *   "filters": [{
 *     "name": "authenticate",
 *     "class": "dev.gatehouse.auth.AuthenticationFilter",
 *     "patterns": ["/*"],
 *     "servlets": [],
 *     "parameters": {
 *       "secret": {"value": "***", "source": "environment variable GATEHOUSE_JWT_SECRET"},
 *       "issuer": {"value": null, "source": "default"}
 *     }
 *   }]
 * }
 * }</pre>
 *
 * Services, filters and patterns stand in the order of the alphabet, parameters in the order of
 * their documentation. The order of the filters' mappings stands in web.xml; the Servlet API does
 * not tell it.
 */
public final class RoutesServlet extends ReportServlet {

  private static final long serialVersionUID = 1L;

  /** Keeps no buffers in the server's threads, which outlive the application. */
  private static final JsonFactory JSON =
      JsonFactory.builder().recyclerPool(JsonRecyclerPools.nonRecyclingPool()).build();

  public RoutesServlet() {
    super("application/json");
  }

  @Override
  String report(String rest) {
    StringWriter text = new StringWriter(8192);
    try (JsonGenerator json = JSON.createGenerator(text).useDefaultPrettyPrinter()) {
      write(json, Gateway.of(getServletContext()).configuration());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.append('\n').toString();
  }

  private static void write(JsonGenerator json, Configuration configuration) throws IOException {
    Path file = configuration.file();
    json.writeStartObject();
    json.writeStringField("contextPath", configuration.contextPath());
    json.writeStringField("server", configuration.server());
    json.writeStringField("settingsFile", file == null ? null : file.toString());
    json.writeArrayFieldStart("services");
    for (Configuration.Component service : configuration.services()) {
      start(json, service);
      strings(json, "urls", service.urls());
      end(json, service);
    }
    json.writeEndArray();
    json.writeArrayFieldStart("filters");
    for (Configuration.Component filter : configuration.filters()) {
      start(json, filter);
      strings(json, "servlets", filter.servletNames());
      end(json, filter);
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private static void start(JsonGenerator json, Configuration.Component component)
      throws IOException {
    json.writeStartObject();
    json.writeStringField("name", component.name());
    json.writeStringField("class", component.className());
    strings(json, "patterns", component.patterns());
  }

  private static void end(JsonGenerator json, Configuration.Component component)
      throws IOException {
    json.writeObjectFieldStart("parameters");
    for (Parameters.Read read : component.parameters()) {
      json.writeObjectFieldStart(read.name());
      json.writeStringField("value", read.text().isEmpty() ? null : read.text());
      json.writeStringField("source", read.source());
      json.writeEndObject();
    }
    json.writeEndObject();
    json.writeEndObject();
  }

  private static void strings(JsonGenerator json, String name, List<String> values)
      throws IOException {
    json.writeArrayFieldStart(name);
    for (String value : values) {
      json.writeString(value);
    }
    json.writeEndArray();
  }
}
