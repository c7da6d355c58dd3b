package dev.gatehouse.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a sample service answers; without a body it is an empty answer. */
record Answer(int status, Map<String, String> headers, @Nullable JsonNode body) {

  static Answer ok(JsonNode body) {
    return of(200, body);
  }

  static Answer of(int status, JsonNode body) {
    return new Answer(status, Map.of(), body);
  }

  static Answer created(String location, JsonNode body) {
    return new Answer(201, Map.of("Location", location), body);
  }

  static Answer noContent() {
    return new Answer(204, Map.of(), null);
  }

  static Answer allows(String methods) {
    return new Answer(204, Map.of("Allow", methods), null);
  }

  static Answer methodNotAllowed(String allowed) {
    return new Answer(405, Map.of("Allow", allowed), error("use one of " + allowed));
  }

  static Answer refusal(int status, String reason) {
    return of(status, error(reason));
  }

  private static JsonNode error(String reason) {
    return JsonNodeFactory.instance.objectNode().put("error", reason);
  }
}
