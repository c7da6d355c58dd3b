package dev.gatehouse.limit;

import dev.gatehouse.Caller;
import dev.gatehouse.Exchange;
import dev.gatehouse.http.IpAddress;
import jakarta.servlet.http.HttpServletRequest;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Enumeration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What is counted together: the requests of one caller, from one address, to one service. */
final class LimitKey {

  /** No part has this: callers' names have no control characters, fields no line feeds. */
  private static final char SEPARATOR = '\n';

  /** Longer ones are hashed, so that nobody fills the memory with a few keys. */
  private static final int LONGEST = 96;

  private static final int HASH_BYTES = 16;
  private static final String HEADER = "header:";

  /** One part of a key; null if the request does not have it. */
  private interface Part {
    @Nullable String of(Exchange exchange, HttpServletRequest clientRequest);
  }

  private final List<Part> parts;

  private LimitKey(List<Part> parts) {
    this.parts = List.copyOf(parts);
  }

  /**
   * @param text {@code caller}, {@code address}, {@code service}, {@code header:<name>}, or several
   *     of them with {@code +}
   * @throws IllegalArgumentException if it is not of that form; the message says what was expected
   */
  static LimitKey parse(String text) {
    List<Part> parts = new ArrayList<>();
    for (String word : text.split("\\+", -1)) {
      String name = word.strip();
      if (name.equals("caller")) {
        parts.add((exchange, clientRequest) -> caller(exchange.caller()));
      } else if (name.equals("address")) {
        parts.add((exchange, clientRequest) -> address(exchange));
      } else if (name.equals("service")) {
        parts.add((exchange, clientRequest) -> "s" + exchange.route().servlet());
      } else if (name.startsWith(HEADER)
          && name.substring(HEADER.length()).matches("[A-Za-z0-9!#$%&'*.^_`|~-]{1,64}")) {
        String header = name.substring(HEADER.length());
        parts.add((exchange, clientRequest) -> header(clientRequest, header));
      } else {
        throw new IllegalArgumentException(
            "caller, address, service, header:<name>, or several of them with +");
      }
    }
    return new LimitKey(parts);
  }

  /**
   * The key of a request, of at most {@value #LONGEST} characters. In place of a caller or a header
   * that it does not have, or has more than once, stands the client's address.
   */
  String of(Exchange exchange, HttpServletRequest clientRequest) {
    String key;
    if (parts.size() == 1) {
      key = part(parts.get(0), exchange, clientRequest);
    } else {
      StringBuilder joined = new StringBuilder(64);
      for (Part part : parts) {
        joined.append(part(part, exchange, clientRequest)).append(SEPARATOR);
      }
      key = joined.toString();
    }
    return key.length() <= LONGEST ? key : '#' + hash(key);
  }

  private static String part(Part part, Exchange exchange, HttpServletRequest clientRequest) {
    return Objects.requireNonNullElseGet(part.of(exchange, clientRequest), () -> address(exchange));
  }

  private static @Nullable String caller(@Nullable Caller caller) {
    return caller == null || caller.subject() == null
        ? null
        : 'c' + caller.issuer() + SEPARATOR + caller.subject();
  }

  private static String address(Exchange exchange) {
    return 'a' + IpAddress.subscriber(exchange.clientAddress());
  }

  /**
   * One line with something in it. Of several, nobody knows which one a service reads: whoever has
   * one that is good could add another each time.
   */
  private static @Nullable String header(HttpServletRequest clientRequest, String name) {
    Enumeration<String> lines = clientRequest.getHeaders(name);
    String only = lines.hasMoreElements() ? lines.nextElement().strip() : "";
    return only.isEmpty() || lines.hasMoreElements() ? null : 'h' + only;
  }

  /** A text from which the key cannot be read, and which no other key has. */
  static String hash(String key) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
      return Base64.getUrlEncoder()
          .withoutPadding()
          .encodeToString(java.util.Arrays.copyOf(digest, HASH_BYTES));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
