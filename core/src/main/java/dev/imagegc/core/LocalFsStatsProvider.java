/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.AccessDeniedException;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.UnreachableException;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Measures the filesystems of local paths. Immutable and thread-safe.
 *
 * <p>Available is what a process without privileges may write, so space reserved for root counts as used, as in the
 * kubelet. A path that does not exist is an error, never "0 free". Inodes are counted only on request, see {@link
 * #withInodes()}, because the JDK cannot count them.
 *
 * <p>{@link FsStats#device()} is the number of the path's device where the JDK tells it (on Linux and macOS). The subvolumes of
 * one btrfs, and the datasets of one zfs pool, have different ones.
 */
public final class LocalFsStatsProvider implements FsStatsProvider {
  private static final Path ROOT = Path.of("/");
  private static final String IMAGES = "image";

  private final Supplier<Path> locator;
  private final Path rootFs;
  private final @Nullable Path containerFs;
  private final @Nullable InodeCounter inodes;
  private final GcClock clock;

  private LocalFsStatsProvider(
      Supplier<Path> locator,
      Path rootFs,
      @Nullable Path containerFs,
      @Nullable InodeCounter inodes,
      GcClock clock) {
    this.locator = locator;
    this.rootFs = rootFs;
    this.containerFs = containerFs;
    this.inodes = inodes;
    this.clock = clock;
  }

  /**
   * Measures the filesystem of a path.
   *
   * @param imageFsPath where the engine keeps its images, or any path on that filesystem
   * @return the provider; the path is looked at when it is measured
   */
  public static LocalFsStatsProvider of(Path imageFsPath) {
    Objects.requireNonNull(imageFsPath, "imageFsPath");
    return locatedBy(() -> imageFsPath);
  }

  /**
   * Measures the filesystem of a path that somebody else knows, for instance {@code docker::imageFsPath}.
   *
   * @param locator returns where the engine keeps its images; asked before every measurement, so it should remember; may
   *     throw a {@code GcException}
   * @return the provider
   */
  public static LocalFsStatsProvider locatedBy(Supplier<Path> locator) {
    return new LocalFsStatsProvider(
        Objects.requireNonNull(locator, "locator"), ROOT, null, null, SystemGcClock.instance());
  }

  /**
   * Returns the same, but with another path for the node's root filesystem, which is {@code /} by default: for instance where the
   * host's root is mounted in the container that this process runs in.
   *
   * @param path any path on that filesystem
   * @return another provider
   */
  public LocalFsStatsProvider rootFsAt(Path path) {
    Objects.requireNonNull(path, "path");
    return new LocalFsStatsProvider(locator, path, containerFs, inodes, clock);
  }

  /**
   * Returns the same, but with a filesystem for the writable layers of containers. By default there is none: they are on the image
   * filesystem, as with most engines.
   *
   * @param path any path on that filesystem
   * @return another provider
   */
  public LocalFsStatsProvider containerFsAt(Path path) {
    Objects.requireNonNull(path, "path");
    return new LocalFsStatsProvider(locator, rootFs, path, inodes, clock);
  }

  /**
   * Returns the same, but counting inodes too. For that it runs the program {@code stat -f} of GNU or busybox for at most 2 s, which
   * costs a process for a measurement; for the other filesystems a count is used again for up to a second, unless the free blocks
   * have changed. Where there
   * is no such program, it fails or the filesystem has no fixed number of inodes (btrfs, for one, says that it has 0), they are
   * unknown, and {@link FsStats#source()} says why. After a program that hung, none is started for a minute.
   *
   * @return another provider
   */
  public LocalFsStatsProvider withInodes() {
    return countedBy("stat", clock);
  }

  /** As {@link #withInodes()}, for tests. */
  LocalFsStatsProvider countedBy(String program, GcClock newClock) {
    return new LocalFsStatsProvider(
        locator, rootFs, containerFs, new InodeCounter(program, newClock), newClock);
  }

  @Override
  public FsStats imageFs() {
    return measure(IMAGES, locator.get());
  }

  /** Measures the filesystem of {@code /}, or of the path that was set. */
  @Override
  public Optional<FsStats> rootFs() {
    return Optional.of(measure("root", rootFs));
  }

  /** Measures the filesystem of the path that was set. */
  @Override
  public Optional<FsStats> containerFs() {
    return Optional.ofNullable(containerFs).map(path -> measure("container", path));
  }

  private FsStats measure(String kind, Path path) {
    try {
      // Looked up every time: the path may have become another filesystem's since.
      FileStore store = Files.getFileStore(path);
      FsStats.Builder stats = FsStats.builder(path.toString(), clock.instant())
          .capacityBytes(store.getTotalSpace())
          .availableBytes(store.getUsableSpace());
      Optional<String> device = device(path);
      device.ifPresent(stats::device);
      String sourceOfInodes = "inodes not counted";
      if (inodes != null) {
        String filesystem = device.orElse(path.toString());
        boolean anew = kind.equals(IMAGES); // whose difference a sweep believes
        sourceOfInodes = inodes.addTo(stats, path, filesystem, store.getUnallocatedSpace(), anew);
      }
      return stats.source("FileStore; " + sourceOfInodes).build();
    } catch (NoSuchFileException e) {
      throw new UnreachableException(named(kind, path) + " does not exist", e);
    } catch (java.nio.file.AccessDeniedException e) {
      throw new AccessDeniedException(named(kind, path) + " may not be read by this process", e);
    } catch (IOException e) {
      throw new UnreachableException(
          named(kind, path) + " cannot be measured: " + e.getMessage(), e);
    }
  }

  private static String named(String kind, Path path) {
    return kind + " filesystem path " + path;
  }

  private static Optional<String> device(Path path) throws IOException {
    try {
      return Files.getAttribute(path, "unix:dev") instanceof Number number
          ? Optional.of("device " + Long.toHexString(number.longValue()))
          : Optional.empty();
    } catch (UnsupportedOperationException | IllegalArgumentException e) {
      return Optional.empty(); // not a Unix
    }
  }
}
