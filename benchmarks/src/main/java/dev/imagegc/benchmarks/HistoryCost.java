/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import dev.imagegc.api.BootTime;
import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.RecordSnapshot;
import dev.imagegc.core.FileRecordStore;
import dev.imagegc.core.ImageGcManager;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * What history costs for 100,000 images and 100,000 that are remembered: one save and one load, beside a plain one in the same run,
 * in CPU time of the whole process, so that the collection of garbage counts. Meant for one core; {@code benchmarks/run} sees to
 * that.
 */
public final class HistoryCost {
  private static final int IMAGES = 100_000;
  private static final int REPEATS = 10; // in one measurement
  private static final int WARM_UP = 4;
  private static final int ROUNDS = 5;
  private static final double AIM_MILLIS = 75;
  private static final double AIM_MEGABYTES = 64;
  private static final double NANOS_PER_MILLI = 1e6;
  private static final double BYTES_PER_MEGABYTE = 1e6;

  private HistoryCost() {}

  /** Something that saves and loads. */
  private interface Store {
    void save(RecordSnapshot snapshot) throws IOException;

    RecordSnapshot load() throws IOException;
  }

  /** One line of text an image, flushed and with a checksum: what one would write without thinking. */
  private record PlainText(Path file) implements Store {
    @Override
    public void save(RecordSnapshot snapshot) throws IOException {
      StringBuilder text = new StringBuilder(snapshot.savedAt() + "\n");
      for (RecordSnapshot.Entry entry : snapshot.entries()) {
        text.append(entry.id().text())
            .append('\t')
            .append(entry.firstDetected())
            .append('\t');
        text.append(entry.lastUsed().map(Instant::toString).orElse("-")).append('\n');
      }
      for (RecordSnapshot.RememberedEntry entry : snapshot.remembered()) {
        text.append("gone\t").append(entry.id().text()).append('\t').append(entry.lastUsed());
        text.append('\t').append(entry.goneAt()).append('\n');
      }
      byte[] body = text.toString().getBytes(StandardCharsets.UTF_8);
      Path draft = file.resolveSibling("draft");
      Files.write(draft, body);
      Files.writeString(
          draft, Long.toHexString(checksum(body, body.length)), StandardOpenOption.APPEND);
      try (FileChannel channel = FileChannel.open(draft, StandardOpenOption.WRITE)) {
        channel.force(true);
      }
      Files.move(draft, file, StandardCopyOption.REPLACE_EXISTING);
    }

    @Override
    public RecordSnapshot load() throws IOException {
      byte[] bytes = Files.readAllBytes(file);
      String text = new String(bytes, StandardCharsets.UTF_8);
      int end = text.lastIndexOf('\n') + 1;
      if (!text.substring(end).equals(Long.toHexString(checksum(bytes, end)))) {
        throw new IOException("damaged");
      }
      List<RecordSnapshot.Entry> entries = new ArrayList<>();
      List<RecordSnapshot.RememberedEntry> gone = new ArrayList<>();
      Stream<String> lines = text.substring(0, end).lines();
      Instant savedAt = Instant.EPOCH;
      for (String line : (Iterable<String>) lines::iterator) {
        String[] fields = line.split("\t", -1);
        if (fields.length == 1) {
          savedAt = Instant.parse(line);
        } else if (fields.length == 4) {
          gone.add(RecordSnapshot.RememberedEntry.of(
              ImageId.of(fields[1]), Instant.parse(fields[2]), Instant.parse(fields[3])));
        } else if (fields[2].equals("-")) {
          entries.add(RecordSnapshot.Entry.of(ImageId.of(fields[0]), Instant.parse(fields[1])));
        } else {
          entries.add(RecordSnapshot.Entry.of(
              ImageId.of(fields[0]), Instant.parse(fields[1]), Instant.parse(fields[2])));
        }
      }
      return RecordSnapshot.builder(savedAt, savedAt)
          .entries(entries)
          .remembered(gone)
          .build();
    }

    private static long checksum(byte[] bytes, int length) {
      CRC32C crc = new CRC32C();
      crc.update(bytes, 0, length);
      return crc.getValue();
    }
  }

  private record Ours(FileRecordStore store) implements Store {
    @Override
    public void save(RecordSnapshot snapshot) {
      store.save(snapshot);
    }

    @Override
    public RecordSnapshot load() {
      return store.load().orElseThrow();
    }
  }

