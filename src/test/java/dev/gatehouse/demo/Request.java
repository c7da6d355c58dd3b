package dev.gatehouse.demo;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A request to a sample service, its body read. */
final class Request {
  private final HttpExchange exchange;
  private final Query query;
  private final byte[] body;

  /** Throws {@link IllegalArgumentException} for a query that cannot be decoded. */
  Request(HttpExchange exchange, byte[] body) {
    this.exchange = exchange;
    this.query = Query.parse(exchange.getRequestURI().getRawQuery());
    this.body = body;
  }

  String method() {
    return exchange.getRequestMethod().toUpperCase(Locale.ROOT);
  }

  boolean reads() {
    return method().equals("GET") || method().equals("HEAD");
  }

  String target() {
    return exchange.getRequestURI().toString();
  }

  String path() {
    return exchange.getRequestURI().getPath();
  }

  Query query() {
    return query;
  }

  Headers headers() {
    return exchange.getRequestHeaders();
  }

  @Nullable String header(String name) {
    return headers().getFirst(name);
  }

  byte[] body() {
    return body;
  }
}
