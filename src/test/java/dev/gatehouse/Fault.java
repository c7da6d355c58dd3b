package dev.gatehouse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.testing.RawClient;
import dev.gatehouse.testing.RawRequest;
import dev.gatehouse.testing.RawResponse;
import dev.gatehouse.testing.RunningGateway;
import dev.gatehouse.testing.Upstream.Conversation;
import dev.gatehouse.testing.Upstream.Then;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** One row of the table of faults: what goes wrong, on which side, and as what it must count. */
final class Fault {
  /** What a client does and must see. */
  interface Visit {
    /** Comes once, by a connection of its own. */
    void pay(Client client) throws IOException;
  }

  /** Where client and service learn how far the other is. */
  private static final class Meeting {
    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch left = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);
  }

  private final String name;
  private final String service;
  private final Map<String, Meeting> meetings = new ConcurrentHashMap<>();
  private Conversation conversation = talk -> Then.CLOSE;
  private Visit visit = client -> {};
  private int status;
  private String code = "";
  private boolean uploadCutShort;

  private Fault(String name, String service) {
    this.name = name;
    this.service = service;
  }

  /** Begins a row. */
  static Fault of(String name) {
    return of(name, "faulty");
  }

  static Fault of(String name, String service) {
    return new Fault(name, service);
  }

  Fault service(Conversation told) {
    conversation = told;
    return this;
  }

  Fault client(Visit paid) {
    visit = paid;
    return this;
  }

  /** As what each exchange is logged and counted. */
  Fault counts(int expected) {
    return counts(expected, "");
  }

  Fault counts(int expected, String expectedCode) {
    status = expected;
    code = expectedCode;
    return this;
  }

  /** No request may arrive whole. */
  Fault uploadCutShort() {
    uploadCutShort = true;
    return this;
  }

  /** The client gets a problem of the gateway's: as what it counts, it is answered. */
  Fault refused(int expected, String expectedCode) {
    counts(expected, expectedCode);
    return client(client -> Problems.assertProblem(client.ask(), expected, expectedCode));
  }

  /** The client gets an answer that does not look whole, or a problem. */
  Fault brokenOff(int expected, String expectedCode) {
    counts(expected, expectedCode);
    return client(
        client -> {
          RawResponse answer = client.ask();
          if (!answer.code().equals(expectedCode)) {
            assertThat(answer.status()).as("%s", answer).isEqualTo(200);
            assertThat(answer.complete()).as("looks whole: %s", answer).isFalse();
          }
        });
  }

  String service() {
    return service;
  }

  /** Whether it ends with a time-out. */
  boolean waits() {
    return status == 504 || status == 408;
  }

  int status() {
    return status;
  }

  String code() {
    return code;
  }

  boolean isUploadCutShort() {
    return uploadCutShort;
  }

  Conversation conversation() {
    return talk -> {
      Meeting meeting = meeting(talk.request().target());
      meeting.begun.countDown();
      try {
        return conversation.hold(talk);
      } finally {
        meeting.ended.countDown();
      }
    };
  }

  /** Says nothing until the client of this exchange has gone. */
  Fault serviceOnceClientLeft(Conversation told) {
    return service(
        talk -> {
          talk.hear();
          await(meeting(talk.request().target()).left);
          return told.hold(talk);
        });
  }

  void pay(RunningGateway gateway, String token, int number) throws IOException {
    visit.pay(new Client(gateway, token, number));
  }

  private Meeting meeting(String target) {
    return meetings.computeIfAbsent(target, any -> new Meeting());
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, TimeUnit.SECONDS)).as("met within a minute").isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public String toString() {
    return name;
  }

  /** A client that comes once. */
  final class Client {
    private final RunningGateway gateway;
    private final String token;
    private final int number;
    private final String target;

    private Client(RunningGateway gateway, String token, int number) {
      this.gateway = gateway;
      this.token = token;
      this.number = number;
      this.target = "/" + number;
    }

    /** A GET, or for every other client a POST with a body. */
    RawResponse ask() {
      return number % 2 == 0 ? get() : post();
    }

    RawResponse get() {
      return gateway.send(request("GET"));
    }

    RawResponse post() {
      return gateway.send(request("POST").body("a body".getBytes(UTF_8)));
    }

    RawRequest request(String method) {
      return gateway.anonymous(method, "/api/" + service + target).bearer(token);
    }

    RawClient connect() {
      return gateway.connect();
    }

    String token() {
      return token;
    }

    /** The path of its request below the server. */
    String path() {
      return pathOf("/api/" + service + target);
    }

    /** The path below the server of what the gateway has there. */
    String pathOf(String path) {
      return gateway.context() + path;
    }

    /** Waits until its request has arrived. */
    void awaitArrival() {
      await(meeting(target).begun);
    }

    /** Waits until the gateway has left the service, or the service the gateway. */
    void awaitEnd() {
      await(meeting(target).ended);
    }

    /** Tells the service that it has gone. */
    void left() {
      meeting(target).left.countDown();
    }
  }
}
