package dev.gatehouse.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * A collection of JSON objects in memory, each with an {@code id} that the collection gives. It
 * holds a bounded number; the oldest makes room for the newest.
 */
final class Items {
  private static final int CAPACITY = 1_000;

  /** Makes of a query parameter's value a test of an item. */
  interface Filter {
    /** Throws {@link IllegalArgumentException} for a value that makes no sense. */
    Predicate<ObjectNode> matching(String value);
  }

  private final Set<String> methods;
  private final Map<String, Filter> filters = new LinkedHashMap<>();

  /** Guarded by this. The objects in it are never handed out and never changed. */
  private final Map<String, ObjectNode> byId = new LinkedHashMap<>();

  /** Guarded by this. */
  private int lastId;

  private Items(Set<String> methods) {
    this.methods = methods;
  }

  static Items thatCanBeChanged() {
    return new Items(Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"));
  }

  static Items thatCanBeAdded() {
    return new Items(Set.of("GET", "HEAD", "POST"));
  }

  Set<String> methods() {
    return methods;
  }

  Items withFilter(String parameter, Filter filter) {
    filters.put(parameter, filter);
    return this;
  }

  /** Adds the objects of a JSON array. */
  Items filledWith(String json) {
    Json.readAll(json).forEach(this::add);
    return this;
  }

  static Filter contains(String field) {
    return value -> item -> lower(item.path(field).asText()).contains(lower(value));
  }

  static Filter is(String field) {
    return value -> item -> lower(item.path(field).asText()).equals(lower(value));
  }

  static Filter atMost(String field) {
    return value -> {
      BigDecimal limit = new BigDecimal(value);
      return item ->
          item.path(field).isNumber() && item.path(field).decimalValue().compareTo(limit) <= 0;
    };
  }

  /**
   * The items that all filters named in the query let through; parameters of other names do not
   * count.
   */
  synchronized ArrayNode list(Query query) {
    Predicate<ObjectNode> matches = item -> true;
    for (Map.Entry<String, Filter> filter : filters.entrySet()) {
      String value = query.parameters().get(filter.getKey());
      if (value != null) {
        matches = matches.and(filter.getValue().matching(value));
      }
    }
    ArrayNode found = JsonNodeFactory.instance.arrayNode();
    byId.values().stream().filter(matches).map(ObjectNode::deepCopy).forEach(found::add);
    return found;
  }

  synchronized Optional<ObjectNode> find(String id) {
    return Optional.ofNullable(byId.get(id)).map(ObjectNode::deepCopy);
  }

  synchronized Optional<ObjectNode> findBy(String field, String value) {
    return byId.values().stream()
        .filter(item -> item.path(field).asText().equals(value))
        .findFirst()
        .map(ObjectNode::deepCopy);
  }

  synchronized ObjectNode add(ObjectNode fields) {
    lastId++;
    if (byId.size() == CAPACITY) {
      byId.remove(byId.keySet().iterator().next());
    }
    return store(Integer.toString(lastId), fields);
  }

  synchronized Optional<ObjectNode> replace(String id, ObjectNode fields) {
    return byId.containsKey(id) ? Optional.of(store(id, fields)) : Optional.empty();
  }

  /** Sets the given fields; one that is {@code null} goes away. */
  synchronized Optional<ObjectNode> change(String id, ObjectNode fields) {
    return find(id)
        .map(
            item -> {
              for (Map.Entry<String, JsonNode> field : fields.properties()) {
                if (field.getValue().isNull()) {
                  item.remove(field.getKey());
                } else {
                  item.set(field.getKey(), field.getValue());
                }
              }
              return store(id, item);
            });
  }

  synchronized boolean remove(String id) {
    return byId.remove(id) != null;
  }

  private ObjectNode store(String id, ObjectNode fields) {
    ObjectNode item = JsonNodeFactory.instance.objectNode().put("id", id);
    for (Map.Entry<String, JsonNode> field : fields.deepCopy().properties()) {
      item.putIfAbsent(field.getKey(), field.getValue());
    }
    byId.put(id, item);
    return item.deepCopy();
  }

  private static String lower(String text) {
    return text.toLowerCase(Locale.ROOT);
  }
}
