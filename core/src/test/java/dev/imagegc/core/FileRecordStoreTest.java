/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.BootTime;
import dev.imagegc.api.BusyException;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.RecordSnapshot;
import dev.imagegc.api.StoreException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FileRecordStoreTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00.123456789Z");
  private static final RecordSnapshot SNAPSHOT = RecordSnapshot.of(
      NOW,
      NOW.plusSeconds(7),
      Optional.of(BootTime.of("boot", Duration.ofNanos(1_234_567_890_123L))),
      List.of(
          RecordSnapshot.Entry.of(ImageId.of("sha256:aa"), NOW.minusSeconds(5), Optional.of(NOW)),
          RecordSnapshot.Entry.of(ImageId.of("bb"), NOW, Optional.empty())));

  @TempDir
  Path dir;

  private Path file;

  @BeforeEach
  void chooseFile() {
    file = dir.resolve("state");
  }

  @Test
  void load_withoutAFile_isEmpty() {
    try (FileRecordStore store = FileRecordStore.open(file)) {
      assertThat(store.load()).isEmpty();
    }
  }

  @Test
  void load_returnsWhatWasSavedLast() {
    try (FileRecordStore store = FileRecordStore.open(file)) {
      store.save(RecordSnapshot.of(NOW, NOW, Optional.empty(), List.of()));
      store.save(SNAPSHOT);
    }
    try (FileRecordStore store = FileRecordStore.open(file)) {
      RecordSnapshot loaded = store.load().orElseThrow();
      assertThat(loaded).isEqualTo(SNAPSHOT);
      assertThat(loaded.entries().get(0).id().text()).isEqualTo("sha256:aa");
    }
  }

  @Test
  void load_ofASnapshotWithoutBootTime_hasNone() {
    RecordSnapshot without = RecordSnapshot.of(NOW, NOW, Optional.empty(), List.of());
    try (FileRecordStore store = FileRecordStore.open(file)) {
      store.save(without);
      assertThat(store.load()).contains(without);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\n",
        "garbage",
        "imagegc-records 2\nx\n",
        "imagegc-records 1\n",
        "\u0000\u0001"
      })
  void load_ofADamagedFile_setsItAsideAndThenFindsNothing(String text) throws IOException {
    Files.writeString(file, text);
    try (FileRecordStore store = FileRecordStore.open(file)) {
      assertThatThrownBy(store::load)
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("is damaged")
          .hasMessageEndingWith("it was set aside as " + file + ".damaged-1");
      assertThat(dir.resolve("state.damaged-1")).hasContent(text);
      assertThat(store.load()).isEmpty();
    }
  }

  @Test
  void load_ofAFileThatIsNotText_setsItAside() throws IOException {
    Files.write(file, new byte[] {(byte) 0xff, (byte) 0xfe, 0});
    try (FileRecordStore store = FileRecordStore.open(file)) {
      assertThatThrownBy(store::load)
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("set aside");
    }
  }

  @Test
  void load_ofAnyPrefixOfAFile_isNeverWrongHistory() throws IOException {
    try (FileRecordStore store = FileRecordStore.open(file)) {
      store.save(SNAPSHOT);
      String whole = Files.readString(file);
      for (int length = 0; length < whole.length(); length++) {
        Files.writeString(file, whole.substring(0, length));
        assertThatThrownBy(store::load)
            .as("first %s characters", length)
            .isInstanceOf(StoreException.class);
      }
    }
  }

  @Test
  void damagedFiles_areNeverOverwritten() throws IOException {
    try (FileRecordStore store = FileRecordStore.open(file)) {
      for (String text : List.of("one", "two")) {
        Files.writeString(file, text);
        assertThatThrownBy(store::load).isInstanceOf(StoreException.class);
      }
    }
    assertThat(dir.resolve("state.damaged-1")).hasContent("one");
    assertThat(dir.resolve("state.damaged-2")).hasContent("two");
  }

  @Test
  void open_ofAFileThatAnotherStoreHas_isBusy() {
    FileRecordStore first = FileRecordStore.open(file);
    assertThatThrownBy(() -> FileRecordStore.open(file))
        .isInstanceOf(BusyException.class)
        .hasMessage("state file " + file + " is owned by another collector");
    first.close();
    first.close();
    FileRecordStore.open(file).close();
  }

  @Test
  void open_thatIsRefusedInThisProcess_doesNotGiveTheLockUp() throws Exception {
    try (FileRecordStore store = FileRecordStore.open(file)) {
      assertThatThrownBy(() -> FileRecordStore.open(file)).isInstanceOf(BusyException.class);
      Process other = new ProcessBuilder(
              Path.of(System.getProperty("java.home"), "bin", "java").toString(),
              "-cp",
              System.getProperty("java.class.path"),
              LockTry.class.getName(),
              file + ".lock")
          .start();
      assertThat(other.waitFor())
          .as("exit code of a process that tries to lock")
          .isEqualTo(LockTry.REFUSED);
    }
  }

  /** Another process: ends with {@link #REFUSED} if the file is locked. */
  static final class LockTry {
    static final int REFUSED = 3;

    public static void main(String[] args) throws IOException {
      try (FileChannel channel = FileChannel.open(Path.of(args[0]), StandardOpenOption.WRITE)) {
        System.exit(channel.tryLock() == null ? REFUSED : 0);
      }
    }
  }

  @Test
  void open_inADirectoryThatDoesNotExist_saysSo() {
    assertThatThrownBy(() -> FileRecordStore.open(dir.resolve("none/state")))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("NoSuchFileException");
  }

  @Test
  void save_thatFails_keepsTheLastSnapshot() throws IOException {
    try (FileRecordStore store = FileRecordStore.open(file)) {
      store.save(SNAPSHOT);
      Files.createDirectory(dir.resolve("state.new")); // where the draft would be written
      assertThatThrownBy(() -> store.save(RecordSnapshot.of(NOW, NOW, Optional.empty(), List.of())))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("cannot be saved");
      assertThat(store.load()).contains(SNAPSHOT);
    }
  }

  @Test
  void save_leavesNoDraftBehind() throws IOException {
    try (FileRecordStore store = FileRecordStore.open(file)) {
      store.save(SNAPSHOT);
    }
    try (Stream<Path> files = Files.list(dir)) {
      assertThat(files.map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrder("state", "state.lock");
    }
  }
}
