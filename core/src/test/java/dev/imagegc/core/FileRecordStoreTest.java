/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.BootTime;
import dev.imagegc.api.BusyException;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.RecordSnapshot;
import dev.imagegc.api.StoreException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class FileRecordStoreTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00.123456789Z");
  private static final String DIGEST = "0123456789abcdef".repeat(4);
  private static final RecordSnapshot EMPTY = RecordSnapshot.builder(NOW, NOW).build();
  private static final RecordSnapshot SNAPSHOT = RecordSnapshot.builder(NOW, NOW.plusSeconds(7))
      .bootTime(BootTime.of("boot", Duration.ofNanos(1_234_567_890_123L)))
      .entries(List.of(
          RecordSnapshot.Entry.of(ImageId.of("sha256:" + DIGEST), NOW.minusSeconds(5), NOW),
          RecordSnapshot.Entry.of(ImageId.of("f".repeat(64)), NOW),
          RecordSnapshot.Entry.of(ImageId.of("F".repeat(64)), NOW), // no digest: digits are small
          RecordSnapshot.Entry.of(ImageId.of("sha256:aa"), Instant.MIN, Instant.MAX),
          RecordSnapshot.Entry.of(ImageId.of("bild-\u00e4\u20ac"), NOW.plusNanos(1))))
      .remembered(List.of(
          RecordSnapshot.RememberedEntry.of(ImageId.of("e".repeat(64)), NOW, NOW.plusNanos(1)),
          RecordSnapshot.RememberedEntry.of(ImageId.of("gone"), Instant.EPOCH, NOW)))
      .leases(List.of(
          RecordSnapshot.LeaseEntry.of(ImageId.of("sha256:" + DIGEST), NOW.plusSeconds(60)),
          RecordSnapshot.LeaseEntry.of(ImageId.of("aa"), Instant.MAX),
          RecordSnapshot.LeaseEntry.of("registry.example/app:1", NOW)))
      .build();

  @TempDir
  Path parent;

  private Path dir;
  private Path file;

  @BeforeEach
  void chooseDirectory() {
    dir = parent.resolve("state");
    file = dir.resolve("records");
  }

  @Test
  void load_fromANewDirectory_isEmpty() {
    try (FileRecordStore store = FileRecordStore.open(dir)) {
      assertThat(store.load()).isEmpty();
    }
  }

  @Test
  void load_returnsWhatWasSavedLast_withIdsAsTheyWereWritten() {
    try (FileRecordStore store = FileRecordStore.open(dir)) {
      store.save(EMPTY);
      store.save(SNAPSHOT);
    }
    try (FileRecordStore store = FileRecordStore.open(dir)) {
      RecordSnapshot loaded = store.load().orElseThrow();
      assertThat(loaded).isEqualTo(SNAPSHOT);
      assertThat(loaded.entries())
          .extracting(entry -> entry.id().text())
          .containsExactly(
              "sha256:" + DIGEST, "f".repeat(64), "F".repeat(64), "sha256:aa", "bild-\u00e4\u20ac");
      assertThat(loaded.leases().get(0).image().orElseThrow().text()).isEqualTo("sha256:" + DIGEST);
    }
  }

  @Test
  void load_ofASnapshotWithoutBootTime_hasNone() {
    try (FileRecordStore store = FileRecordStore.open(dir)) {
      store.save(EMPTY);
      assertThat(store.load()).contains(EMPTY);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "\n", "garbage", "imagegc-records 1\n", "\u0000\u0001"})
  void load_ofADamagedFile_setsItAsideAndThenFindsNothing(String text) throws IOException {
    try (FileRecordStore store = FileRecordStore.open(dir)) {
      Files.writeString(file, text);
      assertThatThrownBy(store::load)
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("history in " + dir + " is damaged (")
          .hasMessageEndingWith("it was set aside as " + dir.resolve("records.damaged-1"));
      assertThat(dir.resolve("records.damaged-1")).hasContent(text);
      assertThat(store.load()).isEmpty();
    }
  }

  @Test
  void load_ofAFileWithABitTurned_orCutShort_setsItAside() throws IOException {
    try (FileRecordStore store = FileRecordStore.open(dir)) {
      byte[] whole = RecordFormat.encode(SNAPSHOT);
      byte[] turned = whole.clone();
      turned[whole.length / 2] ^= 1;
      Files.write(file, turned);
      assertThatThrownBy(store::load).hasMessageContaining("its checksum is wrong");
      Files.write(file, Arrays.copyOf(whole, whole.length - 1));
      assertThatThrownBy(store::load).hasMessageContaining("its length is wrong");
    }
  }

  @Test
  void decode_ofAnyPrefix_isNeverHistory() {
    byte[] whole = RecordFormat.encode(SNAPSHOT);
    for (int length = 0; length <= whole.length + 1; length++) {
      if (length != whole.length) {
        byte[] other = Arrays.copyOf(whole, length);
        assertThatThrownBy(() -> RecordFormat.decode(other))
            .as("first %s bytes", length)
            .isInstanceOf(RecordFormat.UnreadableException.class);
      }
    }
  }

  @Test
  void decode_withAnyBitTurned_isNeverHistory() {
    byte[] whole = RecordFormat.encode(SNAPSHOT);
    for (int bit = 0; bit < 8 * whole.length; bit++) {
      byte[] turned = whole.clone();
      turned[bit / 8] ^= (byte) (1 << (bit % 8));
      assertThatThrownBy(() -> RecordFormat.decode(turned))
          .as("bit %s turned", bit)
          .isInstanceOf(RecordFormat.UnreadableException.class);
    }
  }

  @Test
  void decode_ofOddContentWithARightChecksum_isHistoryOrUnreadable_neverAnotherError() {
    byte[] whole = RecordFormat.encode(SNAPSHOT);
    int body = 24;
    int unreadable = 0;
    for (int at = body; at < whole.length; at++) {
      for (int value = -128; value < 128; value += 17) {
        byte[] odd = whole.clone();
        odd[at] = (byte) value;
        ByteBuffer.wrap(odd).putInt(12, checksum(odd));
        try {
          RecordFormat.decode(odd);
        } catch (RecordFormat.UnreadableException e) {
          unreadable++;
        }
      }
    }
    assertThat(unreadable).isPositive();
  }

  private static int checksum(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 8, 4);
    crc.update(bytes, 16, bytes.length - 16);
    return (int) crc.getValue();
  }

  @Test
  void load_ofANewerFormat_setsItAsideUnderANameOfItsOwn() throws IOException {
    byte[] newer;
    try (FileRecordStore store = FileRecordStore.open(dir)) {
      store.save(SNAPSHOT);
      newer = Files.readAllBytes(file);
      ByteBuffer.wrap(newer).putInt(8, 2);
      Files.write(file, newer);
      assertThatThrownBy(store::load)
          .isInstanceOf(StoreException.class)
          .hasMessage(
              "history in " + dir + " was written by a newer release (its format is 2, and this"
                  + " release knows 1); it was set aside as " + dir.resolve("records.newer-1"));
      store.save(EMPTY);
      assertThat(store.load()).contains(EMPTY);
    }
    assertThat(dir.resolve("records.newer-1")).hasBinaryContent(newer);
  }

  @Test
  void load_ofAFileThatIsTooLargeForHistory_setsItAsideWithoutReadingIt() throws IOException {
    try (FileRecordStore store = FileRecordStore.open(dir)) {
      try (RandomAccessFile large = new RandomAccessFile(file.toFile(), "rw")) {
        large.setLength(8L << 30); // sparse
      }
      assertThatThrownBy(store::load).hasMessageContaining("it is longer than any history");
      assertThat(Files.size(dir.resolve("records.damaged-1"))).isEqualTo(8L << 30);
    }
  }

  @Test
  void damagedFiles_areNeverOverwritten() throws IOException {
    try (FileRecordStore store = FileRecordStore.open(dir)) {
      for (String text : List.of("one", "two")) {
        Files.writeString(file, text);
        assertThatThrownBy(store::load).isInstanceOf(StoreException.class);
      }
      store.save(SNAPSHOT);
      assertThat(store.setAside("because"))
          .isEqualTo(dir.resolve("records.damaged-3").toString());
      assertThat(store.load()).isEmpty();
    }
    assertThat(dir.resolve("records.damaged-1")).hasContent("one");
    assertThat(dir.resolve("records.damaged-2")).hasContent("two");
    assertThat(Files.readAllBytes(dir.resolve("records.damaged-3")))
        .isEqualTo(RecordFormat.encode(SNAPSHOT));
  }

  @Test
  void open_ofADirectoryThatAnotherStoreHas_isBusy() {
    FileRecordStore first = FileRecordStore.open(dir);
    assertThatThrownBy(() -> FileRecordStore.open(dir))
        .isInstanceOf(BusyException.class)
        .hasMessage("state directory " + dir + " is owned by another collector");
    first.close();
    first.close();
    FileRecordStore.open(dir).close();
  }

  @Test
  void open_ofADirectoryThatAnotherProcessHas_isBusyUntilThatEnds() throws Exception {
    Process owner = ChildJvm.start(Owner.class, dir.toString());
    try (BufferedReader words = owner.inputReader(StandardCharsets.UTF_8)) {
      assertThat(words.readLine()).isEqualTo("owned");
      assertThatThrownBy(() -> FileRecordStore.open(dir))
          .isInstanceOf(BusyException.class)
          .hasMessage("state directory " + dir + " is owned by another collector");
      owner.destroyForcibly().waitFor();
    } finally {
      owner.destroyForcibly();
    }
    try (FileRecordStore store = FileRecordStore.open(dir)) {
      assertThat(store.load()).contains(SNAPSHOT);
    }
  }

  @Test
  void open_thatIsRefusedInThisProcess_doesNotGiveTheLockUp() throws Exception {
    try (FileRecordStore store = FileRecordStore.open(dir)) {
      assertThatThrownBy(() -> FileRecordStore.open(dir)).isInstanceOf(BusyException.class);
      Process other = ChildJvm.start(Owner.class, dir.toString());
      assertThat(other.waitFor()).as("exit code of a second owner").isEqualTo(Owner.BUSY);
      assertThat(store.load()).isEmpty();
    }
  }

  /** Another process that takes the directory, saves, and keeps it until it is killed. */
  static final class Owner {
    static final int BUSY = 3;

    public static void main(String[] args) throws InterruptedException {
      try (FileRecordStore store = FileRecordStore.open(Path.of(args[0]))) {
        store.save(SNAPSHOT);
        System.out.println("owned");
        new CountDownLatch(1).await();
      } catch (BusyException e) {
        System.exit(BUSY);
      }
    }
  }

  @Test
  void open_belowADirectoryThatDoesNotExist_saysSo() {
    Path below = parent.resolve("none/state");
    assertThatThrownBy(() -> FileRecordStore.open(below))
        .isInstanceOf(StoreException.class)
        .hasMessage(
            "state directory " + below + " cannot be made: the directory above it does not exist");
  }

  @Test
  void open_ofAFile_saysSoAndLeavesItAlone() throws IOException {
    Files.writeString(dir, "a file");
    assertThatThrownBy(() -> FileRecordStore.open(dir))
        .isInstanceOf(StoreException.class)
        .hasMessage("state directory " + dir + " cannot be used: it is a file, not a directory");
    assertThat(dir).hasContent("a file");
  }

  @Test
  void save_thatFails_keepsTheLastSnapshot() throws IOException {
    try (FileRecordStore store = FileRecordStore.open(dir)) {
      store.save(SNAPSHOT);
      Path inTheWay = Files.createDirectories(dir.resolve("records.new/where the draft would be"));
      assertThatThrownBy(() -> store.save(EMPTY))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("history in " + dir + " cannot be saved");
      assertThat(store.load()).contains(SNAPSHOT);
      Files.delete(inTheWay);
      Files.delete(inTheWay.getParent());
      store.save(EMPTY);
      assertThat(store.load()).contains(EMPTY);
    }
  }

  @Test
  void save_overADraftThatWasLeftBehind_isWhole() throws IOException {
    try (FileRecordStore store = FileRecordStore.open(dir)) {
      Files.writeString(dir.resolve("records.new"), "x".repeat(10_000));
      assertThat(store.load()).isEmpty();
      store.save(SNAPSHOT);
      assertThat(store.load()).contains(SNAPSHOT);
    }
    try (Stream<Path> files = Files.list(dir)) {
      assertThat(files.map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrder("records", "lock");
    }
  }

  @Test
  void calls_afterClose_areRefused() {
    FileRecordStore store = FileRecordStore.open(dir);
    store.close();
    assertThatThrownBy(() -> store.save(SNAPSHOT))
        .isInstanceOf(StoreException.class)
        .hasMessage("the store of " + dir + " is closed");
    assertThatThrownBy(store::load).isInstanceOf(StoreException.class);
    assertThat(file).doesNotExist();
  }

  @Test
  void close_whileASaveIsStuck_doesNotWait_butKeepsOthersOutUntilItEnds() throws Exception {
    CountDownLatch stuck = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    RecordedFiles files = RecordedFiles.of(Map.of());
    files.beforeFlushingNames(() -> {
      stuck.countDown();
      goOn.await();
      return true;
    });
    AtomicBoolean givenUp = new AtomicBoolean();
    FileRecordStore store = FileRecordStore.on(dir, files, () -> givenUp.set(true));
    CompletableFuture<Void> save =
        CompletableFuture.runAsync(() -> store.save(SNAPSHOT), task -> new Thread(task).start());
    stuck.await();
    store.close();
    assertThat(givenUp).as("another process could write now").isFalse();
    goOn.countDown();
    save.join();
    assertThat(givenUp).isTrue();
  }
}
