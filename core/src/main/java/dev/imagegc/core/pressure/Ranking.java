/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import com.google.common.math.LongMath;
import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.RankedContainer;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;

/** What a host ranks its workloads by. */
final class Ranking {
  private static final Set<ContainerState> RUNNING =
      Set.of(ContainerState.RUNNING, ContainerState.PAUSED, ContainerState.RESTARTING);
  private static final Comparator<RankedContainer> MOST_BYTES_FIRST = Comparator.comparingLong(
          (RankedContainer ranked) -> -ranked.exclusiveBytes().orElse(-1))
      .thenComparing(ranked -> ranked.container().id());

  private Ranking() {}

  /**
   * Puts the running containers in order.
   *
   * @param containers the containers of the node
   * @param images the images of the node, as far as they are known
   * @param decisions what a round said of them; may be empty
   */
  static List<RankedContainer> of(
      List<Container> containers, Collection<Image> images, List<ImageDecision> decisions) {
    Map<ImageId, Image> known = new HashMap<>();
    images.forEach(image -> known.put(image.id(), image));
    Map<ImageId, OptionalLong> bytes = new HashMap<>();
    for (ImageDecision decision : decisions) {
      known.put(decision.image().id(), decision.image());
      bytes.put(decision.image().id(), decision.exclusiveBytes());
    }
    return containers.stream()
        .filter(container -> RUNNING.contains(container.state()))
        .map(container -> RankedContainer.of(
            container,
            container.images().stream().map(known::get).filter(Objects::nonNull).toList(),
            sum(container, bytes)))
        .sorted(MOST_BYTES_FIRST)
        .toList();
  }

  private static OptionalLong sum(Container container, Map<ImageId, OptionalLong> bytes) {
    long sum = 0;
    for (ImageId image : container.images()) {
      OptionalLong alone = bytes.getOrDefault(image, OptionalLong.empty());
      if (alone.isEmpty()) {
        return OptionalLong.empty();
      }
      sum = LongMath.saturatedAdd(sum, alone.getAsLong());
    }
    return OptionalLong.of(sum);
  }
}
