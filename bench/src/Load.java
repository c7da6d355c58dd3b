package bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What wrk measured in one go. */
record Load(
    long requests, double seconds, long bytes, String errors, double p50Millis, double p99Millis) {

  private static final Pattern RESULT =
      Pattern.compile(
          "RESULT requests=(\\d+) micros=(\\d+) bytes=(\\d+) status=(\\d+) socket=(\\d+)"
              + " timeout=(\\d+) p50=(\\d+) p99=(\\d+)");

  static Load of(Contender contender, Job job, Callers callers, Options options, int seconds)
      throws IOException, InterruptedException {
    Path file = Files.createTempFile(callers.folder(), "requests-", ".txt");
    Files.write(file, contender.requests(job.path(), callers), UTF_8);
    String output =
        Running.output(
            List.of(
                Contenders.program("wrk"),
                "--latency",
                "-t" + options.threads,
                "-c" + options.connections,
                "-d" + seconds + "s",
                "-s",
                Path.of("bench/load/wrk.lua").toString(),
                "http://127.0.0.1:" + contender.server().port(),
                "--",
                file.toString()));
    Files.delete(file);
    Matcher result = RESULT.matcher(output);
    if (!result.find()) {
      throw new IOException("wrk said: " + output);
    }
    long[] number = new long[9];
    for (int i = 1; i < number.length; i++) {
      number[i] = Long.parseLong(result.group(i));
    }
    List<String> errors = new ArrayList<>();
    String[] kinds = {"status", "socket", "time-out"};
    for (int i = 0; i < kinds.length; i++) {
      if (number[4 + i] > 0) {
        errors.add(number[4 + i] + " " + kinds[i]);
      }
    }
    contender.recordAnswered(number[1]);
    return new Load(
        number[1],
        number[2] / 1e6,
        number[3],
        String.join(", ", errors),
        number[7] / 1e3,
        number[8] / 1e3);
  }

  double rate() {
    return requests / seconds;
  }
}
