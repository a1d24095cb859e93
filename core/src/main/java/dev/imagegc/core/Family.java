/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.ImageId;
import dev.imagegc.api.Reason;
import dev.imagegc.api.Verdict;
import dev.imagegc.core.Planner.Item;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Which images were built on which: engines remove an image only after those built on it. */
final class Family {
  private Family() {}

  /** Tells each image its parent, where that is on the node, and each parent how many children it has. */
  static void link(List<Item> items) {
    Map<ImageId, Item> byId = new HashMap<>();
    items.forEach(item -> byId.put(item.record.id(), item));
    for (Item item : items) {
      Item parent = item.record.image().parent().map(byId::get).orElse(null);
      if (parent != null) {
        item.parent = parent;
        parent.children++;
      }
    }
  }

  /** An image that stays holds those it was built on. */
  static void keepAncestors(Item item) {
    Item child = item;
    Item parent = child.parent;
    while (parent != null && parent.stays == null) {
      parent.stays = Verdict.stays(
          Reason.HAS_CHILDREN,
          "image " + Planner.name(child.record.image()) + " was built on it and stays");
      child = parent;
      parent = child.parent;
    }
  }

  /**
   * Keeps the order, but moves an image behind the last of those built on it.
   *
   * @param candidates images whose children are all candidates
   */
  static List<Item> childrenFirst(List<Item> candidates) {
    List<Item> ordered = new ArrayList<>(candidates.size());
    List<Item> held = new ArrayList<>(); // that came before the last of their children
    for (Item candidate : candidates) {
      if (candidate.childrenOrdered < candidate.children) {
        candidate.waits = true;
        held.add(candidate);
      } else {
        addWithParents(candidate, ordered);
      }
    }
    for (Item item : held) {
      if (item.waits) {
        // An engine that says that two images were built on each other cannot be followed.
        item.stays = Verdict.stays(Reason.HAS_CHILDREN, "its parents and children form a circle");
      }
      item.waits = false;
    }
    return ordered;
  }

  /** Adds an image, and then those that only waited for it. */
  private static void addWithParents(Item first, List<Item> ordered) {
    Item next = first;
    while (next != null) {
      ordered.add(next);
      next.waits = false;
      Item parent = next.parent;
      if (parent == null) {
        return;
      }
      parent.childrenOrdered++;
      next = parent.waits && parent.childrenOrdered == parent.children ? parent : null;
    }
  }

  /** Notes that an image goes by age. */
  static void goes(Item item) {
    if (item.parent != null) {
      item.parent.childrenGoing++;
    }
  }

  /** Whether those built on it go by age, all of them. */
  static boolean allChildrenGo(Item item) {
    return item.childrenGoing == item.children;
  }
}
