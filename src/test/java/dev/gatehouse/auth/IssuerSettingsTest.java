package dev.gatehouse.auth;

import static org.assertj.core.api.Assertions.assertThat;

import com.auth0.jwt.algorithms.Algorithm;
import dev.gatehouse.config.Parameters;
import dev.gatehouse.config.Problems;
import dev.gatehouse.config.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IssuerSettingsTest {

  private static final String SECRET = "hunter2-hunter2-hunter2-hunter2-hunter2";
  private static final String OTHER = "swordfish-swordfish-swordfish-swordfish";

  @TempDir private Path folder = Path.of("");

  private final Map<String, String> set = new HashMap<>();
  private final Map<String, String> environment = new HashMap<>();
  private final Map<String, String> initParameters = new HashMap<>();
  private final Problems problems = new Problems();

  /** Sets {@code name=value}, with blanks between each two; names are those behind jwt. */
  private void given(String... settings) {
    for (String setting : settings) {
      int equals = setting.indexOf('=');
      set.put("gatehouse.jwt." + setting.substring(0, equals), setting.substring(equals + 1));
    }
  }

  private Settings settings() {
    return Settings.of(set, environment, Map.of(), Map.of(), problems);
  }

  private List<IssuerSettings> read() {
    Parameters parameters =
        Parameters.ofFilter("authenticate", initParameters, settings(), problems);
    parameters.keysUnder("jwt.");
    return IssuerSettings.read(parameters);
  }

  private List<IssuerSettings> good() {
    List<IssuerSettings> issuers = read();
    assertThat(problems.list()).isEmpty();
    return issuers;
  }

  /** What the filter says of the same. */
  private Parameters configure() {
    Parameters parameters =
        Parameters.ofFilter("authenticate", initParameters, settings(), problems);
    new AuthenticationFilter().configure(parameters);
    parameters.reportUnknown();
    return parameters;
  }

  private void assertProblem(String... parts) {
    configure();
    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0)).startsWith("filter authenticate: ").contains(parts);
  }

  private static List<String> algorithms(IssuerSettings issuer) {
    return issuer.algorithms().stream().map(Algorithm::getName).toList();
  }

  @Test
  void theFlatOnesAreOneIssuer() {
    given("secret=" + SECRET);

    IssuerSettings only = good().get(0);

    assertThat(good()).hasSize(1);
    assertThat(only.name()).isEqualTo("default");
    assertThat(algorithms(only)).containsExactly("HS256");
    assertThat(only.source()).isEmpty();
    assertThat(only.issuer()).isEmpty();
    assertThat(only.audience()).isEmpty();
    assertThat(only.leeway()).isEqualTo(Duration.ofSeconds(30));
    assertThat(only.refresh())
        .isEqualTo(new RefreshRule(Duration.ofSeconds(30), Duration.ofHours(24)));
    assertThat(only.revoked()).isEmpty();
    assertThat(only.rolesClaim()).isEqualTo("roles");
    assertThat(only.claimHeaders()).isEmpty();
  }

  @Test
  void everythingIsRead() {
    given(
        "secret=" + SECRET,
        "jwksUrl=https://idp.example/keys",
        "issuer=idp",
        "audience=shop",
        "leeway=60s",
        "refreshInterval=1m",
        "maxStale=2h",
        "revoked=jti:7f3a, sub:mallory, sub:a:b",
        "rolesClaim=realm_access.roles",
        "claimHeaders=email=X-User-Email, a.b = x-user-b,c=d=X-User-C");

    IssuerSettings only = good().get(0);

    assertThat(algorithms(only)).containsExactly("HS256");
    assertThat(only.source()).contains(KeySetSource.of("https://idp.example/keys"));
    assertThat(only.issuer()).contains("idp");
    assertThat(only.audience()).contains("shop");
    assertThat(only.leeway()).isEqualTo(Duration.ofMinutes(1));
    assertThat(only.refresh())
        .isEqualTo(new RefreshRule(Duration.ofMinutes(1), Duration.ofHours(2)));
    assertThat(only.revoked()).isEqualTo(Set.of("jti:7f3a", "sub:mallory", "sub:a:b"));
    assertThat(only.rolesClaim()).isEqualTo("realm_access.roles");
    assertThat(only.claimHeaders())
        .isEqualTo(Map.of("email", "X-User-Email", "a.b", "x-user-b", "c=d", "X-User-C"));
  }

  @Test
  void namedOnesAreThereWithoutAFlatOne() {
    given(
        "issuers= a , B-2_c",
        "a.issuer=https://a.example",
        "B-2_c.issuer=b",
        "B-2_c.secret=" + SECRET,
        "audience=shop");

    List<IssuerSettings> issuers = good();

    assertThat(issuers).extracting(IssuerSettings::name).containsExactly("a", "B-2_c");
    assertThat(issuers.get(0).source()).contains(KeySetSource.discoveredFor("https://a.example"));
    assertThat(issuers.get(1).source()).isEmpty();
    assertThat(algorithms(issuers.get(1))).containsExactly("HS256");
    assertThat(issuers).extracting(IssuerSettings::audience).containsOnly(Optional.of("shop"));
  }

  @Test
  void neitherKeysNorIssuerAreInherited() {
    given(
        "secret=" + SECRET,
        "jwksUrl=https://flat.example/keys",
        "issuer=flat",
        "issuers=a,b",
        "a.issuer=https://a.example",
        "b.issuer=b",
        "b.secret=" + OTHER + OTHER);

    List<IssuerSettings> issuers = good();

    assertThat(issuers)
        .extracting(issuer -> issuer.issuer().orElse(""))
        .containsExactly("flat", "https://a.example", "b");
    assertThat(algorithms(issuers.get(1))).isEmpty();
    assertThat(issuers.get(1).source().orElseThrow().url())
        .hasToString("https://a.example/.well-known/openid-configuration");
    assertThat(algorithms(issuers.get(2))).containsExactly("HS256", "HS384", "HS512");
    assertThat(issuers.get(2).source()).isEmpty();
  }

  @Test
  void whereANamedOneSaysNothingTheFlatOneHolds() {
    given(
        "secret=" + SECRET,
        "audience=shop",
        "leeway=1s",
        "refreshInterval=2s",
        "maxStale=3s",
        "revoked=sub:mallory",
        "rolesClaim=r",
        "claimHeaders=email=X-User-Email",
        "issuers=a,b",
        "a.issuer=https://a.example",
        "b.issuer=https://b.example",
        "b.audience=mall",
        "b.leeway=10s",
        "b.refreshInterval=20s",
        "b.maxStale=30s",
        "b.revoked=jti:1",
        "b.rolesClaim=s",
        "b.claimHeaders=name=X-User-Name");

    IssuerSettings a = good().get(1);
    IssuerSettings b = good().get(2);

    assertThat(a.audience()).contains("shop");
    assertThat(a.leeway()).isEqualTo(Duration.ofSeconds(1));
    assertThat(a.refresh())
        .isEqualTo(new RefreshRule(Duration.ofSeconds(2), Duration.ofSeconds(3)));
    assertThat(a.revoked()).isEqualTo(Set.of("sub:mallory"));
    assertThat(a.rolesClaim()).isEqualTo("r");
    assertThat(a.claimHeaders()).isEqualTo(Map.of("email", "X-User-Email"));
    assertThat(b.audience()).contains("mall");
    assertThat(b.leeway()).isEqualTo(Duration.ofSeconds(10));
    assertThat(b.refresh())
        .isEqualTo(new RefreshRule(Duration.ofSeconds(20), Duration.ofSeconds(30)));
    // What is revoked for all is revoked for each.
    assertThat(b.revoked()).isEqualTo(Set.of("sub:mallory", "jti:1"));
    assertThat(b.rolesClaim()).isEqualTo("s");
    assertThat(b.claimHeaders()).isEqualTo(Map.of("name", "X-User-Name"));
  }

  @Test
  void oneIssuersValuesAreNotAnothers() {
    given(
        "issuers=a,b",
        "a.issuer=https://a.example",
        "a.audience=mall",
        "a.leeway=0s",
        "a.revoked=sub:mallory",
        "b.issuer=https://b.example");

    IssuerSettings b = good().get(1);

    assertThat(b.audience()).isEmpty();
    assertThat(b.leeway()).isEqualTo(Duration.ofSeconds(30));
    assertThat(b.revoked()).isEmpty();
  }

  @Test
  void namedOnesMayStandInWebXmlAndInTheEnvironment() {
    initParameters.put("issuers", "a, B-2");
    initParameters.put("a.issuer", "https://a.example");
    initParameters.put("a.audience", "${shop.name:mall}");
    environment.put("GATEHOUSE_JWT_B_2_ISSUER", "b");
    environment.put("GATEHOUSE_JWT_B_2_SECRET", SECRET);

    assertThat(good()).extracting(IssuerSettings::name).containsExactly("a", "B-2");
    assertThat(good().get(0).audience()).contains("mall");
    assertThat(good().get(1).issuer()).contains("b");
    configure();
    assertThat(problems.list()).isEmpty();
  }

  // What is wrong.

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a,a", "a,A", "a-b,a_b", "a,", ",", "a,,b", "default", "Default", "a b", "1a", "-a", "a.b",
        "\u00e9", "a;b", "a/b",
      })
  void badNamesAreRefused(String names) {
    given("issuers=" + names, "a.issuer=https://a.example");

    assertProblem(
        "'issuers'", "different names of letters", "none 'default'", "got '" + names.strip() + "'");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "leeway=61s|at most 60s",
        "leeway=1h|at most 60s",
        "leeway=30|duration",
        "refreshInterval=0s|more than 0",
        "refreshInterval=30|duration",
        "maxStale=0s|more than 0",
        "maxStale=none|duration",
        "revoked=mallory|jti:",
        "revoked=sub:|jti:",
        "revoked=sub:a,|jti:",
        "revoked=iss:a|jti:",
        "revoked=SUB:a|jti:",
        "rolesClaim=a,b|name of a claim",
        "claimHeaders=email|X-User-Name",
        "claimHeaders==X-User-Email|X-User-Name",
        "claimHeaders=email=|X-User-Name",
        "claimHeaders=email=Authorization|X-User-Name",
        "claimHeaders=email=X-User-Id|X-User-Name",
        "claimHeaders=email=x-user-scopes|X-User-Name",
        "claimHeaders=email=X_User_Email|X-User-Name",
        "claimHeaders=email=X-User-|X-User-Name",
        "claimHeaders=email=X-User-a b|X-User-Name",
        "claimHeaders=email=X-Forwarded-For|X-User-Name",
        "claimHeaders=email=Host|X-User-Name",
        "claimHeaders=a=X-User-A,b=X-User-A|X-User-Name",
        "claimHeaders=a=X-User-A,b=x-user-a|X-User-Name",
        "claimHeaders=a=X-User-A,a=X-User-B|X-User-Name",
        "claimHeaders=a=X-User-A,|X-User-Name",
        "jwksUrl=idp.example/keys|http or https URL",
        "jwksUrl=ftp://idp.example/keys|http or https URL",
        "jwksUrl=https://idp.example/keys#a|http or https URL",
        "secret=short|at least 32 bytes",
        "publicKey=/nothing/there.pem|PEM",
      })
  void aWrongValueIsOneProblemFlatAndNamed(String setting, String expected) {
    String name = setting.substring(0, setting.indexOf('='));
    given("issuer=https://flat.example", setting);
    assertProblem("'" + name + "'", "system property gatehouse.jwt." + name, expected);
  }

  @ParameterizedTest
  @CsvSource({
    "leeway, 61s, at most 60s",
    "refreshInterval, 0s, more than 0",
    "maxStale, soon, duration",
    "revoked, mallory, jti:",
    "rolesClaim, 'a,b', name of a claim",
    "claimHeaders, a=Authorization, X-User-Name",
    "jwksUrl, /keys, http or https URL",
    "secret, short, at least 32 bytes",
    "publicKey, /nothing/there.pem, PEM",
  })
  void aWrongValueOfANamedOneIsReportedWithItsName(String name, String value, String expected) {
    given("issuers=a", "a.issuer=https://a.example", "a." + name + "=" + value);

    assertProblem("'a." + name + "'", "system property gatehouse.jwt.a." + name, expected);
  }

  @Test
  void aSecretInAQueryIsNotShown() {
    given("issuer=https://a.example", "jwksUrl=https://idp.example/keys?key=hunter2&v=1");

    assertThat(configure().reads().toString())
        .contains("https://idp.example/keys?***")
        .doesNotContain("hunter2");
    assertThat(problems.list()).isEmpty();
  }

  @Test
  void aPasswordInAUrlIsNotShown() {
    given("issuers=a", "a.issuer=https://a.example", "a.jwksUrl=https://u:hunter2@idp.example/k");

    assertThat(configure().reads().toString()).doesNotContain("hunter2");
    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0))
        .contains("'a.jwksUrl'", "without user", "***")
        .doesNotContain("hunter2");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "issuers=a|jwt.a.issuer is missing: tokens are told apart by it",
        "issuers=a b.issuer=https://b.example a.jwksUrl=https://a.example/keys|jwt.a.issuer is missing",
        "issuers=a,b a.issuer=https://a.example b.issuer=https://a.example"
            + "|two issuers are 'https://a.example'; expected each once",
        "issuer=https://a.example issuers=a a.issuer=https://a.example"
            + "|two issuers are 'https://a.example'",
        "issuers=a a.issuer=gatehouse"
            + "|no key for tokens of 'gatehouse': expected jwt.a.secret, jwt.a.publicKey or"
            + " jwt.a.jwksUrl, or a provider's http or https URL as jwt.a.issuer",
        "issuer=gatehouse"
            + "|no key for tokens of 'gatehouse': expected jwt.secret, jwt.publicKey or jwt.jwksUrl",
        "issuers=a a.issuer=https://a.example?x=y|no key for tokens of 'https://a.example?***'",
        "issuers=a a.issuer=https://a.example#x|no key for tokens of",
        "issuers=a a.issuer=ftp://a.example|no key for tokens of",
        "issuers=a secret=" + SECRET + " a.issuer=gatehouse|no key for tokens of 'gatehouse'",
        "audience=shop|no key for tokens: expected jwt.secret, jwt.publicKey or jwt.jwksUrl",
        "leeway=1s|nothing is open by accident",
        "issuers=|no key for tokens: expected jwt.secret",
      })
  void whatDoesNotGoTogetherIsOneProblem(String settings, String problem) {
    given(settings.split(" ", -1));

    assertProblem(problem);
  }

  @Test
  void allProblemsAreToldAtOnce() {
    given(
        "leeway=61s",
        "claimHeaders=email=Authorization",
        "revoked=mallory",
        "memory=32",
        "public=api",
        "issuers=a,b,c",
        "a.secret=short",
        "a.issuer=x",
        "b.issuer=x",
        "b.leeway=2m",
        "c.jwksUrl=ftp://c");
    configure();

    assertThat(String.join("\n", problems.list()))
        .contains(
            "'leeway'",
            "'claimHeaders'",
            "'revoked'",
            "'memory'",
            "'public'",
            "'a.secret'",
            "two issuers are 'x'",
            "'b.leeway'",
            "no key for tokens of 'x': expected jwt.b.secret",
            "jwt.c.issuer is missing",
            "'c.jwksUrl'");
    assertThat(problems.list()).hasSize(11);
  }

  @Test
  void whatNoIssuerHasIsUnknown() throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("gatehouse.properties"),
            "jwt.issuers=a\njwt.a.issuer=https://a.example\njwt.b.secret=" + SECRET + "\n");
    set.put("gatehouse.config", file.toString());
    set.put("gatehouse.jwt.B.issuer", "x");
    set.put("gatehouse.jwt.A.audience", "x");
    environment.put("GATEHOUSE_JWT_C_SECRET", SECRET);
    Settings settings = settings();
    new AuthenticationFilter()
        .configure(Parameters.ofFilter("authenticate", Map.of(), settings, problems));
    assertThat(problems.list()).isEmpty();

    List<String> warnings = settings.reportUnknown();

    assertThat(problems.list()).hasSize(1);
    assertThat(problems.list().get(0)).contains("unknown setting 'jwt.b.secret'");
    assertThat(warnings).hasSize(3);
    assertThat(String.join("\n", warnings))
        .contains("gatehouse.jwt.B.issuer", "gatehouse.jwt.A.audience", "GATEHOUSE_JWT_C_SECRET");
    assertThat(problems.list().toString() + warnings).doesNotContain("hunter2");
  }

  @Test
  void anInitParamOfNoIssuerIsUnknown() {
    initParameters.put("issuers", "a");
    initParameters.put("a.issuer", "https://a.example");
    initParameters.put("b.secret", SECRET);

    assertProblem("unknown init-param 'b.secret'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a."})
  void aPasswordInAnIssuerIsNotShown(String prefix) {
    given(prefix + "issuer=https://u:hunter2@idp.example");
    if (!prefix.isEmpty()) {
      given("issuers=a");
    }

    assertProblem("no key for tokens of", "idp.example");
    assertThat(problems.list().toString()).doesNotContain("hunter2");
  }

  @Test
  void secretsOfNamedOnesAreMasked() {
    given("issuers=a", "a.issuer=a", "a.secret=" + SECRET, "secret=" + OTHER);
    Parameters parameters = configure();

    List<String> shown = new ArrayList<>();
    for (Parameters.Read read : parameters.reads()) {
      assertThat(read.toString()).doesNotContain("hunter2", "swordfish");
      if (read.text().equals("***")) {
        shown.add(read.key());
      }
    }
    assertThat(shown).containsExactly("jwt.secret", "jwt.a.secret");
    assertThat(problems.list()).isEmpty();
  }

  @Test
  void aWrongSecretOfANamedOneIsNotShown() {
    given("issuers=a", "a.issuer=a", "a.secret=hunter2");

    assertProblem("'a.secret'", "at least 32 bytes (it has 7)", "***");
    assertThat(problems.list().toString()).doesNotContain("hunter2");
  }
}
