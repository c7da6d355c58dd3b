package dev.gatehouse.proxy;

import dev.gatehouse.http.GatewayFields;
import dev.gatehouse.http.HopByHop;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Relays 103 answers (RFC 8297). The Servlet API of these servers has no word for that: Jetty, and
 * Tomcat from 11 on, take the error 103 for it. Elsewhere the hints are passed over.
 */
final class EarlyHints {

  private static final Logger LOG = LoggerFactory.getLogger(EarlyHints.class);
  private static final Pattern TOMCAT = Pattern.compile("Apache Tomcat/(\\d{1,4})\\b.*");
  private static final int FIRST_TOMCAT = 11;

  /**
   * The servers write hints while the thread waits; no more threads than this do, of all services.
   */
  private static final int AT_ONCE = 8;

  private static final Semaphore WRITING = new Semaphore(AT_ONCE);
  private final boolean relayed;

  /**
   * @param serverInfo what the server says that it is (ServletContext.getServerInfo)
   */
  EarlyHints(String serverInfo) {
    Matcher tomcat = TOMCAT.matcher(serverInfo);
    relayed =
        serverInfo.startsWith("jetty/")
            || (tomcat.matches() && Integer.parseInt(tomcat.group(1)) >= FIRST_TOMCAT);
  }

  /** Whether the server can send them. */
  boolean areRelayed() {
    return relayed;
  }

  /** Sends the fields ahead of the answer, and leaves nothing of them in it. */
  void relay(HttpFields fields, String protocol, HttpServletResponse clientResponse) {
    if (!relayed || protocol.equals("HTTP/1.0") || !WRITING.tryAcquire()) {
      return;
    }
    try {
      Set<String> names = new LinkedHashSet<>();
      HopByHop hopByHop = HopByHop.of(fields.getValuesList(HttpHeader.CONNECTION));
      for (HttpField field : fields) {
        String name = field.getLowerCaseName();
        boolean ofAnswer = name.startsWith("content-") && !name.startsWith("content-security-");
        boolean ours = names.contains(name) || !clientResponse.containsHeader(name);
        if (ours && !ofAnswer && !hopByHop.contains(name) && !GatewayFields.isOurs(name)) {
          names.add(name);
          clientResponse.addHeader(field.getName(), field.getValue());
        }
      }
      clientResponse.sendError(HttpStatus.EARLY_HINTS_103);
      names.forEach(name -> clientResponse.setHeader(name, null));
    } catch (IOException | RuntimeException lost) {
      // Hints are not needed; whether the client is gone the answer will tell.
      LOG.debug("hints were not relayed", lost);
    } finally {
      WRITING.release();
    }
  }
}
