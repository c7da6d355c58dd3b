package dev.gatehouse;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.GeneralCodingRules;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.annotation.WebFilter;
import jakarta.servlet.annotation.WebListener;
import jakarta.servlet.annotation.WebServlet;

@AnalyzeClasses(
    packages = ArchitectureTest.ROOT,
    importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

  static final String ROOT = "dev.gatehouse";

  @ArchTest
  static final ArchRule dependencies_point_down_and_features_do_not_see_each_other =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("config")
          .definedBy(ROOT + ".config")
          .layer("http")
          .definedBy(ROOT + ".http")
          .layer("metrics")
          .definedBy(ROOT + ".metrics")
          .layer("log")
          .definedBy(ROOT + ".log")
          .layer("vocabulary")
          .definedBy(ROOT)
          .layer("edge")
          .definedBy(ROOT + ".edge")
          .layer("auth")
          .definedBy(ROOT + ".auth")
          .layer("limit")
          .definedBy(ROOT + ".limit")
          .layer("proxy")
          .definedBy(ROOT + ".proxy")
          .layer("services")
          .definedBy(ROOT + ".services")
          .layer("admin")
          .definedBy(ROOT + ".admin")
          .whereLayer("config")
          .mayNotAccessAnyLayer()
          .whereLayer("http")
          .mayNotAccessAnyLayer()
          .whereLayer("metrics")
          .mayNotAccessAnyLayer()
          .whereLayer("log")
          .mayNotAccessAnyLayer()
          .whereLayer("vocabulary")
          .mayOnlyAccessLayers("config", "http", "metrics", "log")
          .whereLayer("edge")
          .mayOnlyAccessLayers("vocabulary", "config", "http", "metrics", "log")
          .whereLayer("auth")
          .mayOnlyAccessLayers("vocabulary", "config", "http", "metrics", "log")
          .whereLayer("limit")
          .mayOnlyAccessLayers("vocabulary", "config", "http", "metrics", "log")
          .whereLayer("proxy")
          .mayOnlyAccessLayers("vocabulary", "config", "http", "metrics")
          .whereLayer("services")
          .mayOnlyAccessLayers("proxy")
          .whereLayer("admin")
          .mayOnlyAccessLayers("vocabulary", "config", "metrics");

  @ArchTest
  static final ArchRule every_class_is_in_a_package_that_has_its_place =
      classes()
          .should()
          .resideInAnyPackage(
              ROOT,
              ROOT + ".config",
              ROOT + ".http",
              ROOT + ".metrics",
              ROOT + ".log",
              ROOT + ".edge",
              ROOT + ".auth",
              ROOT + ".limit",
              ROOT + ".proxy",
              ROOT + ".services",
              ROOT + ".admin");

  @ArchTest
  static final ArchRule only_proxy_and_one_other_client_know_jetty =
      noClasses()
          .that()
          .resideOutsideOfPackage(ROOT + ".proxy")
          .and()
          .doNotHaveFullyQualifiedName(ROOT + ".auth.KeySetClient")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.eclipse.jetty..");

  @ArchTest
  static final ArchRule only_auth_knows_the_token_library =
      noClasses()
          .that()
          .resideOutsideOfPackage(ROOT + ".auth")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("com.auth0..");

  @ArchTest
  static final ArchRule only_auth_and_admin_know_the_json_library =
      noClasses()
          .that()
          .resideOutsideOfPackages(ROOT + ".auth", ROOT + ".admin")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("com.fasterxml..");

  @ArchTest
  static final ArchRule only_metrics_knows_the_metrics_library =
      noClasses()
          .that()
          .resideOutsideOfPackage(ROOT + ".metrics")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.micrometer..");

  @ArchTest
  static final ArchRule only_limit_knows_the_libraries_for_limits =
      noClasses()
          .that()
          .resideOutsideOfPackage(ROOT + ".limit")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.github.bucket4j..", "io.lettuce..", "io.netty..");

  @ArchTest
  static final ArchRule few_know_the_log_library =
      noClasses()
          .that()
          .resideOutsideOfPackage(ROOT + ".log")
          .and()
          .doNotHaveFullyQualifiedName(ROOT + ".edge.AccessLog")
          .and()
          .doNotHaveFullyQualifiedName(ROOT + ".GatewayLifecycle")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("ch.qos.logback..");

  @ArchTest
  static final ArchRule http_and_metrics_know_no_servlet =
      noClasses()
          .that()
          .resideInAnyPackage(ROOT + ".http", ROOT + ".metrics", ROOT + ".log")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("jakarta..");

  @ArchTest
  static final ArchRule one_class_ends_exchanges =
      classes()
          .that()
          .implement(AsyncListener.class)
          .should()
          .haveNameMatching("dev\\.gatehouse\\.edge\\.ExchangeFilter(\\$.*)?");

  @ArchTest
  static final ArchRule web_xml_is_the_whole_truth =
      noClasses()
          .should()
          .beAnnotatedWith(WebFilter.class)
          .orShould()
          .beAnnotatedWith(WebServlet.class)
          .orShould()
          .beAnnotatedWith(WebListener.class);

  @ArchTest
  static final ArchRule nobody_reads_the_body_or_the_decoded_path =
      noClasses()
          .should()
          .callMethodWhere(
              describe(
                  "a request is asked for parameters, parts or its decoded path",
                  (JavaMethodCall call) ->
                      call.getTargetOwner().isAssignableTo(ServletRequest.class)
                          && call.getTarget()
                              .getName()
                              .matches(
                                  "getParameter.*|getParts?|getPathInfo|getPathTranslated"
                                      + "|getServletPath")));

  @ArchTest
  static final ArchRule sendError_is_called_only_where_it_means_something_else =
      noClasses()
          .should()
          .callMethodWhere(
              describe(
                  "sendError is called",
                  (JavaMethodCall call) ->
                      call.getTarget().getName().equals("sendError")
                          && !(call.getOriginOwner().getName().equals(ROOT + ".proxy.Attempt")
                              && call.getOrigin().getName().equals("abortedByJetty"))
                          && !(call.getOriginOwner().getName().equals(ROOT + ".proxy.EarlyHints")
                              && call.getOrigin().getName().equals("relay"))));

  @ArchTest
  static final ArchRule no_printing = GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS;

  @ArchTest
  static final ArchRule no_java_util_logging =
      GeneralCodingRules.NO_CLASSES_SHOULD_USE_JAVA_UTIL_LOGGING;

  @ArchTest
  static final ArchRule no_plain_exceptions =
      GeneralCodingRules.NO_CLASSES_SHOULD_THROW_GENERIC_EXCEPTIONS;

  @ArchTest
  static final ArchRule classes_are_nouns_of_the_domain =
      noClasses()
          .should()
          .haveNameMatching(".*(Manager|Helper|Utils?|Impl|Handler|Processor)(\\$.*)?");
}
