package dev.gatehouse.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsTest {

  @TempDir private Path folder = Path.of("");

  private final Map<String, String> systemProperties = new HashMap<>();
  private final Map<String, String> environment = new HashMap<>();
  private final Map<String, String> jndi = new HashMap<>();
  private final Map<String, String> contextParameters = new HashMap<>();
  private final Problems problems = new Problems();

  private Settings settings() {
    return Settings.of(systemProperties, environment, jndi, contextParameters, problems);
  }

  private Path write(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(Objects.requireNonNull(file.getParent()));
    return Files.writeString(file, text);
  }

  private static Setting found(Settings settings, String key) {
    return Objects.requireNonNull(settings.find(key), key);
  }

  @Test
  void thePlacesAreAskedInTheOrderOfTheContract() throws IOException {
    Path file = write("s.properties", "users.url=http://file");
    systemProperties.put("gatehouse.config", file.toString());
    systemProperties.put("gatehouse.users.url", "http://property");
    environment.put("GATEHOUSE_USERS_URL", "http://variable");
    jndi.put("users.url", "http://jndi");
    contextParameters.put("users.url", "http://context");

    assertThat(found(settings(), "users.url"))
        .isEqualTo(new Setting("http://property", "system property gatehouse.users.url"));
    systemProperties.remove("gatehouse.users.url");
    assertThat(found(settings(), "users.url"))
        .isEqualTo(new Setting("http://variable", "environment variable GATEHOUSE_USERS_URL"));
    environment.clear();
    assertThat(found(settings(), "users.url"))
        .isEqualTo(new Setting("http://jndi", "JNDI java:comp/env/gatehouse/users.url"));
    jndi.clear();
    assertThat(found(settings(), "users.url"))
        .isEqualTo(new Setting("http://context", "context init-parameter gatehouse.users.url"));
    contextParameters.clear();
    assertThat(found(settings(), "users.url"))
        .isEqualTo(new Setting("http://file", "file " + file + ": users.url"));
    systemProperties.clear();
    assertThat(settings().find("users.url")).isNull();
    assertThat(problems.list()).isEmpty();
  }

  @Test
  void anEmptyValueIsAHit() {
    systemProperties.put("gatehouse.users.url", "");
    environment.put("GATEHOUSE_USERS_URL", "http://variable");

    assertThat(found(settings(), "users.url").text()).isEmpty();
  }

  @Test
  void aValueIsTakenWithoutTheBlanksAroundIt() throws IOException {
    systemProperties.put("gatehouse.a", " x ");
    environment.put("GATEHOUSE_B", "\tx\n");
    jndi.put("c", " x");
    contextParameters.put("d", "\n  x\n");
    systemProperties.put("gatehouse.config", write("s.properties", "e = x  ").toString());
    Settings settings = settings();

    for (String key : List.of("a", "b", "c", "d", "e")) {
      assertThat(found(settings, key).text()).as(key).isEqualTo("x");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "users.url, GATEHOUSE_USERS_URL",
    "timeout.response, GATEHOUSE_TIMEOUT_RESPONSE",
    "jwt.publicKey, GATEHOUSE_JWT_PUBLICKEY",
    "my-service.url, GATEHOUSE_MY_SERVICE_URL",
    "accessLog.format, GATEHOUSE_ACCESSLOG_FORMAT",
    "drain, GATEHOUSE_DRAIN",
  })
  void aVariableIsUpperCaseWithUnderscores(String key, String variable) {
    environment.put(variable, "x");

    assertThat(found(settings(), key))
        .isEqualTo(new Setting("x", "environment variable " + variable));
    assertThat(problems.list()).isEmpty();
  }

  @Test
  void aVariableMayNameAFileThatHoldsTheValue() throws IOException {
    Path secret = write("secret", "s3cret-s3cret-s3cret-s3cret-s3cret\n");
    environment.put("GATEHOUSE_JWT_SECRET_FILE", secret.toString());
    Setting setting = found(settings(), "jwt.secret");

    assertThat(setting.text()).isEqualTo("s3cret-s3cret-s3cret-s3cret-s3cret");
    assertThat(setting.source())
        .contains("GATEHOUSE_JWT_SECRET_FILE", secret.toString())
        .doesNotContain("s3cret-s3cret");
    assertThat(problems.list()).isEmpty();
  }

  @Test
  void aVariableAndItsFileTogetherAreAProblem() throws IOException {
    environment.put("GATEHOUSE_JWT_SECRET", "the-secret-itself");
    environment.put("GATEHOUSE_JWT_SECRET_FILE", write("secret", "another-secret").toString());
    settings().find("jwt.secret");

    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0))
        .contains("GATEHOUSE_JWT_SECRET", "GATEHOUSE_JWT_SECRET_FILE", "both")
        .doesNotContain("the-secret-itself", "another-secret");
  }

  @Test
  void aFileThatAVariableNamesInVainIsAProblem() {
    environment.put("GATEHOUSE_JWT_SECRET_FILE", folder.resolve("nothing").toString());
    systemProperties.put("other", "x");
    settings().find("jwt.secret");

    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0)).contains("GATEHOUSE_JWT_SECRET_FILE", "nothing");
  }

  @Test
  void aFileThatAVariableNamesMustBeText() throws IOException {
    Path secret = folder.resolve("secret");
    Files.write(secret, new byte[] {(byte) 0xff, (byte) 0xfe, 0});
    environment.put("GATEHOUSE_JWT_SECRET_FILE", secret.toString());
    settings().find("jwt.secret");

    assertThat(problems.list()).hasSize(1);
  }

  @Test
  void theSettingsFileIsNamedByConfigInThePlacesBeforeIt() throws IOException {
    Path byProperty = write("1.properties", "k=property");
    Path byVariable = write("2.properties", "k=variable");
    Path byJndi = write("3.properties", "k=jndi");
    Path byContext = write("4.properties", "k=context");
    systemProperties.put("gatehouse.config", byProperty.toString());
    environment.put("GATEHOUSE_CONFIG", byVariable.toString());
    jndi.put("config", byJndi.toString());
    contextParameters.put("config", byContext.toString());

    assertThat(found(settings(), "k").text()).isEqualTo("property");
    systemProperties.clear();
    assertThat(found(settings(), "k").text()).isEqualTo("variable");
    environment.clear();
    assertThat(found(settings(), "k").text()).isEqualTo("jndi");
    jndi.clear();
    Settings last = settings();
    assertThat(found(last, "k").text()).isEqualTo("context");
    assertThat(last.file()).isEqualTo(byContext);
    assertThat(last.reportUnknown()).isEmpty();
    assertThat(problems.list()).isEmpty();
  }

  @Test
  void withoutConfigTheServersFoldersAreAskedJettyFirst() throws IOException {
    Path jetty = write("jetty/etc/gatehouse.properties", "k=jetty");
    Path catalina = write("catalina/conf/gatehouse.properties", "k=catalina");
    Path named = write("named.properties", "k=named");
    systemProperties.put("jetty.base", folder.resolve("jetty").toString());
    systemProperties.put("catalina.base", folder.resolve("catalina").toString());
    systemProperties.put("gatehouse.config", named.toString());

    assertThat(settings().file()).isEqualTo(named);
    systemProperties.remove("gatehouse.config");
    assertThat(settings().file()).isEqualTo(jetty);
    Files.delete(jetty);
    assertThat(settings().file()).isEqualTo(catalina);
    Files.delete(catalina);
    assertThat(settings().file()).isNull();
    assertThat(problems.list()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"nothing.properties", "", "."})
  void aNamedSettingsFileThatCannotBeReadIsAProblem(String name) {
    systemProperties.put("gatehouse.config", folder.resolve(name).toString());
    settings();

    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0)).contains(folder.toString());
  }

  @Test
  void aKeyThatIsSetTwiceInTheFileIsAProblemWithoutItsValue() throws IOException {
    Path file = write("s.properties", "jwt.secret=first-value\nother=1\njwt.secret=second-value\n");
    systemProperties.put("gatehouse.config", file.toString());
    settings();

    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0))
        .contains("jwt.secret", "twice", file.toString())
        .doesNotContain("first-value", "second-value");
  }

  @Test
  void theFileIsReadAsUtf8() throws IOException {
    systemProperties.put("gatehouse.config", write("s.properties", "k=\u00e9\u20ac").toString());

    assertThat(found(settings(), "k").text()).isEqualTo("\u00e9\u20ac");
  }

  @Test
  void aFileThatIsNoPropertiesFileIsAProblem() throws IOException {
    systemProperties.put("gatehouse.config", write("s.properties", "k=\\u00zz").toString());
    settings();

    assertThat(problems.list()).hasSize(1);
  }

  @Test
  void anUnknownKeyInTheFileIsAProblemThatSaysWhatWasPerhapsMeant() throws IOException {
    systemProperties.put(
        "gatehouse.config",
        write("s.properties", "user.url=x\nusers.ulr=y\nzzz.unlike.all=z\nusers.url=ok")
            .toString());
    Settings settings = settings();
    settings.find("users.url");
    List<String> warnings = settings.reportUnknown();

    assertThat(warnings).isEmpty();
    assertThat(problems.list()).hasSize(3);
    assertThat(problems.list().get(0)).contains("'user.url'", "did you mean 'users.url'");
    assertThat(problems.list().get(1)).contains("'users.ulr'", "did you mean 'users.url'");
    assertThat(problems.list().get(2)).contains("'zzz.unlike.all'").doesNotContain("did you mean");
  }

  @Test
  void theFileCannotNameItself() throws IOException {
    systemProperties.put("gatehouse.config", write("s.properties", "config=x").toString());
    settings().reportUnknown();

    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0)).contains("'config'");
  }

  @Test
  void anUnknownContextParameterIsAProblem() {
    contextParameters.put("user.url", "x");
    contextParameters.put("users.url", "y");
    Settings settings = settings();
    settings.find("users.url");
    settings.reportUnknown();

    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0)).contains("gatehouse.user.url", "did you mean 'users.url'");
  }

  @Test
  void unknownVariablesAndPropertiesAreWarningsWithoutTheirValues() {
    systemProperties.put("gatehouse.user.url", "value-1");
    systemProperties.put("gatehouse.users.url", "value-2");
    systemProperties.put("java.home", "value-3");
    environment.put("GATEHOUSE_JWT_SECRT", "value-4");
    environment.put("GATEHOUSE_JWT_SECRET", "value-5");
    environment.put("GATEHOUSE_NOTHING_LIKE_IT_FILE", "value-6");
    environment.put("PATH", "value-7");
    Settings settings = settings();
    settings.find("users.url");
    settings.find("jwt.secret");
    List<String> warnings = settings.reportUnknown();

    assertThat(warnings).hasSize(3).noneMatch(warning -> warning.contains("value-"));
    assertThat(warnings.get(0)).contains("gatehouse.user.url", "did you mean 'users.url'");
    assertThat(warnings.get(1))
        .contains("GATEHOUSE_JWT_SECRT", "did you mean 'GATEHOUSE_JWT_SECRET'");
    assertThat(warnings.get(2)).contains("GATEHOUSE_NOTHING_LIKE_IT_FILE");
    assertThat(problems.list()).isEmpty();
  }

  @Test
  void whatNamesTheSettingsFileIsKnownEverywhere() throws IOException {
    Path file = write("s.properties", "");
    systemProperties.put("gatehouse.config", file.toString());
    environment.put("GATEHOUSE_CONFIG", file.toString());
    contextParameters.put("config", file.toString());

    assertThat(settings().reportUnknown()).isEmpty();
    assertThat(problems.list()).isEmpty();
  }

  @Test
  void aKeyThatAHigherPlaceOverridesIsKnownAllTheSame() throws IOException {
    systemProperties.put("gatehouse.config", write("s.properties", "k=file").toString());
    systemProperties.put("gatehouse.k", "property");
    contextParameters.put("k", "context");
    Settings settings = settings();
    settings.find("k");

    assertThat(settings.reportUnknown()).isEmpty();
    assertThat(problems.list()).isEmpty();
  }
}
