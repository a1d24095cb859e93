/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.GcPolicy;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.Verdict;
import dev.imagegc.core.LruGcPolicy;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/** The ready-made policy's order and globs, with thresholds that it has no setters for. */
record AgentPolicy(LruGcPolicy lru, GcThresholds thresholds) implements GcPolicy {
  @Override
  public Verdict verdict(ImageRecord image) {
    return lru.verdict(image);
  }

  @Override
  public Comparator<ImageRecord> evictionOrder() {
    return lru.evictionOrder();
  }

  /** Returns the globs of {@code --keep} that match none of these images. */
  List<String> unmatchedGlobs(Collection<ImageRecord> images) {
    return lru.unmatchedGlobs(images);
  }
}