  /**
   * Prints the table. With {@code cold} and a directory that holds history, prints only what the first load of a process costs.
   *
   * @param args nothing, or {@code cold} and the directory
   * @throws IOException if there is no room for files
   * @throws InterruptedException if it is interrupted
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    if (args.length == 2) {
      cold(Path.of(args[1]));
      return;
    }
    Path directory = Files.createTempDirectory(Path.of("benchmarks/target"), "history");
    try (FileRecordStore files = FileRecordStore.open(directory)) {
      Store ours = new Ours(files);
      Store plain = new PlainText(directory.resolve("plain"));
      RecordSnapshot snapshot = snapshot();
      for (int i = 0; i < WARM_UP; i++) {
        saveAndLoad(ours, snapshot);
        saveAndLoad(plain, snapshot);
      }
      List<Double> oursMillis = new ArrayList<>();
      List<Double> plainMillis = new ArrayList<>();
      for (int i = 0; i < ROUNDS; i++) {
        oursMillis.add(saveAndLoad(ours, snapshot));
        plainMillis.add(saveAndLoad(plain, snapshot));
      }
      print(
          new Series(oursMillis),
          new Series(plainMillis),
          Files.size(directory.resolve("records")),
          Files.size(directory.resolve("plain")));
    }
    startCold(directory);
    double megabytes = heap();
    System.out.println("| retained heap, MB | " + Series.number(megabytes)
        + " | – | – | ours < 64 | " + met(megabytes, AIM_MEGABYTES) + " |");
  }

  /** In a process of its own, which has loaded nothing before. */
  private static void startCold(Path directory) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:+UseSerialGC",
            "-XX:ActiveProcessorCount=1",
            "-cp",
            System.getProperty("java.class.path"),
            HistoryCost.class.getName(),
            "cold",
            directory.toString())
        .inheritIO()
        .start();
    if (process.waitFor() != 0) {
      throw new IllegalStateException("the cold load failed");
    }
  }

  private static void print(Series ours, Series plain, long ourBytes, long plainBytes) {
    System.out.println("| history, 100,000 images + 100,000 gone | ours | plain text | ours / plain"
        + " | aim | met |");
    System.out.println("|---|---|---|---|---|---|");
    System.out.println("| save + load, warm, ms of CPU | " + ours.text() + " | " + plain.text()
        + " | " + ours.dividedBy(plain).text() + " | ours < 75 | " + met(ours.median(), AIM_MILLIS)
        + " |");
    double ourSize = ourBytes / BYTES_PER_MEGABYTE;
    double plainSize = plainBytes / BYTES_PER_MEGABYTE;
    System.out.println("| file, MB | " + Series.number(ourSize) + " | " + Series.number(plainSize)
        + " | " + Series.number(ourSize / plainSize) + " | – | – |");
  }

  private static String met(double value, double below) {
    return value < below ? "yes" : "no";
  }

  private static void cold(Path directory) {
    long start = cpuNanos();
    try (FileRecordStore store = FileRecordStore.open(directory)) {
      int images = store.load().orElseThrow().entries().size();
      System.out.println("| first load of a process (" + images + " images), ms of CPU | "
          + Series.number((cpuNanos() - start) / NANOS_PER_MILLI) + " | – | – | – | – |");
    }
  }

  /** Returns milliseconds of CPU, of which the system counts only every tenth; the garbage of before is not counted. */
  private static double saveAndLoad(Store store, RecordSnapshot snapshot) throws IOException {
    System.gc();
    long start = cpuNanos();
    RecordSnapshot loaded = snapshot;
    for (int i = 0; i < REPEATS; i++) {
      store.save(snapshot);
      loaded = store.load();
    }
    long end = cpuNanos();
    if (!loaded.entries().equals(snapshot.entries())
        || !loaded.remembered().equals(snapshot.remembered())) {
      throw new IllegalStateException("what was loaded is not what was saved");
    }
    return (end - start) / NANOS_PER_MILLI / REPEATS;
  }

  private static long cpuNanos() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  private static RecordSnapshot snapshot() {
    Instant now = Instant.parse("2026-01-01T00:00:00.123456789Z");
    Random random = new Random(1);
    List<RecordSnapshot.Entry> entries = new ArrayList<>();
    List<RecordSnapshot.RememberedEntry> gone = new ArrayList<>();
    for (int i = 0; i < IMAGES; i++) {
      Instant seen = now.minusNanos(random.nextLong(Duration.ofDays(90).toNanos()));
      Instant used = now.minusNanos(random.nextLong(Duration.ofDays(30).toNanos()));
      entries.add(
          i % 2 == 0
              ? RecordSnapshot.Entry.of(id(random), seen, used)
              : RecordSnapshot.Entry.of(id(random), seen));
      gone.add(RecordSnapshot.RememberedEntry.of(
          id(random), used, used.plusNanos(random.nextLong(Duration.ofDays(1).toNanos()))));
    }
    return RecordSnapshot.builder(now, now)
        .bootTime(BootTime.of("boot", Duration.ofDays(1)))
        .entries(entries)
        .remembered(gone)
        .build();
  }

  private static ImageId id(Random random) {
    StringBuilder text = new StringBuilder("sha256:");
    for (int i = 0; i < 4; i++) {
      text.append(String.format("%016x", random.nextLong()));
    }
    return ImageId.of(text.toString());
  }

  /** What a collector keeps of 100,000 images without layers and 100,000 that are gone, all of them used once. */
  private static double heap() {
    heap(1000); // loads classes, fills caches
    return heap(IMAGES) / BYTES_PER_MEGABYTE;
  }

  private static long heap(int images) {
    CannedNode node = new CannedNode();
    try (ImageGcManager gc = node.collector(images)) {
      gc.detectImages();
      long before = RetainedHeap.usedBytes();
      show(node, images, 1);
      gc.detectImages();
      show(node, images, 2);
      gc.detectImages();
      node.show(List::of, List::of);
      return RetainedHeap.usedBytes() - before;
    }
  }

  /** Other images for each seed, each with a name and a container. */
  private static void show(CannedNode node, int count, long seed) {
    Random random = new Random(seed);
    List<ImageId> ids = Stream.generate(() -> id(random)).limit(count).toList();
    node.show(
        () -> IntStream.range(0, count)
            .mapToObj(i -> Image.builder(ids.get(i))
                .reference("registry.example/team/app-" + seed + "-" + i + ":1")
                .sizeBytes(i)
                .build())
            .toList(),
        () -> IntStream.range(0, count)
            .mapToObj(i -> Container.builder("c" + i)
                .state(ContainerState.RUNNING)
                .image(ids.get(i))
                .build())
            .toList());
  }
}
