package dev.gatehouse.auth;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.config.Parameters;
import dev.gatehouse.config.Problems;
import dev.gatehouse.config.Settings;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AuthenticationFilterTest {

  private static final String SECRET = "hunter2-hunter2-hunter2-hunter2-hunter2";

  private final Map<String, String> set = new HashMap<>();
  private final Problems problems = new Problems();

  private Parameters configure() {
    Settings settings = Settings.of(set, Map.of(), Map.of(), Map.of(), problems);
    Parameters parameters = Parameters.ofFilter("authenticate", Map.of(), settings, problems);
    new AuthenticationFilter().configure(parameters);
    return parameters;
  }

  @Test
  void aSecretIsEnough() {
    set.put("gatehouse.jwt.secret", SECRET);

    assertThat(configure().reads().toString()).contains("***").doesNotContain("hunter2");
    assertThat(problems.list()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"gatehouse.jwt.secret", "gatehouse.jwt.publicKey", "gatehouse.none"})
  void withoutAKeyNothingStarts(String empty) {
    set.put(empty, "");
    configure();

    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0))
        .contains("filter authenticate", "jwt.secret", "jwt.publicKey");
  }

  @Test
  void aWrongKeyIsOneProblemAndNotAlsoAMissingOne() {
    set.put("gatehouse.jwt.secret", "hunter2");
    configure();

    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0))
        .contains("filter authenticate", "'secret'", "at least 32 bytes (it has 7)", "***")
        .doesNotContain("hunter2");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "leeway|30|whole seconds",
        "leeway|soon|duration",
        "leeway|-1s|duration",
        "public|api/products|paths with commas",
        "publicKey|/nothing/there.pem|PEM",
      })
  void aWrongValueIsReportedWithItsParameter(String name, String value, String expected) {
    set.put("gatehouse.jwt.secret", SECRET);
    set.put("gatehouse.jwt." + name, value);
    configure();

    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0))
        .contains("filter authenticate", "'" + name + "'", "'" + value + "'")
        .containsIgnoringCase(expected.equals("whole seconds") ? "duration" : expected);
  }

  @Test
  void nothingMayBeOpen() {
    set.put("gatehouse.jwt.secret", SECRET);
    set.put("gatehouse.jwt.public", "");
    configure();

    assertThat(problems.list()).isEmpty();
  }

  @Test
  void anEmptyLeewayIsReportedLikeAnotherWrongValue() {
    set.put("gatehouse.jwt.secret", SECRET);
    set.put("gatehouse.jwt.leeway", "");
    configure();

    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0)).contains("filter authenticate", "'leeway'", "duration");
  }

  @Test
  void aPrivateKeyGivenByMistakeIsNotShown() {
    String key =
        Base64.getEncoder()
            .encodeToString(SECRET.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    set.put(
        "gatehouse.jwt.publicKey",
        "-----BEGIN PRIVATE KEY-----\n" + key + "\n-----END PRIVATE KEY-----");
    Parameters parameters = configure();

    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().toString() + parameters.reads())
        .contains("'publicKey'")
        .doesNotContain(key);
  }
}
