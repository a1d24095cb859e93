/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A status as people read it. */
final class StatusText {
  private final StringBuilder text = new StringBuilder();

  private StatusText() {}

  static String of(StatusJson status) {
    StatusText text = new StatusText();
    text.text
        .append(status.agent() ? "A running agent, " : "One look without a running agent, ")
        .append(status.at())
        .append('\n');
    text.filesystems(status.filesystems());
    text.decisions("IMAGES", status.images());
    text.decisions("CONTAINERS", status.containers());
    text.conditions(status.conditions());
    text.health(status);
    text.events("ROUNDS, newest first", status.rounds());
    return text.text.toString();
  }

  private void filesystems(List<StatusJson.FilesystemJson> filesystems) {
    Table table = new Table(
        "FILESYSTEM", "PATH", ">CAPACITY", ">AVAILABLE", ">INODES", ">FREE", "THRESHOLDS");
    for (StatusJson.FilesystemJson one : filesystems) {
      table.row(
          one.kind(),
          one.error() == null ? String.valueOf(one.path()) : one.error(),
          one.error() == null ? bytes(one.capacityBytes()) : "",
          one.error() == null ? bytes(one.availableBytes()) : "",
          one.error() == null ? number(one.inodes()) : "",
          one.error() == null ? number(one.inodesFree()) : "",
          String.join("; ", one.thresholds()));
    }
    text.append('\n').append(table);
  }

  private void decisions(String heading, StatusJson.@Nullable DecisionsJson all) {
    if (all == null) {
      return;
    }
    if (all.error() != null) {
      text.append('\n').append("  ").append(heading).append(": ");
      text.append(Human.clean(all.error())).append('\n');
      return;
    }
    Table table = new Table(heading, ">COUNT", ">EXCLUSIVE", "REASON");
    for (StatusJson.DecisionJson one : all.decisions()) {
      table.row(
          one.decision(),
          String.valueOf(one.count()),
          one.bytes() == null ? "" : bytes(one.bytes()),
          one.reason());
    }
    table.row("all", String.valueOf(all.count()), "", all.outcome());
    text.append('\n').append(table);
  }

  private void conditions(List<StatusJson.ConditionJson> conditions) {
    Table table = new Table("CONDITION", "SINCE", "LAST SEEN", "SIGNALS", "MESSAGE");
    boolean any = false;
    for (StatusJson.ConditionJson one : conditions) {
      if (one.pressure()) {
        any = true;
        table.row(
            "DiskPressure on " + one.filesystem(),
            orEmpty(one.since()),
            orEmpty(one.lastObserved()),
            String.join(" ", one.hardSignals())
                + (one.softSignals().isEmpty()
                    ? ""
                    : " (soft: " + String.join(" ", one.softSignals()) + ")"),
            one.message());
      }
    }
    text.append('\n').append(any ? table.toString() : "  No disk pressure.\n");
  }

  private void health(StatusJson status) {
    StatusJson.WatchJson watch = status.watch();
    text.append('\n');
    line("History: " + Human.count(status.remembered(), "image") + " on record");
    line("Events: " + watch.state() + " since " + watch.since()
        + ", containers last listed "
        + (watch.lastListedAt() == null ? "never" : "at " + watch.lastListedAt())
        + (watch.trouble() == null ? "" : ": " + watch.trouble()));
    for (String contradiction : status.contradictions()) {
      line("Settings: " + contradiction);
    }
    events("TROUBLES", status.troubles());
  }

  private void events(String heading, List<StatusJson.EventJson> events) {
    if (events.isEmpty()) {
      return;
    }
    Table table = new Table("AT", heading, "");
    events.forEach(event -> table.row(event.at(), event.type(), event.message()));
    text.append('\n').append(table);
  }

  private void line(String sentence) {
    text.append("  ").append(Human.wrapped(Human.clean(sentence), "  ")).append('\n');
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
}
