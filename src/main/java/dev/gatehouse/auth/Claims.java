package dev.gatehouse.auth;

import com.auth0.jwt.interfaces.Claim;
import com.auth0.jwt.interfaces.DecodedJWT;
import dev.gatehouse.Caller;
import dev.gatehouse.http.GatewayFields;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads what a verified token says of its caller. */
final class Claims {

  /** A token is genuine, but says something that could not be told to a service as it is. */
  static final class UnfitException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /**
     * @param reason one word, from a closed set
     */
    private UnfitException(String reason) {
      super(reason, null, false, false);
    }
  }

  private final DecodedJWT token;

  Claims(DecodedJWT token) {
    this.token = token;
  }

  /**
   * @param issuer the issuer's name in the settings
   * @param rolesClaim a claim's name, or names with dots that lead to it
   * @param claimHeaders by claim, so written, the field that tells services of it
   * @throws UnfitException if a value has control characters or is not Unicode, or {@code sub} is
   *     no text
   */
  Caller caller(String issuer, String rolesClaim, Map<String, String> claimHeaders) {
    // Not getSubject(), which makes a text of numbers, objects and arrays.
    Claim sub = token.getClaim("sub");
    String subject = sub.asString();
    if (subject == null ? !sub.isMissing() : !isUnicode(subject)) {
      throw new UnfitException("sub");
    }
    List<String> scopes = scopes();
    if (scopes.stream().anyMatch(scope -> scope.indexOf(' ') >= 0 || !isUnicode(scope))) {
      // It would be told to services as two scopes, or as another one.
      throw new UnfitException("scope");
    }
    refuseControl(subject);
    scopes.forEach(Claims::refuseControl);
    String told = subject == null || subject.isEmpty() ? null : subject;
    List<Map.Entry<String, String>> fields = new ArrayList<>();
    if (told != null) {
      fields.add(Map.entry(GatewayFields.USER_ID, GatewayFields.encode(told)));
    }
    if (!scopes.isEmpty()) {
      String joined = String.join(" ", scopes);
      fields.add(Map.entry(GatewayFields.USER_SCOPES, GatewayFields.encode(joined)));
    }
    claimHeaders.forEach(
        (claim, header) -> {
          String text = field(value(claim));
          if (!text.isEmpty()) {
            fields.add(Map.entry(header, text));
          }
        });
    return new Caller(issuer, told, scopes, texts(value(rolesClaim)), fields);
  }

  /** Whether {@code aud} is a text or a list of texts, if there is one (RFC 7519 section 4.1.3). */
  boolean isAudienceText() {
    Object audience = value("aud");
    return audience == null
        || audience instanceof String
        || (audience instanceof List<?> list && list.stream().allMatch(String.class::isInstance));
  }

  /** {@code jti} and {@code sub} as {@code jwt.revoked} names them. */
  List<String> revocable() {
    List<String> names = new ArrayList<>(2);
    for (String claim : List.of("jti", "sub")) {
      Object value = value(claim);
      if (value instanceof String || value instanceof Number) {
        names.add(claim + ":" + value);
      }
    }
    return names;
  }

  /** {@code scope} (RFC 8693) or {@code scp}; each may be a list or a text with blanks. */
  private List<String> scopes() {
    for (String name : new String[] {"scope", "scp"}) {
      Object value = value(name);
      if (value != null) {
        return texts(value instanceof String text ? List.of(text.split(" ", -1)) : value);
      }
    }
    return List.of();
  }

  /** A claim by its name; else, if there is none so named, by names with dots. */
  private @Nullable Object value(String path) {
    Claim claim = token.getClaim(path);
    int dot = path.indexOf('.');
    if (!claim.isMissing() || dot < 0) {
      return claim.as(Object.class);
    }
    Object value = token.getClaim(path.substring(0, dot)).as(Object.class);
    for (String name : path.substring(dot + 1).split("\\.", -1)) {
      value = value instanceof Map<?, ?> object ? object.get(name) : null;
    }
    return value;
  }

  /** A text, or the texts of a list; what else is in it is no role. */
  private static List<String> texts(@Nullable Object value) {
    List<String> texts = new ArrayList<>();
    for (Object item : value instanceof List<?> list ? list : List.of(value == null ? "" : value)) {
      if (item instanceof String text && !text.isBlank()) {
        texts.add(text);
      }
    }
    return texts;
  }

  /**
   * Text, numbers, true, false, and lists of them with commas, which are encoded where they are
   * part of a text; what else there is, is not told.
   */
  private static String field(@Nullable Object value) {
    List<String> items = new ArrayList<>();
    for (Object item : value instanceof List<?> list ? list : List.of(value == null ? "" : value)) {
      if (item instanceof String || item instanceof Number || item instanceof Boolean) {
        // Not 1.23456785E7.
        String text =
            item instanceof Double number
                ? BigDecimal.valueOf(number).toPlainString()
                : item.toString();
        if (!isUnicode(text)) {
          throw new UnfitException("claim");
        }
        refuseControl(text);
        items.add(GatewayFields.encode(text).replace(",", "%2C"));
      }
    }
    return String.join(",", items);
  }

  /** Whether a text can be written in UTF-8: half a surrogate pair would become "?". */
  private static boolean isUnicode(String text) {
    return StandardCharsets.UTF_8.newEncoder().canEncode(text);
  }

  private static void refuseControl(@Nullable String text) {
    if (text != null && text.chars().anyMatch(Character::isISOControl)) {
      throw new UnfitException("control_character");
    }
  }
}
