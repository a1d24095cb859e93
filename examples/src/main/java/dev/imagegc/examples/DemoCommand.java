/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.core.ImageGcManager;
import dev.imagegc.core.LruGcPolicy;
import dev.imagegc.testkit.FakeNode;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/**
 * Tells how a node fills up and is collected, on the testkit's fake node: two weeks in virtual time, by the library's real
 * code.
 */
@Command(
    name = "demo",
    description =
        "Shows a simulated node that fills up, the plan, the round, and the node after. Needs no engine.")
final class DemoCommand implements Callable<Integer> {
  private static final long MIB = 1024 * 1024;
  private static final long GIB = 1024 * MIB;

  private final Console console;
  private final FakeNode node = FakeNode.withDisk(40 * GIB);

  DemoCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    Logging.level("warn");
    LruGcPolicy policy = LruGcPolicy.builder().keep("registry.example/base/**").build();
    try (ImageGcManager gc = ImageGcManager.builder()
        .runtime(node.runtime())
        .fsStats(node.fsStats())
        .clock(node.clock())
        .policy(policy)
        .build()) {
      tell(
          "Two weeks on a simulated node",
          "A node with a disk of 40 GiB pulls images and runs containers. The collector looks now and then, so it knows"
              + " when each image was last used.");
      twoWeeks(gc);
      console.say(images(gc.detectImages()));

      GcPlan plan = gc.plan();
      tell(
          "The plan",
          "The disk is " + plan.usagePercent()
              + "% full, so a round is due. This is what it would do; nothing is touched"
              + " yet. The images that were unused for longest go first. Those with a number and the reason ENOUGH_FREED"
              + " are the reserve. The rest stays, and the table says why.");
      console.say(TextReport.of(plan, policy.thresholds()));

      GcReport report = gc.garbageCollect();
      tell(
          "The round",
          "It removes one image at a time, asks before each one whether it is still unused, and measures the disk after"
              + " it. Versions of shop/web share the layers of base/jvm, which a running container needs, so each one"
              + " frees less than its listed size; the round goes on until the measured need is met.");
      console.say(TextReport.of(report, policy.thresholds()));

      tell(
          "The node after",
          "Everything that is in use, protected or young is still there, with all its names.");
      console.say(images(gc.detectImages()));
      console.say("Next: 'plan' shows what a round would do on your engine, and touches nothing.");
      return ExitCodes.of(report);
    }
  }

  private void twoWeeks(ImageGcManager gc) {
    node.otherData(5 * GIB);
    node.image(id(1))
        .tag("registry.example/base/jvm:17")
        .layer("os", 700 * MIB)
        .layer("jvm", 1300 * MIB)
        .add();
    day(gc, "base/jvm:17 is pulled; it is kept by the rule 'registry.example/base/**'");

    web(2, "1.0");
    node.run("web", id(2));
    day(gc, "shop/web:1.0 is deployed, built on base/jvm");

    node.image(id(3))
        .tag("registry.example/tools/migrate:7")
        .layer("os", 700 * MIB)
        .layer("migrate", 900 * MIB)
        .add();
    node.run("migrate-job", id(3));
    node.exit("migrate-job");
    day(
        gc,
        "a job of tools/migrate:7 ends; its container is not removed, so the image stays in use");

    node.image(id(4))
        .tag("registry.example/ml/train:3")
        .layer("cuda", 9 * GIB)
        .layer("train", 2 * GIB)
        .add();
    node.run("training", id(4));
    day(gc, "a training run of ml/train:3 begins");

    node.removeContainer("web");
    web(5, "1.1");
    node.run("web", id(5));
    day(gc, "shop/web:1.1 replaces 1.0");

    node.removeContainer("training");
    node.image(id(6))
        .tag("registry.example/ml/report:3")
        .layer("cuda", 9 * GIB)
        .layer("report", 300 * MIB)
        .add();
    node.run("report", id(6));
    day(gc, "the training ends; ml/report:3 shares its large layer, runs");

    node.removeContainer("report");
    node.removeContainer("web");
    web(7, "1.2");
    node.run("web", id(7));
    day(gc, "shop/web:1.2 replaces 1.1, and runs; the report is finished");

    node.writeOtherData(8 * GIB);
    node.clock().advance(Duration.ofDays(7));
    node.image(id(8))
        .tag("registry.example/shop/search:2.0")
        .layer("search", 3 * GIB)
        .add();
    say(
        "logs grow by 8 GiB within a week; a minute ago shop/search:2.0 was pulled, for a container that does not exist yet");
    gc.detectImages();
    node.clock().advance(Duration.ofMinutes(1));
  }

  private void web(int number, String version) {
    node.image(id(number))
        .tag("registry.example/shop/web:" + version)
        .layer("os", 700 * MIB)
        .layer("jvm", 1300 * MIB)
        .layer("web " + version, 1200 * MIB)
        .add();
  }

  /** Something happens, the collector looks, and a day goes by. */
  private void day(ImageGcManager gc, String what) {
    say(what);
    gc.detectImages();
    node.clock().advance(Duration.ofDays(1));
  }

  private void say(String what) {
    console.say("  " + node.clock().instant().toString().substring(0, 10) + "  " + what);
  }

  private void tell(String heading, String words) {
    console.say(
        "\n" + heading + "\n" + "=".repeat(heading.length()) + "\n" + wrapped(words) + "\n");
  }

  private static String wrapped(String words) {
    StringBuilder text = new StringBuilder();
    int column = 0;
    for (String word : words.split(" ", -1)) {
      if (column > 0 && column + 1 + word.length() > 100) {
        text.append('\n');
        column = 0;
      } else if (column > 0) {
        text.append(' ');
        column++;
      }
      text.append(word);
      column += word.length();
    }
    return text.toString();
  }

  private static String id(int number) {
    return "sha256:" + String.format("%064x", 0x5eed_0000L + number);
  }

  private String images(Collection<ImageRecord> records) {
    Instant now = node.clock().instant();
    Table table = new Table(">SIZE", "SEEN", "USED", "IMAGE");
    records.stream()
        .sorted(Comparator.comparing(ImageRecord::firstDetected))
        .forEach(record -> table.row(
            Human.bytes(record.image().sizeBytes()),
            Human.ago(record.firstDetected(), now),
            record.lastUsed().map(used -> Human.ago(used, now)).orElse("never"),
            TextReport.name(record.image())));
    long used = node.usedBytes();
    return "\n" + table + "\nDisk: " + Human.bytes(used) + " of 40.0 GiB used.";
  }
}
