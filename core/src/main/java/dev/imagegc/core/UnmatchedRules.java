/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.GcEventType;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.core.internal.Events;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells once of each rule of the policy that has matched no image: to the log and the listener at once, and in the next report.
 * Used by one thread at a time.
 */
final class UnmatchedRules {
  private static final Logger LOG = LoggerFactory.getLogger(ImageGcManager.class);

  private final PolicyGuard policy;
  private final Events events;
  private final Set<String> told = new HashSet<>();
  private final List<String> unreported = new ArrayList<>(); // told, but in no report yet
  private boolean shown; // at least one image

  UnmatchedRules(PolicyGuard policy, Events events) {
    this.policy = policy;
    this.events = events;
  }

  /** Shows the rules the images that a detection has seen, if they have never been shown any: nobody is judged. */
  void show(Supplier<Collection<ImageRecord>> records) {
    if (!shown) {
      Collection<ImageRecord> images = records.get();
      policy.verdicts(images);
      tell(images);
    }
  }

  /** Tells of the rules that have matched nothing, once they were shown these images; not before there was one to match. */
  void tell(Collection<ImageRecord> images) {
    if (images.isEmpty()) {
      return;
    }
    shown = true;
    for (String rule : policy.unmatchedRules()) {
      if (told.add(rule)) {
        String message = "the policy's rule " + rule + " has matched no image";
        LOG.warn("{}: {}", GcEventType.RULE_UNMATCHED, message);
        unreported.add(message);
        events.happened(GcEventType.RULE_UNMATCHED, message, null, null);
      }
    }
  }

  /** Puts what no report has said yet into that of the running call. */
  void report() {
    unreported.forEach(events::note);
    unreported.clear();
  }
}
