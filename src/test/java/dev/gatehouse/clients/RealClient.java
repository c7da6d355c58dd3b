package dev.gatehouse.clients;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpHeaders;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A client as people use it: with its own defaults, following redirects. */
public interface RealClient extends AutoCloseable {

  /** How long a client waits before it gives up. */
  Duration PATIENCE = Duration.ofSeconds(30);

  /** Sends a request and takes the whole answer; an exception if there is no whole one. */
  Answer send(Call call) throws IOException;

  @Override
  void close();

  /** A client that hands out a body while it arrives. */
  interface Streaming extends RealClient {
    /** Sends a request and opens the body of the answer. */
    InputStream open(Call call) throws IOException;
  }

  /** A request; {@code body} is empty for none. */
  record Call(
      String method,
      String url,
      Map<String, String> headers,
      List<byte[]> body,
      boolean chunked,
      boolean expectsContinue) {

    /** A request without a body. */
    public static Call of(String method, String url) {
      return new Call(method, url, Map.of(), List.of(), false, false);
    }

    /** With a header. */
    public Call header(String name, String value) {
      Map<String, String> more = new LinkedHashMap<>(headers);
      more.put(name, value);
      return new Call(method, url, more, body, chunked, expectsContinue);
    }

    /** With a body of known length. */
    public Call body(byte[] bytes) {
      return new Call(method, url, headers, List.of(bytes), false, expectsContinue);
    }

    /** With a body of which the length is not told. */
    public Call chunked(byte[] bytes) {
      return new Call(method, url, headers, List.of(bytes), true, expectsContinue);
    }

    /** Asking before the body is sent. */
    public Call expectingContinue() {
      return new Call(method, url, headers, body, chunked, true);
    }
  }

  /** What a client makes of an answer: {@code body} is decoded if the client does that. */
  @SuppressWarnings("ArrayRecordComponent") // Nobody compares two of them.
  record Answer(String protocol, int status, HttpHeaders headers, byte[] body) {

    /** The only value of a header, or an empty text. */
    public String header(String name) {
      return headers.firstValue(name).orElse("");
    }
  }
}
