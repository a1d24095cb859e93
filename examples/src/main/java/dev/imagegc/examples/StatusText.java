/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A status as people read it: the numbers as tables, what is long below them, nothing wider than a terminal but paths. */
final class StatusText {
  private final StringBuilder text = new StringBuilder();

  private StatusText() {}

  static String of(StatusJson status) {
    StatusText text = new StatusText();
    text.line(
        status.agent()
            ? "The node, as the running agent saw it at " + status.at()
            : "The node, in one look at " + status.at() + " without a running agent");
    text.filesystems(status.filesystems());
    text.thresholds(status.filesystems());
    text.pressure(status.conditions());
    text.decisions("Images", "a round", status.images());
    text.decisions("Containers", "a pass", status.containers());
    text.watching(status);
    text.events("Trouble that lasts, oldest first:", status.troubles(), true);
    text.events("Last rounds, newest first:", status.rounds(), false);
    return text.text.toString();
  }

  private void filesystems(List<StatusJson.FilesystemJson> filesystems) {
    Table table = new Table(
        "FILESYSTEM",
        ">CAPACITY",
        ">AVAILABLE",
        ">USED",
        ">INODES",
        ">FREE INODES",
        "SPACE",
        "PATH");
    List<String> errors = new ArrayList<>();
    for (StatusJson.FilesystemJson one : filesystems) {
      table.row(
          one.kind(),
          bytes(one.capacityBytes()),
          bytes(one.availableBytes()),
          used(one.capacityBytes(), one.availableBytes()),
          number(one.inodes()),
          number(one.inodesFree()),
          orEmpty(one.space()),
          orEmpty(one.path()));
      if (one.error() != null) {
        errors.add(one.kind() + " cannot be measured: " + one.error());
      }
    }
    text.append('\n').append(table);
    errors.forEach(this::line);
  }

  /** A row for each, because together they are as long as a line. */
  private void thresholds(List<StatusJson.FilesystemJson> filesystems) {
    Table table = new Table("THRESHOLDS", "");
    boolean any = false;
    for (StatusJson.FilesystemJson one : filesystems) {
      for (String threshold : one.thresholds()) {
        table.row(one.kind(), threshold);
        any = true;
      }
    }
    if (any) {
      text.append('\n').append(table);
    }
  }

  private void pressure(List<StatusJson.ConditionJson> conditions) {
    text.append('\n');
    List<StatusJson.ConditionJson> active =
        conditions.stream().filter(StatusJson.ConditionJson::pressure).toList();
    for (StatusJson.ConditionJson one : active) {
      line("DiskPressure on " + one.filesystem() + " since " + orUnknown(one.since())
          + ", last seen at " + orUnknown(one.lastObserved()) + ": " + one.message());
    }
    String unknown = conditions.stream()
        .flatMap(one -> one.unknownSignals().stream())
        .collect(Collectors.joining(", "));
    if (conditions.isEmpty()) {
      line("Disk pressure: not watched, there is no threshold for it");
    } else if (active.isEmpty()) {
      line("Disk pressure: none" + (unknown.isEmpty() ? "" : ", but not known is " + unknown));
    } else if (!unknown.isEmpty()) {
      line("Disk pressure: not known is " + unknown);
    }
  }

  private void decisions(String what, String round, StatusJson.@Nullable DecisionsJson all) {
    text.append('\n');
    if (all == null) {
      line(what + ": not collected");
      return;
    }
    if (all.error() != null) {
      line(what + ": not known (" + all.outcome() + "): " + all.error());
      return;
    }
    int going = all.decisions().stream()
        .filter(StatusJson.DecisionJson::goes)
        .mapToInt(StatusJson.DecisionJson::count)
        .sum();
    line(what + ": " + all.count() + "; " + round + " now would remove "
        + (going == 0 ? "none" : String.valueOf(going)) + " (" + all.outcome() + ")");
    if (all.decisions().isEmpty()) {
      return;
    }
    boolean sized = all.decisions().stream().anyMatch(one -> one.bytes() != null);
    Table table = new Table("DECISION", ">COUNT", ">EXCLUSIVE", "REASON");
    for (StatusJson.DecisionJson one : all.decisions()) {
      table.row(
          one.decision(),
          String.valueOf(one.count()),
          sized ? bytes(one.bytes()) : "",
          one.reason());
    }
    text.append(table);
  }

  private void watching(StatusJson status) {
    text.append('\n');
    line("History: " + Human.count(status.remembered(), "image") + " on record");
    StatusJson.WatchJson watch = status.watch();
    String listed = watch.lastListedAt() == null
        ? "containers were not listed yet"
        : "containers were last listed at " + watch.lastListedAt();
    line(
        status.agent()
            ? "Engine's events: " + watch.state() + " since " + watch.since() + "; " + listed
                + (watch.trouble() == null ? "" : "; trouble: " + watch.trouble())
            : "Engine's events: only a running agent hears them");
    for (String contradiction : status.contradictions()) {
      line("Settings contradict each other: " + contradiction);
    }
  }

  private void events(String heading, List<StatusJson.EventJson> events, boolean typed) {
    if (events.isEmpty()) {
      return;
    }
    text.append('\n');
    line(heading);
    int widest = events.stream().mapToInt(event -> event.type().length()).max().orElse(0);
    for (StatusJson.EventJson event : events) {
      String type = typed ? event.type() + " ".repeat(widest - event.type().length()) + "  " : "";
      String start = "  " + Human.clean(event.at()) + "  " + type;
      text.append(Human.hanging(start, Human.clean(event.message()))).append('\n');
    }
  }

  private void line(String sentence) {
    text.append("  ").append(Human.wrapped(Human.clean(sentence), "    ")).append('\n');
  }

  /** As the kubelet rounds it. */
  private static String used(@Nullable Long capacity, @Nullable Long available) {
    if (capacity == null || available == null || capacity <= 0) {
      return "unknown";
    }
    return 100 - (long) Math.floor(available * 100.0 / capacity) + "%";
  }

  private static String bytes(@Nullable Long bytes) {
    return bytes == null ? "unknown" : Human.bytes(bytes);
  }

  private static String number(@Nullable Long number) {
    return number == null ? "unknown" : number.toString();
  }

  private static String orEmpty(@Nullable String text) {
    return text == null ? "" : text;
  }

  private static String orUnknown(@Nullable String text) {
    return text == null ? "unknown" : text;
  }
}
