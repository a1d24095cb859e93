/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaType;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import dev.imagegc.core.SystemGcClock;
import java.util.Set;
import java.util.stream.Stream;

/** Who may know whom, and who may read a clock. It lives here because only the examples see all modules. */
@AnalyzeClasses(packages = "dev.imagegc", importOptions = ArchitectureTest.WithoutTests.class)
class ArchitectureTest {
  /** Tests of other modules may arrive as directories or as jars. */
  static final class WithoutTests implements ImportOption {
    @Override
    public boolean includes(Location location) {
      return !location.contains("/test-classes/") && !location.contains("-tests.jar");
    }
  }

  private static final String API = "dev.imagegc.api..";
  private static final String CORE = "dev.imagegc.core..";
  private static final String COLLECTOR = "dev.imagegc.core";
  private static final String CONTAINERS = "dev.imagegc.core.container";
  private static final String DISK = "dev.imagegc.core.disk";
  private static final String PRESSURE = "dev.imagegc.core.pressure";
  private static final String PULLS = "dev.imagegc.core.pull";
  private static final String NODE = "dev.imagegc.core.node";
  private static final String INTERNAL = "dev.imagegc.core.internal";
  private static final String DOCKER = "dev.imagegc.docker..";
  private static final String TESTKIT = "dev.imagegc.testkit..";
  private static final String KITS = "dev.imagegc.testkit.tck..";
  private static final String[] LIBRARIES = {API, CORE, DOCKER, TESTKIT};
  private static final String JDK = "java..";
  private static final String JSPECIFY = "org.jspecify..";
  private static final String SLF4J = "org.slf4j..";

  // Arrows

  @ArchTest
  static final ArchRule apiKnowsNobody = classes()
      .that()
      .resideInAPackage(API)
      .should()
      .onlyDependOnClassesThat(anyOf(API, JDK, JSPECIFY));

  @ArchTest
  static final ArchRule coreKnowsTheApi = classes()
      .that()
      .resideInAPackage(CORE)
      .should()
      .onlyDependOnClassesThat(anyOf(CORE, API, JDK, JSPECIFY, SLF4J, "com.google.common.."));

  // Inside core: each package, and which others of core it may know

  @ArchTest
  static final ArchRule whatPartsShareKnowsNoPart = inCore(INTERNAL);

  @ArchTest
  static final ArchRule theCollectorStandsAlone = inCore(COLLECTOR, INTERNAL)
      .because("the other parts build on the collector of images, never the other way");

  @ArchTest
  static final ArchRule pullsKnowTheCollectorOnly = inCore(PULLS, COLLECTOR, INTERNAL);

  @ArchTest
  static final ArchRule containerCollectionKnowsTheCollectorOnly =
      inCore(CONTAINERS, COLLECTOR, INTERNAL);

  @ArchTest
  static final ArchRule diskSpaceKnowsTheCollectorOnly = inCore(DISK, COLLECTOR, INTERNAL);

  @ArchTest
  static final ArchRule pressureKnowsTheCollectors = inCore(
          PRESSURE, COLLECTOR, CONTAINERS, INTERNAL)
      .because("disk pressure has images and containers removed, and knows no other part");

  @ArchTest
  static final ArchRule theNodeKnowsTheParts =
      inCore(NODE, COLLECTOR, CONTAINERS, DISK, PRESSURE, INTERNAL);

  @ArchTest
  static final ArchRule nobodyKnowsTheNode = noClasses()
      .that()
      .resideInAnyPackage(LIBRARIES)
      .and()
      .resideOutsideOfPackage(NODE)
      .should()
      .dependOnClassesThat()
      .resideInAPackage(NODE)
      .because("it puts the parts together, and each of them also works alone");

  @ArchTest
  static final ArchRule everyPackageOfCoreHasARule = classes()
      .that()
      .resideInAPackage(CORE)
      .should()
      .resideInAnyPackage(COLLECTOR, CONTAINERS, DISK, PRESSURE, PULLS, NODE, INTERNAL);

