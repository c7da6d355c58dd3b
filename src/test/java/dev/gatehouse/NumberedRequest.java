package dev.gatehouse;

import dev.gatehouse.testing.RecordedRequest;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One of many requests: who makes it, and what shall become of it, follow from its number alone. So
 * client and service agree on all of it, and the service learns of the client by nothing but the
 * number in the path.
 */
final class NumberedRequest {
  static final long SEED = 20_240_611;

  /** Of so many, one is made by HTTP/2 at once with others, and one after the other. */
  static final int EACH = 8;

  static final int AT_ONCE = 0;
  static final int IN_TURN = 4;

  /** Tokens that each user has: the same subject, other scopes. */
  static final int TOKENS = 4;

  /** What fits into one frame. */
  private static final int LONGEST_BY_HTTP_2 = 16_000;

  private static final int LONGEST = 20_000;
  private static final int SHORT = 1_000;

  /** Tomcat closes an HTTP/2 connection on which many frames are about less. */
  private static final int TAKEN_FOR_A_FLOOD = 1_500;

  /** The gateway sends no head as long as it can still say that the service broke off. */
  private static final int MORE_THAN_THE_GATEWAY_HOLDS_BACK = 100_000;

  private static final Pattern NUMBERED = Pattern.compile(".*/(\\d+)\\?of=.*");
  private static final List<String> SERVICES =
      List.of("users", "products", "orders", "notifications", "inventory");

  /** Whose it is. */
  enum User {
    ALICE,
    BOB,
    NOBODY;

    User other() {
      return this == ALICE ? BOB : ALICE;
    }

    String subject() {
      return name().toLowerCase(Locale.ROOT);
    }

    String scopes(int token) {
      return "orders:read %s:token-%d".formatted(subject(), token);
    }
  }

  /** What becomes of it, and how many of a thousand it becomes of. */
  enum Kind {
    /** It is answered; it may have a body. */
    GOOD(0),
    /** On a public path, without a token. */
    OPEN(60),
    /** On a public path, with a token, which nobody looks at there. */
    OPEN_WITH_TOKEN(20),
    /** Its token is made of both users' tokens. */
    FORGED_TOKEN(30),
    /** Its token was the user's once. */
    EXPIRED_TOKEN(20),
    /** It has no token. */
    NO_TOKEN(30),
    /** The service closes a used connection when it comes; the gateway asks again. */
    ASKED_AGAIN(30),
    /** The service resets the connection instead of answering. */
    RESET(20),
    /** The service resets the connection within its answer. */
    BROKEN_OFF(20),
    /** The service says no more within its answer. */
    STALLED(3),
    /** The service never answers. */
    TIMED_OUT(6),
    /** The service answers at about the time when the gateway stops to wait. */
    NEARLY_TIMED_OUT(8),
    /** The client leaves before the answer. */
    LEFT_BEFORE_THE_ANSWER(20),
    /** The client leaves within the answer. */
    LEFT_WITHIN_THE_ANSWER(20),
    /** The client leaves within its upload. */
    LEFT_WITHIN_THE_UPLOAD(10);

    private final int ofThousand;

    Kind(int ofThousand) {
      this.ofThousand = ofThousand;
    }

    private static Kind drawn(SplittableRandom random) {
      int at = random.nextInt(1_000);
      for (Kind kind : values()) {
        at -= kind.ofThousand;
        if (at < 0) {
          return kind;
        }
      }
      return GOOD;
    }

    boolean isOpen() {
      return this == OPEN || this == OPEN_WITH_TOKEN;
    }

    boolean isRefused() {
      return this == FORGED_TOKEN || this == EXPIRED_TOKEN || this == NO_TOKEN;
    }

    /** The client leaves. */
    boolean isLeft() {
      return this == LEFT_BEFORE_THE_ANSWER
          || this == LEFT_WITHIN_THE_ANSWER
          || this == LEFT_WITHIN_THE_UPLOAD;
    }

    /** After which a client by HTTP/2 must bear frames that nobody waits for. */
    private boolean isLeftOrCut() {
      return isLeft() || isCut();
    }

    /** The service leaves within the answer. */
    boolean isCut() {
      return this == BROKEN_OFF || this == STALLED;
    }

    /** The whole answer comes, and the connection can be used again. */
    boolean isAnswered() {
      return this == GOOD || this == ASKED_AGAIN || isOpen() || isRefused();
    }

    private boolean mayHaveBody() {
      // Of a refused one, the server might leave the body unread and close the connection.
      return this != ASKED_AGAIN && !isOpen() && !isRefused();
    }
  }

  /** How its body is sent. */
  enum Body {
    NONE,
    WITH_LENGTH,
    CHUNKED
  }

