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

/**
 * Measures the filesystems of local paths. Thread-safe.
 *
 * <p>Available is what a process without privileges may write, so space reserved for root counts as used, as in the
 * kubelet. A path that does not exist is an error, never "0 free". Inodes are unknown: the JDK cannot count them.
 */
public final class LocalFsStatsProvider implements FsStatsProvider {
  private static final Path ROOT = Path.of("/");

  private final Supplier<Path> locator;
  private final GcClock clock;

  LocalFsStatsProvider(Supplier<Path> locator, GcClock clock) {
    this.locator = locator;
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
    return new LocalFsStatsProvider(() -> imageFsPath, SystemGcClock.instance());
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
        Objects.requireNonNull(locator, "locator"), SystemGcClock.instance());
  }

  @Override
  public FsStats imageFs() {
    return measure(locator.get());
  }

  /** Measures the filesystem of {@code /}. */
  @Override
  public Optional<FsStats> rootFs() {
    return Optional.of(measure(ROOT));
  }

  private FsStats measure(Path path) {
    try {
      // Looked up every time: the path may have become another filesystem's since.
      FileStore store = Files.getFileStore(path);
      return FsStats.of(
          path.toString(), clock.instant(), store.getTotalSpace(), store.getUsableSpace());
    } catch (NoSuchFileException e) {
      throw new UnreachableException("image filesystem path " + path + " does not exist", e);
    } catch (java.nio.file.AccessDeniedException e) {
      throw new AccessDeniedException(
          "image filesystem path " + path + " may not be read by this process", e);
    } catch (IOException e) {
      throw new UnreachableException(
          "image filesystem path " + path + " cannot be measured: " + e.getMessage(), e);
    }
  }
}
