/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;

/** Places for so many at a time; further ones queue, first come, first served. Thread-safe. */
final class Slots {
  private final int size;
  private final Deque<Slot> waiting = new ArrayDeque<>();
  private int taken;
  private int stuck;

  Slots(int size) {
    this.size = size;
  }

  /** Takes a place, or queues for one; {@link Slot#granted} says when it is there. */
  Slot enter() {
    Slot slot = new Slot();
    synchronized (this) {
      if (taken == size) {
        waiting.add(slot);
        return slot;
      }
      taken++;
    }
    slot.granted.complete(true);
    return slot;
  }

  /** Says who holds the places, for people. */
  synchronized String describe() {
    return taken + " of " + size + " in use"
        + (stuck == 0 ? "" : ", " + stuck + " by a transfer that was given up but does not end");
  }

  private void leave(Slot slot) {
    Slot next;
    synchronized (this) {
      if (slot.left) {
        return;
      }
      slot.left = true;
      stuck -= slot.stuck ? 1 : 0;
      if (waiting.remove(slot)) {
        return;
      }
      next = waiting.poll();
      taken -= next == null ? 1 : 0;
    }
    if (next != null) {
      next.granted.complete(true);
    }
  }

  private synchronized void stuck(Slot slot) {
    if (!slot.left) {
      slot.stuck = true;
      stuck++;
    }
  }

  /** A place, or the wait for one. */
  final class Slot {
    private final CompletableFuture<Boolean> granted = new CompletableFuture<>();
    private boolean left; // these two guarded by Slots.this
    private boolean stuck;

    private Slot() {}

    /** Done when the place is there. */
    CompletableFuture<Boolean> granted() {
      return granted;
    }

    /** Gives the place up, or the wait for it. Leaving twice does nothing. */
    void leave() {
      Slots.this.leave(this);
    }

    /** Says that nobody waits for what goes on in this place any more, although it has not ended. */
    void giveUp() {
      Slots.this.stuck(this);
    }
  }
}
