/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import dev.imagegc.api.GcException;
import dev.imagegc.api.RuntimeEvent;
import dev.imagegc.api.RuntimeEventListener;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Keeps what one stream has told. */
final class RecordedEvents implements RuntimeEventListener {
  private final List<String> told = new CopyOnWriteArrayList<>();

  @Override
  public void onEvent(RuntimeEvent event) {
    told.add(event.toString());
  }

  @Override
  public void onEnd(GcException cause) {
    told.add("end: " + cause.getMessage());
  }

  /** Returns what was told since the last call. */
  List<String> take() {
    List<String> all = List.copyOf(told);
    told.clear();
    return all;
  }
}
