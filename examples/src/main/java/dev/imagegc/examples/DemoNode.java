/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.testkit.FakeNode;
import java.time.Duration;
import java.util.function.Consumer;

/** Two weeks in the life of a simulated node, in virtual time. */
final class DemoNode {
  static final String PROTECTED = "registry.example/base/**";

  private static final long MIB = 1024 * 1024;
  private static final long GIB = 1024 * MIB;
  private static final long CAPACITY = 40 * GIB;

  private final FakeNode node = FakeNode.withDisk(CAPACITY);
  private int images;

  DemoNode() {
    node.otherData(5 * GIB);
  }

  FakeNode node() {
    return node;
  }

  String disk() {
    return Human.bytes(node.usedBytes()) + " of " + Human.bytes(CAPACITY) + " used";
  }

  /** Lives through the two weeks; the diary hears of each event, after which the collector looks. */
  void live(Consumer<String> diary, Runnable look) {
    Consumer<String> day = what -> {
      diary.accept(dated(what));
      look.run();
      node.clock().advance(Duration.ofDays(1));
    };
    pull("base/jvm:17", "os", 700, "jvm", 1300);
    day.accept("base/jvm:17 is pulled; it is protected by the rule '" + PROTECTED + "'");

    pull("tools/shell:9", "os", 700, "shell", 0);
    day.accept("tools/shell:9 is pulled, and never used; base/jvm:17 has its only layer too");

    node.run("web", web("1.0"));
    day.accept("shop/web:1.0 is deployed; it was built on base/jvm:17");

    node.run("migrate-job", pull("tools/migrate:7", "os", 700, "migrate", 900));
    node.exit("migrate-job");
    day.accept(
        "a job of tools/migrate:7 ends; its container is still there, so the image is in use");

    node.run("training", pull("ml/train:3", "cuda", 9000, "train", 2000));
    day.accept("a training with ml/train:3 begins");

    node.removeContainer("web");
    node.run("web", web("1.1"));
    day.accept("shop/web:1.1 replaces 1.0");

    node.removeContainer("training");
    node.run("report", pull("ml/report:3", "cuda", 9000, "report", 300));
    day.accept("the training is over; ml/report:3, which shares its large layer, runs");

    node.removeContainer("report");
    node.removeContainer("web");
    node.run("web", web("1.2"));
    day.accept("the report is finished; shop/web:1.2 replaces 1.1");

    node.clock().advance(Duration.ofDays(7));
    node.writeOtherData(10 * GIB);
    pull("shop/search:2.0", "search", 3000, "index", 0);
    diary.accept(dated(
        "logs have grown by 10 GiB; shop/search:2.0 is pulled, for a container that comes later"));
    look.run();
    node.clock().advance(Duration.ofMinutes(1));
  }

  private String web(String version) {
    String id = nextId();
    node.image(id)
        .tag("registry.example/shop/web:" + version)
        .layer("os", 700 * MIB)
        .layer("jvm", 1300 * MIB)
        .layer("web " + version, 1200 * MIB)
        .add();
    return id;
  }

  private String pull(String name, String layer1, long mib1, String layer2, long mib2) {
    String id = nextId();
    node.image(id)
        .tag("registry.example/" + name)
        .layer(layer1, mib1 * MIB)
        .layer(layer2, mib2 * MIB)
        .add();
    return id;
  }

  private String nextId() {
    return "sha256:" + String.format("%064x", ++images);
  }

  private String dated(String what) {
    return node.clock().instant().toString().substring(0, 10) + "  " + what;
  }
}
