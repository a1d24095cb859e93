/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;

/**
 * Files in memory that record every step, and know what a disk may hold if the power fails after any of them: what was flushed,
 * and of the rest anything.
 *
 * <p>As on a real disk, a file and its names are two things: flushing a file says nothing of its name, and renames reach the disk
 * in any order until the directory is flushed.
 */
final class RecordedFiles implements StoreFiles {
  private sealed interface Step {}

  /** The name now stands for the file; the old name, if there is one, for nothing. */
  private record Name(String name, int file, String oldName) implements Step {}

  private record Unname(String name) implements Step {}

  private record Truncate(int file) implements Step {}

  private static final class Write implements Step {
    private final int file;
    private final byte[] bytes;

    Write(int file, byte[] bytes) {
      this.file = file;
      this.bytes = bytes;
    }
  }

  private record Flush(int file) implements Step {}

  private record FlushNames() implements Step {}

  /** What becomes of bytes that were not flushed: as many as {@code kept} are right, the rest is not there, zero or garbage. */
  private record Tear(int kept, Rest rest) {
    enum Rest {
      CUT,
      ZEROS,
      GARBAGE
    }

    byte[] apply(byte[] flushed, byte[] whole) {
      if (kept >= whole.length) {
        return whole;
      }
      if (rest == Rest.CUT) {
        return kept == 0 ? flushed : Arrays.copyOf(whole, kept);
      }
      byte[] torn = Arrays.copyOf(Arrays.copyOf(whole, kept), whole.length);
      if (rest == Rest.GARBAGE) {
        byte[] garbage = new byte[whole.length - kept];
        new Random(kept).nextBytes(garbage);
        System.arraycopy(garbage, 0, torn, kept, garbage.length);
      }
      return torn;
    }
  }

  private final List<Step> steps = new ArrayList<>();
  private final Map<String, Integer> names = new HashMap<>();
  private final Map<Integer, byte[]> contents = new HashMap<>();
  private boolean losesFlushes;
  private boolean losesNameFlushes;
  private int stepThatFails = -1;
  private Callable<?> beforeFlushingNames = () -> true;

  /** The files of a disk on which everything is flushed. */
  static RecordedFiles of(Map<String, byte[]> disk) {
    RecordedFiles files = new RecordedFiles();
    disk.forEach((name, bytes) -> {
      int file = files.contents.size();
      files.name(name, file, null);
      files.contents.put(file, bytes);
      files.steps.add(new Write(file, bytes));
      files.steps.add(new Flush(file));
    });
    files.steps.add(new FlushNames());
    return files;
  }

  /** A disk that says it has flushed a file, and has not. */
  RecordedFiles losingFlushes() {
    losesFlushes = true;
    return this;
  }

  /** A disk that says it has flushed a directory, and has not. */
  RecordedFiles losingNameFlushes() {
    losesNameFlushes = true;
    return this;
  }

  /** How many steps there were so far. */
  int stepCount() {
    return steps.size();
  }

  /** From now on the disk is full at one of the next steps: 0 is the next one. */
  void failAt(int step) {
    stepThatFails = step;
  }

  void beforeFlushingNames(Callable<?> hook) {
    beforeFlushingNames = hook;
  }

  @Override
  public boolean exists(String name) {
    return names.containsKey(name);
  }

  @Override
  public long size(String name) throws IOException {
    return read(name).length;
  }

  @Override
  public byte[] read(String name) throws IOException {
    Integer file = names.get(name);
    if (file == null) {
      throw new NoSuchFileException(name);
    }
    return contents.get(file).clone();
  }

