/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.core.ImageGcManager;
import dev.imagegc.core.LruGcPolicy;
import dev.imagegc.core.RoundLimits;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Shows the library's real code at work on the testkit's fake node. */
@Command(
    name = "demo",
    description =
        "Shows a simulated node that fills up, the plan, the round, and the node after. Needs no engine.")
final class DemoCommand implements Callable<Integer> {
  private final Console console;

  DemoCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    Logging.level("warn");
    DemoNode demo = new DemoNode();
    LruGcPolicy policy = LruGcPolicy.builder().keep(DemoNode.PROTECTED).build();
    TextReport texts = new TextReport(policy.thresholds(), RoundLimits.defaults());
    try (ImageGcManager gc = ImageGcManager.builder()
        .runtime(demo.node().runtime())
        .fsStats(demo.node().fsStats())
        .clock(demo.node().clock())
        .policy(policy)
        .build()) {
      heading("Two weeks on a simulated node", """
          Images are pulled to a disk of 40 GiB, containers run and go. The collector looks after each event, so it \
          knows when each image was last used.""");
      demo.live(line -> console.say("  " + line), gc::detectImages);
      console.say("\n" + images(gc.records(), demo));

      GcPlan plan = gc.plan();
      heading("The plan", """
          The disk is %d%% full, so a round is due. This is what it would do; nothing is touched yet. What was unused \
          for longest goes first. A layer comes back with the last image that holds it: EXCLUSIVE is what an image \
          frees alone, RECLAIMABLE what it frees if all goes that may, PREDICTED its share of this plan. \
          ENOUGH_FREED is the reserve, in case that less comes back. The rest stays, and the table says why.""".formatted(plan.usagePercent()));
      console.say(texts.of(plan));

      GcReport report = gc.garbageCollect();
      heading("The round", """
          One image goes at a time: still unused? remove it, measure the disk, enough? The versions of shop/web share \
          the layers of base/jvm, and ml/train one with ml/report, so they free less than their sizes, and the plan \
          knew how much. All the same the round believes only the disk, and stops when the measured need is met.""");
      console.say(texts.of(report));

      heading(
          "The node after",
          "What had to stay is still there, with all its names, and so is what was not needed or frees nothing.");
      console.say(images(gc.detectImages(), demo));
      console.say("Next: 'plan' shows what a round would do on your engine, and touches nothing.");
      return ExitCodes.of(report);
    }
  }

  private void heading(String heading, String words) {
    console.say("\n" + heading + "\n" + "=".repeat(heading.length()));
    console.say(Human.wrapped(words, "") + "\n");
  }

  private static String images(Collection<ImageRecord> records, DemoNode demo) {
    Instant now = demo.node().clock().instant();
    Table table = new Table(">SIZE", "SEEN", "USED", "IMAGE");
    records.stream()
        .sorted(Comparator.comparing(ImageRecord::firstDetected))
        .forEach(record -> table.row(
            Human.bytes(record.image().sizeBytes()),
            Human.ago(record.firstDetected(), now),
            record.lastUsed().map(used -> Human.ago(used, now)).orElse("never"),
            TextReport.name(record.image())));
    return table + "\nDisk: " + demo.disk() + ".";
  }
}
