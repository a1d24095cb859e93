/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.RecordSnapshot;
import dev.imagegc.api.RecordStore;
import dev.imagegc.api.StoreException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/** A store that keeps its snapshots in memory and fails as it is told. */
final class MemoryStore implements RecordStore {
  /** What the next loads throw. */
  final Deque<StoreException> failures = new ArrayDeque<>();

  final List<RecordSnapshot> aside = new CopyOnWriteArrayList<>();
  volatile RecordSnapshot saved;
  volatile boolean failSaves;
  volatile Runnable beforeSave = () -> {};
  private final List<RecordSnapshot> saves = new ArrayList<>(); // guarded by this

  @Override
  public Optional<RecordSnapshot> load() {
    if (!failures.isEmpty()) {
      throw failures.pop();
    }
    return Optional.ofNullable(saved);
  }

  @Override
  public String setAside(String why) {
    aside.add(saved);
    saved = null;
    return "aside";
  }

  @Override
  public void save(RecordSnapshot snapshot) {
    beforeSave.run();
    if (failSaves) {
      throw new StoreException("disk full");
    }
    saved = snapshot;
    synchronized (this) {
      saves.add(snapshot);
      notifyAll();
    }
  }

  /** How often something was saved, so far. */
  synchronized int saves() {
    return saves.size();
  }

  /** Blocks until so many saves have been made since the beginning. */
  synchronized void awaitSaves(int count) {
    try {
      while (saves.size() < count) {
        wait();
      }
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted while waiting for save " + count, e);
    }
  }
}
