package dev.gatehouse.testing;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import org.junit.jupiter.api.Disabled;

/** What holds for all tests. */
@AnalyzeClasses(packages = "dev.gatehouse", importOptions = ImportOption.OnlyIncludeTests.class)
class TestRulesTest {
  @ArchTest
  static final ArchRule nobody_sleeps =
      noClasses().should().callMethod(Thread.class, "sleep", long.class);

  @ArchTest
  static final ArchRule nothing_is_switched_off =
      noMethods().should().beAnnotatedWith(Disabled.class);

  @ArchTest
  static final ArchRule no_class_is_switched_off =
      classes().should().notBeAnnotatedWith(Disabled.class);
}