  @ArchTest
  static final ArchRule noPackagesKnowEachOtherInACircle =
      slices().matching("dev.imagegc.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule noInternalTypeInWhatUsersSeeOfCore =
      publicMembersOutside(INTERNAL, CORE, "mention an internal type", resideInAPackage(INTERNAL));

  @ArchTest
  static final ArchRule dockerKnowsTheApi = classes()
      .that()
      .resideInAPackage(DOCKER)
      .should()
      .onlyDependOnClassesThat(anyOf(
          DOCKER,
          API,
          JDK,
          JSPECIFY,
          SLF4J,
          "javax.net..",
          "com.google.gson..",
          "org.apache.hc.."));

  @ArchTest
  static final ArchRule fakesKnowTheApi = classes()
      .that()
      .resideInAPackage(TESTKIT)
      .and()
      .resideOutsideOfPackage(KITS)
      .should()
      .onlyDependOnClassesThat(anyOf("dev.imagegc.testkit", API, JDK, JSPECIFY)
          .as("belong to the fakes, the api, the JDK or JSpecify: fakes need no test framework"));

  @ArchTest
  static final ArchRule kitsKnowTheFakesAndTestFrameworks = classes()
      .that()
      .resideInAPackage(KITS)
      .should()
      .onlyDependOnClassesThat(anyOf(
          TESTKIT, API, JDK, JSPECIFY, "org.junit.jupiter..", "org.assertj..", "org.opentest4j.."))
      .allowEmptyShould(true);

  @ArchTest
  static final ArchRule nobodyKnowsTheExamples = noClasses()
      .that()
      .resideInAnyPackage(LIBRARIES)
      .should()
      .dependOnClassesThat()
      .resideInAPackage("dev.imagegc.examples..");

  // What users see

  @ArchTest
  static final ArchRule noGuavaInWhatUsersSeeOfCore =
      publicMembers(CORE, "mention a Guava type", resideInAPackage("com.google.."));

  @ArchTest
  static final ArchRule noClientTypeInWhatUsersSeeOfDocker = publicMembers(
      DOCKER,
      "mention a type of the HTTP client or of Gson",
      resideInAnyPackage("com.google..", "org.apache.."));

  // Time, logs

  @ArchTest
  static final ArchRule onlyTheSystemClockReadsTime = noClasses()
      .that(resideInAnyPackage(LIBRARIES)
          .or(resideInAPackage("dev.imagegc.examples.."))
          .and(DescribedPredicate.not(DescribedPredicate.describe(
              "are not the system clock, nor what bounds an adapter's requests",
              type -> type.isEquivalentTo(SystemGcClock.class)
                  || type.getFullName().equals("dev.imagegc.docker.TimeLimit")))))
      .should()
      .accessTargetWhere(DescribedPredicate.describe(
          "reads a clock or sleeps", (JavaAccess<?> access) -> readsTime(access.getTarget())));

  @ArchTest
  static final ArchRule librariesDoNotPrint =
      noClasses().that().resideInAnyPackage(LIBRARIES).should(ACCESS_STANDARD_STREAMS);

  @ArchTest
  static final ArchRule librariesDoNotUseJavaUtilLogging = noClasses()
      .that()
      .resideInAnyPackage(LIBRARIES)
      .should()
      .dependOnClassesThat()
      .resideInAPackage("java.util.logging..");

  private static ArchRule inCore(String part, String... mayKnow) {
    return noClasses()
        .that()
        .resideInAPackage(part)
        .should()
        .dependOnClassesThat(resideInAPackage(CORE)
            .and(DescribedPredicate.not(resideInAPackage(part)))
            .and(DescribedPredicate.not(resideInAnyPackage(mayKnow))));
  }

  private static DescribedPredicate<JavaClass> anyOf(String... packages) {
    // An array of a type depends on that type alone; primitives and their arrays belong to nobody.
    return DescribedPredicate.describe(
        "reside in one of " + String.join(", ", packages),
        type -> type.getBaseComponentType().isPrimitive()
            || resideInAnyPackage(packages).test(type.getBaseComponentType()));
  }

  private static boolean readsTime(AccessTarget target) {
    JavaClass owner = target.getOwner();
    String name = target.getName();
    boolean now = name.equals("now") && owner.getPackageName().startsWith("java.time");
    boolean system = name.startsWith("system")
        && (owner.isEquivalentTo(java.time.Clock.class)
            || owner.isEquivalentTo(java.time.InstantSource.class));
    boolean reading = owner.isEquivalentTo(System.class)
        && Set.of("nanoTime", "currentTimeMillis").contains(name);
    boolean date = owner.isEquivalentTo(java.util.Date.class) && name.equals("<init>");
    boolean sleep = name.equals("sleep")
        && (owner.isEquivalentTo(Thread.class)
            || owner.isEquivalentTo(java.util.concurrent.TimeUnit.class));
    return now || system || reading || date || sleep;
  }

  private static ArchRule publicMembers(
      String packages, String what, DescribedPredicate<JavaClass> foreign) {
    return publicMembersOutside("", packages, what, foreign);
  }

  private static ArchRule publicMembersOutside(
      String except, String packages, String what, DescribedPredicate<JavaClass> foreign) {
    return noClasses()
        .that()
        .resideInAPackage(packages)
        .and()
        .resideOutsideOfPackage(except)
        .and(DescribedPredicate.describe(
            "are public, as is all that they are in", ArchitectureTest::isSeen))
        .should(new ArchCondition<>(what + " in what users see") {
          @Override
          public void check(JavaClass type, ConditionEvents events) {
            Stream.concat(type.getCodeUnits().stream(), type.getFields().stream())
                .filter(ArchitectureTest::isVisible)
                .filter(member -> mentioned(member)
                    .flatMap(mentioned -> mentioned.getAllInvolvedRawTypes().stream())
                    .anyMatch(foreign))
                .forEach(member -> events.add(SimpleConditionEvent.satisfied(
                    member, member.getDescription() + " does " + what)));
            if (Stream.concat(
                    type.getAllRawSuperclasses().stream(), type.getAllRawInterfaces().stream())
                .anyMatch(foreign)) {
              events.add(
                  SimpleConditionEvent.satisfied(type, type.getDescription() + " does " + what));
            }
          }
        });
  }

  private static boolean isSeen(JavaClass type) {
    return type.getModifiers().contains(JavaModifier.PUBLIC)
        && type.getEnclosingClass().map(ArchitectureTest::isSeen).orElse(true);
  }

  private static boolean isVisible(JavaMember member) {
    return member.getModifiers().contains(JavaModifier.PUBLIC)
        || member.getModifiers().contains(JavaModifier.PROTECTED);
  }

  private static Stream<JavaType> mentioned(JavaMember member) {
    if (member instanceof JavaField field) {
      return Stream.of(field.getType());
    }
    JavaCodeUnit unit = (JavaCodeUnit) member;
    return Stream.of(
            Stream.of(unit.getReturnType()),
            unit.getParameterTypes().stream(),
            unit.getExceptionTypes().stream())
        .flatMap(types -> types);
  }
}
