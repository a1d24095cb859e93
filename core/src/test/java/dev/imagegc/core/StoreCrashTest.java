/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.BootTime;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.RecordSnapshot;
import dev.imagegc.api.StoreException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The power fails after every step, with every outcome for what was not flushed: history is the last one saved, or the next. */
class StoreCrashTest {
  private static final Path NOWHERE = Path.of("nowhere");
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00.123456789Z");
  private static final int STEPS_OF_A_SAVE = 5; // create, write, flush, rename, flush the directory

  /** A call of save: the steps from which on it was at work and it had returned. */
  private record Saved(
      RecordSnapshot snapshot, int firstStep, int lastStep, boolean acknowledged) {}

  private final List<Saved> saves = new ArrayList<>();

  @Test
  void powerFailure_afterAnyStepOfSeveralSaves_leavesTheLastHistoryOrTheNext() {
    RecordedFiles files = RecordedFiles.of(Map.of());
    saveFourTimes(files);
    checkEveryPowerFailure(files);
  }

  @Test
  void powerFailure_onADiskThatDoesNotFlushFiles_isFoundByThisTest() {
    RecordedFiles files = RecordedFiles.of(Map.of()).losingFlushes();
    saveFourTimes(files);
    assertThatThrownBy(() -> checkEveryPowerFailure(files)).isInstanceOf(AssertionError.class);
  }

  @Test
  void powerFailure_onADiskThatDoesNotFlushDirectories_isFoundByThisTest() {
    RecordedFiles files = RecordedFiles.of(Map.of()).losingNameFlushes();
    saveFourTimes(files);
    assertThatThrownBy(() -> checkEveryPowerFailure(files)).isInstanceOf(AssertionError.class);
  }

  @Test
  void fullDisk_atAnyStep_keepsTheOldHistory_andTheNextSaveWorks() {
    for (int step = 0; step < STEPS_OF_A_SAVE - 1; step++) {
      RecordedFiles files = RecordedFiles.of(Map.of());
      FileRecordStore store = store(files);
      store.save(snapshot(1));
      files.failAt(step);
      assertThatThrownBy(() -> store.save(snapshot(2)))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("No space left on device");
      assertThat(store.load()).as("full at step %s", step).contains(snapshot(1));
      assertThat(files.exists(FileRecordStore.DRAFT) && step < STEPS_OF_A_SAVE - 2)
          .as("a draft takes room on the full disk")
          .isFalse();
      store.save(snapshot(3));
      assertThat(store.load()).contains(snapshot(3));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4})
  void powerFailure_afterAnyStepAroundASaveThatFailed_leavesTheLastHistoryOrALaterOne(int step) {
    RecordedFiles files = RecordedFiles.of(Map.of());
    FileRecordStore store = store(files);
    save(store, files, 1);
    files.failAt(step);
    save(store, files, 2);
    save(store, files, 3);
    assertThat(saves).extracting(Saved::acknowledged).containsExactly(true, false, true);
    checkEveryPowerFailure(files);
  }

  @Test
  void powerFailure_whileDamagedHistoryIsSetAside_neverLosesIt() {
    checkThatDamagedHistoryIsKept(RecordedFiles.of(damaged()));
  }

  @Test
  void powerFailure_onADiskThatDoesNotFlushDirectories_mayLoseDamagedHistory() {
    assertThatThrownBy(
            () -> checkThatDamagedHistoryIsKept(RecordedFiles.of(damaged()).losingNameFlushes()))
        .isInstanceOf(AssertionError.class);
  }

  private static Map<String, byte[]> damaged() {
    return Map.of(FileRecordStore.RECORDS, "damaged".getBytes(StandardCharsets.UTF_8));
  }

  private static void checkThatDamagedHistoryIsKept(RecordedFiles files) {
    byte[] damaged = damaged().get(FileRecordStore.RECORDS);
    int first = files.stepCount();
    FileRecordStore store = store(files);
    assertThatThrownBy(store::load).hasMessageContaining("records.damaged-1");
    store.save(snapshot(1));
    store.save(snapshot(2));
    for (int step = first; step <= files.stepCount(); step++) {
      files.eachDiskAfter(
          step,
          disk -> assertThat(disk.values().stream().anyMatch(file -> Arrays.equals(file, damaged)))
              .as("the damaged file is still there in %s", disk.keySet())
              .isTrue());
    }
  }

  private void saveFourTimes(RecordedFiles files) {
    FileRecordStore store = store(files);
    for (int i = 1; i <= 4; i++) {
      save(store, files, i);
    }
  }

  private void save(FileRecordStore store, RecordedFiles files, int number) {
    int first = files.stepCount();
    boolean acknowledged = true;
    try {
      store.save(snapshot(number));
    } catch (StoreException e) {
      acknowledged = false;
    }
    saves.add(new Saved(snapshot(number), first, files.stepCount(), acknowledged));
  }

  private void checkEveryPowerFailure(RecordedFiles files) {
    for (int step = 1; step <= files.stepCount(); step++) {
      List<Optional<RecordSnapshot>> expected = expectedAfter(step);
      files.eachDiskAfter(step, disk -> {
        RecordedFiles after = RecordedFiles.of(disk);
        FileRecordStore store = store(after);
        Optional<RecordSnapshot> loaded;
        try {
          loaded = store.load();
        } catch (StoreException e) {
          throw new AssertionError("damaged history on " + disk.keySet(), e);
        }
        assertThat(expected.contains(loaded))
            .as("%s is one of %s", loaded, expected)
            .isTrue();
        store.save(snapshot(99)); // whatever is left over from before
        assertThat(store.load().equals(Optional.of(snapshot(99)))).isTrue();
      });
    }
  }

  /** The last acknowledged one, and each that was tried since. */
  private List<Optional<RecordSnapshot>> expectedAfter(int step) {
    List<Optional<RecordSnapshot>> expected = new ArrayList<>(List.of(Optional.empty()));
    for (Saved save : saves) {
      if (save.lastStep() <= step && save.acknowledged()) {
        expected.clear();
      }
      if (save.firstStep() < step) {
        expected.add(Optional.of(save.snapshot()));
      }
    }
    return expected;
  }

  private static FileRecordStore store(StoreFiles files) {
    return FileRecordStore.on(NOWHERE, files, () -> {});
  }

  /** Each has another length: what is left of a longer one behind a shorter one would be damage. */
  private static RecordSnapshot snapshot(int number) {
    return RecordSnapshot.builder(NOW.plusSeconds(number), NOW)
        .bootTime(BootTime.of("boot", Duration.ofSeconds(number)))
        .entries(IntStream.range(0, number == 2 ? 4 : 3 - number % 3)
            .mapToObj(i -> RecordSnapshot.Entry.of(ImageId.of("image-" + i), NOW))
            .toList())
        .build();
  }
}