  private final int number;
  private final Kind kind;
  private final User user;
  private final int token;
  private final boolean spoofing;
  private final String service;
  private final Body body;
  private final String sent;
  private final String answer;
  private final boolean answeredInChunks;
  private final int pauseMillis;

  NumberedRequest(int number) {
    this.number = number;
    SplittableRandom random = new SplittableRandom(SEED + number);
    Kind drawn = Kind.drawn(random);
    kind = isAtOnce() && drawn.isLeftOrCut() ? Kind.GOOD : drawn;
    User one = random.nextBoolean() ? User.ALICE : User.BOB;
    user = kind == Kind.OPEN || kind == Kind.NO_TOKEN ? User.NOBODY : one;
    token = random.nextInt(TOKENS);
    spoofing = random.nextInt(3) == 0;
    service = service(kind, random);
    body = body(kind, random);
    sent = body == Body.NONE ? "" : marked("sent", length(random));
    answer =
        marked("answer", length(random) + (kind.isCut() ? MORE_THAN_THE_GATEWAY_HOLDS_BACK : 0));
    answeredInChunks = random.nextBoolean();
    pauseMillis = kind == Kind.NEARLY_TIMED_OUT ? random.nextInt(270, 330) : random.nextInt(1, 20);
  }

  /** The one that has arrived at a service. */
  static NumberedRequest of(RecordedRequest seen) {
    Matcher numbered = NUMBERED.matcher(seen.target());
    if (!numbered.matches()) {
      throw new IllegalArgumentException("not of this run: " + seen);
    }
    return new NumberedRequest(Integer.parseInt(numbered.group(1)));
  }

  private static String service(Kind kind, SplittableRandom random) {
    return switch (kind) {
      case OPEN, OPEN_WITH_TOKEN -> "products";
      case TIMED_OUT, NEARLY_TIMED_OUT -> "slow";
      case STALLED -> "hasty";
      default -> SERVICES.get(random.nextInt(SERVICES.size()));
    };
  }

  private static Body body(Kind kind, SplittableRandom random) {
    if (kind == Kind.LEFT_WITHIN_THE_UPLOAD) {
      return random.nextBoolean() ? Body.WITH_LENGTH : Body.CHUNKED;
    }
    return kind.mayHaveBody() ? Body.values()[random.nextInt(Body.values().length)] : Body.NONE;
  }

  private int length(SplittableRandom random) {
    if (isHttp2()) {
      return random.nextInt(TAKEN_FOR_A_FLOOD, LONGEST_BY_HTTP_2);
    }
    return random.nextInt((random.nextBoolean() ? SHORT : LONGEST) + 1);
  }

  /** A text that tells everywhere whose it is. */
  private String marked(String what, int length) {
    String mark = what + " " + own() + "/";
    return mark.repeat(length / mark.length() + 1).substring(0, length);
  }

  int number() {
    return number;
  }

  private boolean isAtOnce() {
    return number % EACH == AT_ONCE;
  }

  private boolean isHttp2() {
    return isByHttp2(number);
  }

  static boolean isByHttp2(int number) {
    return number % EACH == AT_ONCE || number % EACH == IN_TURN;
  }

  /** By what it is made. */
  String version() {
    return isHttp2() ? isAtOnce() ? "HTTP/2 at once" : "HTTP/2 in turn" : "HTTP/1.1";
  }

  Kind kind() {
    return kind;
  }

  User user() {
    return user;
  }

  /** Which of the user's tokens. */
  int token() {
    return token;
  }

  /** Whether the client says that it is the other user. */
  boolean isSpoofing() {
    return spoofing;
  }

  /** What no other request has. */
  String own() {
    return user.subject() + "-" + number;
  }

  String cookie() {
    return "who=" + own();
  }

  String service() {
    return service;
  }

  String method() {
    return body == Body.NONE ? "GET" : "POST";
  }

  /** Its path and query below the context. */
  String path() {
    return "/api/" + service + (kind.isOpen() ? "/open" : "") + rest();
  }

  /** What the service must see of it. */
  String target() {
    if (kind.isOpen()) {
      return "/open" + rest();
    }
    return service.equals("slow") ? "/base" + rest() : rest();
  }

  private String rest() {
    return "/" + number + "?of=" + own();
  }

  Body body() {
    return body;
  }

  String sent() {
    return sent;
  }

  String answer() {
    return answer;
  }

  boolean isAnsweredInChunks() {
    return answeredInChunks;
  }

  int pauseMillis() {
    return pauseMillis;
  }

  @Override
  public String toString() {
    return "request %d of seed %d (%s, %s, %s %s, %s)"
        .formatted(number, SEED, kind, user, method(), path(), version());
  }
}
