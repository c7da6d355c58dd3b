package dev.gatehouse.admin;

import dev.gatehouse.Gateway;
import dev.gatehouse.metrics.Metrics;

/** Shows the counts in Prometheus' text format. */
public final class MetricsServlet extends ReportServlet {

  private static final long serialVersionUID = 1L;

  public MetricsServlet() {
    super(Metrics.MEDIA_TYPE);
  }

  @Override
  String report(String rest) {
    return Gateway.of(getServletContext()).metrics().text();
  }
}