  @Override
  public Draft create(String name) throws IOException {
    failIfFull();
    Integer there = names.get(name);
    int file = there == null ? contents.size() : there;
    if (there == null) {
      name(name, file, null);
    }
    steps.add(new Truncate(file));
    contents.put(file, new byte[0]);
    return new Draft() {
      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        byte[] part = Arrays.copyOfRange(bytes, offset, offset + length);
        try {
          failIfFull();
        } catch (IOException e) {
          append(file, Arrays.copyOf(part, length / 2)); // so much went on the disk
          throw e;
        }
        append(file, part);
      }

      @Override
      public void flush() throws IOException {
        failIfFull();
        if (!losesFlushes) {
          steps.add(new Flush(file));
        }
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public void rename(String from, String to) throws IOException {
    failIfFull();
    name(to, names.get(from), from);
  }

  @Override
  public void delete(String name) {
    if (names.remove(name) != null) {
      steps.add(new Unname(name));
    }
  }

  @Override
  public void flushDirectory() throws IOException {
    failIfFull();
    try {
      beforeFlushingNames.call();
    } catch (Exception e) {
      throw new IOException(e);
    }
    if (!losesNameFlushes) {
      steps.add(new FlushNames());
    }
  }

  /** Shows every disk that a power failure may leave after a number of steps. */
  void eachDiskAfter(int count, Consumer<Map<String, byte[]>> check) {
    List<Step> done = steps.subList(0, count);
    Map<Integer, byte[]> flushed = new HashMap<>();
    Map<Integer, byte[]> written = new HashMap<>();
    Set<Integer> unflushed = new HashSet<>();
    for (Step step : done) {
      if (step instanceof Truncate truncate) {
        written.put(truncate.file(), new byte[0]);
        unflushed.add(truncate.file());
      } else if (step instanceof Write write) {
        written.merge(write.file, write.bytes, RecordedFiles::concat);
        unflushed.add(write.file);
      } else if (step instanceof Flush flush) {
        flushed.put(flush.file(), written.get(flush.file()));
        unflushed.remove(flush.file());
      }
    }
    List<Tear> tears = tears(
        unflushed.stream().mapToInt(file -> written.get(file).length).max().orElse(0));
    for (Map<String, Integer> directory : directories(done)) {
      for (Tear tear : unflushed.isEmpty() ? tears.subList(0, 1) : tears) {
        Map<String, byte[]> disk = new HashMap<>();
        directory.forEach((name, file) -> {
          byte[] safe = flushed.getOrDefault(file, new byte[0]);
          disk.put(name, unflushed.contains(file) ? tear.apply(safe, written.get(file)) : safe);
        });
        check.accept(disk);
      }
    }
  }

  private static List<Tear> tears(int longest) {
    List<Tear> tears = new ArrayList<>();
    for (int kept = 0; kept <= longest; kept++) {
      for (Tear.Rest rest : Tear.Rest.values()) {
        tears.add(new Tear(kept, rest));
      }
    }
    return tears;
  }

  /** What names may stand for: all that was flushed, and any of the changes since. */
  private static Set<Map<String, Integer>> directories(List<Step> done) {
    Map<String, Integer> sure = new HashMap<>();
    List<Step> unsure = new ArrayList<>();
    for (Step step : done) {
      if (step instanceof Name || step instanceof Unname) {
        unsure.add(step);
      } else if (step instanceof FlushNames) {
        unsure.forEach(each -> apply(each, sure));
        unsure.clear();
      }
    }
    Set<Map<String, Integer>> directories = new HashSet<>();
    for (int chosen = 0; chosen < 1 << unsure.size(); chosen++) {
      Map<String, Integer> directory = new HashMap<>(sure);
      for (int i = 0; i < unsure.size(); i++) {
        if ((chosen & (1 << i)) != 0) {
          apply(unsure.get(i), directory);
        }
      }
      directories.add(directory);
    }
    return directories;
  }

  private static void apply(Step step, Map<String, Integer> directory) {
    if (step instanceof Name name) {
      directory.put(name.name(), name.file());
      if (name.oldName() != null) {
        directory.remove(name.oldName());
      }
    } else if (step instanceof Unname unname) {
      directory.remove(unname.name());
    }
  }

  private void name(String name, int file, String oldName) {
    steps.add(new Name(name, file, oldName));
    names.put(name, file);
    if (oldName != null) {
      names.remove(oldName);
    }
  }

  private void append(int file, byte[] bytes) {
    steps.add(new Write(file, bytes));
    contents.merge(file, bytes, RecordedFiles::concat);
  }

  private void failIfFull() throws IOException {
    if (stepThatFails >= 0 && stepThatFails-- == 0) {
      throw new IOException("No space left on device");
    }
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }
}
