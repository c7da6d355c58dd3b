package bench;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/** What many services cost: the plain job with one service, and with 200 that are asked in turn. */
final class Services {
  private static final int MANY = 200;

  private final Options options;
  private final Contenders contenders;

  Services(Options options, Contenders contenders) {
    this.options = options;
    this.contenders = contenders;
  }

  boolean run() throws Exception {
    Rounds rounds = new Rounds(options, contenders);
    for (Contenders.Variant variant : contenders.variants()) {
      for (String server : List.of("tomcat", "jetty")) {
        if (options.gateways.contains(server)) {
          for (int count : new int[] {1, MANY}) {
            rounds.add(Job.PLAIN, start(server, variant, count));
          }
        }
      }
    }
    rounds.run();
    System.out.printf(
        "%n## Job: plain, with one service and with %d%n%n"
            + "| gateway | threads | requests/s | least | most | CPU \u00b5s/request | RSS MiB |"
            + " errors |%n|---|---:|---:|---:|---:|---:|---:|---:|%n",
        MANY);
    for (Rounds.Row row : rounds.rows()) {
      System.out.printf(
          Locale.ROOT,
          "| %s | %d | %,.0f | %,.0f | %,.0f | %.1f | %.0f | %s |%n",
          row.contender().name(),
          row.last().threads(),
          row.median(round -> round.load().rate()),
          row.least(round -> round.load().rate()),
          row.most(round -> round.load().rate()),
          row.median(Rounds.Round::cpuMicros),
          row.last().rssMiB(),
          row.errorText());
    }
    System.out.printf("%nGoal: 20 threads more at most, requests/s within 10 %%.%n");
    return rounds.good();
  }

  private Contender start(String server, Contenders.Variant variant, int count) throws Exception {
    List<String> names =
        IntStream.rangeClosed(1, count).mapToObj("service-%03d"::formatted).toList();
    Contender one =
        contenders.startGateway(
            server,
            variant,
            Optional.of(webXml(contenders.plainWebXml().orElseThrow(), names)),
            "",
            "services-" + count);
    return new Contender(
        one.name() + ", " + count,
        true,
        true,
        one.server(),
        Optional.empty(),
        Optional.empty(),
        names.stream().map(name -> "/api/" + name).toList());
  }

  /** The plain web.xml with its one service as often as there are names. */
  private static String webXml(String plain, List<String> names) {
    Matcher parts =
        Pattern.compile("(?s)<servlet-mapping>.*?</servlet-mapping>|<servlet>.*?</servlet>")
            .matcher(plain);
    return parts.replaceAll(
        part -> {
          StringBuilder all = new StringBuilder();
          for (String name : names) {
            all.append(
                part.group()
                    .replace(
                        "dev.gatehouse.services.UserService", "dev.gatehouse.proxy.ServiceProxy")
                    .replace("users", name));
          }
          return Matcher.quoteReplacement(all.toString());
        });
  }
}
