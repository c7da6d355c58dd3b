package dev.gatehouse.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ParametersTest {

  @TempDir private Path folder = Path.of("");

  private final Map<String, String> initParameters = new HashMap<>();
  private final Map<String, String> systemProperties = new HashMap<>();
  private final Problems problems = new Problems();

  private Settings settings() {
    return Settings.of(systemProperties, Map.of(), Map.of(), Map.of(), problems);
  }

  private Parameters servlet() {
    return service("users");
  }

  private Parameters service(String name) {
    return Parameters.ofServlet(name, initParameters, settings(), problems);
  }

  private Parameters filter() {
    return Parameters.ofFilter("authenticate", initParameters, settings(), problems);
  }

  private void inFile(String text) throws IOException {
    Path file = Files.writeString(folder.resolve("s.properties"), text);
    systemProperties.put("gatehouse.config", file.toString());
  }

  private static int number(String text) {
    if (!text.matches("\\d+")) {
      throw new IllegalArgumentException("a whole number");
    }
    return Integer.parseInt(text);
  }

  @Test
  void withoutAnythingSetTheDefaultCounts() {
    Parameters parameters = servlet();

    assertThat(parameters.duration("timeout.connect", "5s")).isEqualTo(Duration.ofSeconds(5));
    assertThat(parameters.optionalDuration("timeout.total")).isEmpty();
    assertThat(parameters.text("hostHeader", "service", "f")).isEqualTo("service");
    assertThat(parameters.text("issuer", "f")).isEmpty();
    assertThat(parameters.choice("format", "combined", "combined", "json")).isEqualTo("combined");
    int seven = parameters.value("n", "7", "f", ParametersTest::number);
    assertThat(seven).isEqualTo(7);
    assertThat(parameters.value("m", "f", ParametersTest::number)).isEmpty();
    assertThat(parameters.reads()).extracting(Parameters.Read::source).containsOnly("default");
    assertThat(problems.list()).isEmpty();
  }

  @Test
  void aReadTellsEverythingAboutAParameter() {
    systemProperties.put("gatehouse.users.timeout.connect", "9s");
    Parameters parameters = servlet();
    parameters.duration("timeout.connect", "5s");

    assertThat(parameters.reads())
        .containsExactly(
            new Parameters.Read(
                "servlet users",
                "timeout.connect",
                "timeout.connect",
                "duration",
                "5s",
                "9s",
                "system property gatehouse.users.timeout.connect"));
  }

  @Test
  void anInitParamGoesBeforeASetting() {
    initParameters.put("timeout.connect", "1s");
    systemProperties.put("gatehouse.users.timeout.connect", "2s");
    systemProperties.put("gatehouse.timeout.connect", "3s");

    Parameters parameters = servlet();
    assertThat(parameters.duration("timeout.connect", "5s")).isEqualTo(Duration.ofSeconds(1));
    assertThat(parameters.reads().get(0).source()).isEqualTo("web.xml");
  }

  @Test
  void aServicesOwnSettingGoesBeforeTheCommonOneWhereverTheyStand() throws IOException {
    inFile("users.timeout.connect=2s");
    systemProperties.put("gatehouse.timeout.connect", "3s");

    assertThat(servlet().duration("timeout.connect", "5s")).isEqualTo(Duration.ofSeconds(2));
  }

  @Test
  void theCommonSettingCountsForAServiceWithoutItsOwn() throws IOException {
    inFile("orders.timeout.connect=2s\ntimeout.connect=3s");

    assertThat(servlet().duration("timeout.connect", "5s")).isEqualTo(Duration.ofSeconds(3));
  }

  @Test
  void aFilterHasNoSettingsUnderItsName() {
    systemProperties.put("gatehouse.authenticate.leeway", "2s");
    systemProperties.put("gatehouse.jwt.leeway", "3s");
    Parameters parameters = filter();
    parameters.keysUnder("jwt.");

    assertThat(parameters.duration("leeway", "5s")).isEqualTo(Duration.ofSeconds(3));
    assertThat(parameters.reads().get(0).key()).isEqualTo("jwt.leeway");
  }

  @Test
  void withoutSettingsOnlyWebXmlCounts() {
    systemProperties.put("gatehouse.scope", "a");
    Parameters parameters = filter();
    parameters.withoutSettings();

    assertThat(parameters.text("scope", "f")).isEmpty();
    assertThat(parameters.reads().get(0).key()).isEmpty();
  }

  @Test
  void aSettingThatALiteralInWebXmlOverridesIsUnknown() throws IOException {
    inFile("users.timeout.connect=2s");
    initParameters.put("timeout.connect", "1s");
    Settings settings = settings();
    Parameters parameters = Parameters.ofServlet("users", initParameters, settings, problems);
    parameters.duration("timeout.connect", "5s");
    settings.reportUnknown();

    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0)).contains("users.timeout.connect", "unknown");
  }

  @Test
  void aPlaceholderInWebXmlTellsWhereItsValueCameFrom() throws IOException {
    inFile("my.url=http://file");
    initParameters.put("url", " ${my.url:http://default} ");
    initParameters.put("other", "${no.url:http://default}");
    Parameters parameters = servlet();

    assertThat(parameters.text("url", "f")).contains("http://file");
    assertThat(parameters.text("other", "f")).contains("http://default");
    assertThat(parameters.reads().get(0).source())
        .startsWith("file ")
        .endsWith("s.properties: my.url");
    assertThat(parameters.reads().get(1).source()).isEqualTo("default");
  }

  @ParameterizedTest
  @CsvSource({"''", "' '", "${not.set:}"})
  void anEmptyValueMeansNotSet(String value) {
    initParameters.put("p", value);

    assertThat(servlet().text("p", "f")).isEmpty();
    assertThat(servlet().text("p", "fallback", "f")).isEqualTo("fallback");
    assertThat(servlet().duration("p", "5s")).isEqualTo(Duration.ofSeconds(5));
    assertThat(servlet().optionalDuration("p")).isEmpty();
    assertThat(servlet().value("p", "f", ParametersTest::number)).isEmpty();
    Parameters parameters = servlet();
    parameters.text("p", "f");
    assertThat(parameters.isSet("p")).isFalse();
    assertThat(problems.list()).isEmpty();
  }

  @Test
  void anEmptyValueIsAValueWhereTheParserTakesIt() {
    initParameters.put("public", "");

    String open = servlet().value("public", "/health", "f", text -> "<" + text + ">");
    assertThat(open).isEqualTo("<>");
  }

  @Test
  void anEmptyValueThatTheParserDoesNotTakeIsAProblemLikeAnother() {
    initParameters.put("n", "");

    int seven = servlet().value("n", "7", "f", ParametersTest::number);

    assertThat(seven).isEqualTo(7);
    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0)).contains("servlet users", "'n'", "a whole number", "''");
  }

  @Test
  void aWrongValueIsReportedWithComponentParameterPlaceExpectationAndValue() throws IOException {
    inFile("users.timeout.connect=5");

    assertThat(servlet().duration("timeout.connect", "5s")).isEqualTo(Duration.ofSeconds(5));
    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0))
        .contains(
            "servlet users",
            "'timeout.connect'",
            "s.properties",
            "a duration with its unit",
            "such as 30s",
            "got '5'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"0s", "0ms", "-1s", "5", "soon", "none"})
  void aTimeSpanIsMoreThanNothing(String value) {
    initParameters.put("timeout.connect", value);
    servlet().duration("timeout.connect", "5s");

    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0)).contains("duration", "'" + value + "'");
  }

  @ParameterizedTest
  @CsvSource({"none, ", "10s, PT10S"})
  void aTimeSpanMayBeNone(String value, @Nullable Duration expected) {
    initParameters.put("timeout.total", value);

    assertThat(servlet().optionalDuration("timeout.total"))
        .isEqualTo(Optional.ofNullable(expected));
    assertThat(problems.list()).isEmpty();
  }

  @Test
  void anOptionalTimeSpanOfNothingIsAProblem() {
    initParameters.put("timeout.total", "0s");

    assertThat(servlet().optionalDuration("timeout.total")).isEmpty();
    assertThat(problems.list()).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"xml", "JSON", "combined json"})
  void anotherWordIsReportedWithTheWordsThatMayStandThere(String value) {
    initParameters.put("format", value);

    assertThat(servlet().choice("format", "combined", "combined", "json")).isEqualTo("combined");
    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0)).contains("'format'", "combined, json", "'" + value + "'");
  }

  @Test
  void aSecretIsNeverShown() throws IOException {
    inFile("jwt.secret=hunter2-hunter2");
    Parameters parameters = filter();
    parameters.keysUnder("jwt.");
    parameters.secretValue(
        "secret",
        "f",
        text -> {
          throw new IllegalArgumentException("at least 32 bytes (it has " + text.length() + ")");
        });

    assertThat(parameters.isSet("secret")).isTrue();
    assertThat(parameters.reads().get(0).text()).isEqualTo("***");
    assertThat(parameters.reads().toString() + problems.list()).doesNotContain("hunter2");
    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0)).contains("'secret'", "at least 32 bytes (it has 15)");
  }

  @ParameterizedTest
  @ValueSource(strings = {"hunter2${", "hunter2${x", "hunter2${}", "${x:hunter2", "${:hunter2}"})
  void aSecretThatLooksLikeABrokenPlaceholderIsNotShownEither(String literal) {
    initParameters.put("secret", literal);
    Parameters parameters = filter();
    parameters.secretValue("secret", "f", text -> text);

    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0)).contains("'secret'").doesNotContain("hunter2");
  }

  @Test
  void aPlaceholderWithoutValueIsReportedWithItsKey() {
    initParameters.put("url", "${reviews.url}");
    Parameters parameters = servlet();

    assertThat(parameters.text("url", "f")).isEmpty();
    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0)).contains("servlet users", "'url'", "'reviews.url'");
  }

  @Test
  void anInitParamThatNobodyReadIsReportedWithWhatWasPerhapsMeant() {
    initParameters.put("timeout.conect", "1s");
    initParameters.put("url", "x");
    initParameters.put("zzz", "x");
    Parameters parameters = servlet();
    parameters.text("url", "f");
    parameters.duration("timeout.connect", "5s");
    parameters.reportUnknown();

    assertThat(problems.list()).hasSize(2);
    assertThat(problems.list().get(0))
        .contains("servlet users", "'timeout.conect'", "did you mean 'timeout.connect'");
    assertThat(problems.list().get(1)).contains("'zzz'");
  }

  @Test
  void allProblemsAreReportedAtOnce() {
    initParameters.put("timeout.connect", "5");
    initParameters.put("timeout.idle", "x");
    initParameters.put("format", "y");
    initParameters.put("unknown", "z");
    Parameters parameters = servlet();
    parameters.duration("timeout.connect", "5s");
    parameters.duration("timeout.idle", "60s");
    parameters.choice("format", "a", "a", "b");
    parameters.problem("url is missing");
    parameters.reportUnknown();

    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(problems::refuse)
        .satisfies(
            refused -> {
              assertThat(refused.problems()).hasSize(5);
              assertThat(refused.getMessage()).contains("5 problems").contains(refused.problems());
            });
  }

  @Test
  void aWrongValueForAllIsReportedOnceWithAllNames() throws IOException {
    inFile("timeout.connect=5");
    for (String service : List.of("orders", "users")) {
      service(service).duration("timeout.connect", "5s");
    }

    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0))
        .startsWith("servlet orders, servlet users: init-param 'timeout.connect'")
        .contains("s.properties: timeout.connect)", "got '5'");
  }

  @Test
  void wrongValuesOfTheirOwnAreReportedApart() throws IOException {
    inFile("orders.timeout.connect=5\nusers.timeout.connect=5\ntimeout.connect=5");
    for (String service : List.of("orders", "products", "users")) {
      service(service).duration("timeout.connect", "5s");
    }

    assertThat(problems.list()).hasSize(3);
    assertThat(problems.list().get(0))
        .startsWith("servlet orders: ")
        .contains(": orders.timeout.connect)");
    assertThat(problems.list().get(1)).startsWith("servlet products: ").contains(": timeout.");
    assertThat(problems.list().get(2))
        .startsWith("servlet users: ")
        .contains(": users.timeout.connect)");
  }

  @Test
  void withoutProblemsNothingIsRefused() {
    problems.refuse();

    assertThat(problems.list()).isEmpty();
  }

  @Test
  void theSameProblemIsReportedOnce() {
    problems.add("x");
    problems.add("x");

    assertThat(problems.list()).containsExactly("x");
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(problems::refuse)
        .withMessageContaining("1 problem in");
  }
}
