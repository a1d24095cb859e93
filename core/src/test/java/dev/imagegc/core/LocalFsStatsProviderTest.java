/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.UnreachableException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalFsStatsProviderTest {
  @TempDir
  Path dir;

  @Test
  void imageFs_measuresTheFilesystemOfThePath() throws IOException {
    FsStats stats = LocalFsStatsProvider.of(dir).imageFs();
    assertThat(stats.path()).isEqualTo(dir.toString());
    assertThat(stats.capacityBytes()).hasValue(Files.getFileStore(dir).getTotalSpace());
    assertThat(stats.availableBytes().orElseThrow())
        .isBetween(0L, stats.capacityBytes().orElseThrow());
  }

  @Test
  void imageFs_ofAPathThatDoesNotExist_isAnErrorNotFull() {
    assertThatThrownBy(() -> LocalFsStatsProvider.of(dir.resolve("none")).imageFs())
        .isInstanceOf(UnreachableException.class)
        .hasMessage("image filesystem path " + dir.resolve("none") + " does not exist");
  }

  @Test
  void imageFs_passesOnWhyThePathCannotBeFound() {
    LocalFsStatsProvider provider = LocalFsStatsProvider.locatedBy(() -> {
      throw new ProtocolException("not an engine");
    });
    assertThatThrownBy(provider::imageFs)
        .isInstanceOf(ProtocolException.class)
        .hasMessage("not an engine");
  }

  @Test
  void rootFs_measuresTheRoot() {
    assertThat(LocalFsStatsProvider.of(dir).rootFs().orElseThrow().path()).isEqualTo("/");
  }

  @Test
  void containerFs_isAbsentUnlessSet() {
    assertThat(LocalFsStatsProvider.of(dir).containerFs()).isEmpty();
  }

  @Test
  void pathsThatWereSet_areMeasuredInTheirPlaces() throws IOException {
    Path root = Files.createDirectory(dir.resolve("root"));
    Path layers = Files.createDirectory(dir.resolve("layers"));
    LocalFsStatsProvider plain = LocalFsStatsProvider.of(dir);

    for (LocalFsStatsProvider provider : List.of(
        plain.rootFsAt(root).containerFsAt(layers).withInodes(),
        plain.withInodes().containerFsAt(layers).rootFsAt(root))) {
      assertThat(provider.imageFs().path()).isEqualTo(dir.toString());
      assertThat(provider.rootFs().orElseThrow().path()).isEqualTo(root.toString());
      assertThat(provider.containerFs().orElseThrow().path()).isEqualTo(layers.toString());
    }
    assertThat(plain.rootFs().orElseThrow().path()).isEqualTo("/");
  }

  @Test
  void pathThatDoesNotExist_isAnErrorThatNamesItsPlace() {
    Path none = dir.resolve("none");
    LocalFsStatsProvider provider = LocalFsStatsProvider.of(dir).rootFsAt(none).containerFsAt(none);

    assertThatThrownBy(provider::rootFs)
        .isInstanceOf(UnreachableException.class)
        .hasMessage("root filesystem path " + none + " does not exist");
    assertThatThrownBy(provider::containerFs)
        .isInstanceOf(UnreachableException.class)
        .hasMessage("container filesystem path " + none + " does not exist");
  }

  // Devices

  @Test
  void device_isThatOfThePath() throws IOException {
    Path below = Files.createDirectory(dir.resolve("below"));
    LocalFsStatsProvider provider = LocalFsStatsProvider.of(dir).rootFsAt(below);

    assertThat(provider.imageFs().device()).isPresent();
    assertThat(provider.rootFs().orElseThrow().device())
        .isEqualTo(provider.imageFs().device());
  }

  @Test
  void deviceOfAnotherMount_isAnotherOne() {
    Path memory = Path.of("/dev/shm");
    assumeThat(memory).isWritable();
    LocalFsStatsProvider provider = LocalFsStatsProvider.of(memory).rootFsAt(Path.of("/proc"));

    FsStats imageFs = provider.imageFs();
    assertThat(imageFs.device()).isPresent();
    assertThat(provider.rootFs().orElseThrow().device()).isPresent();
    assertThat(provider.rootFs().orElseThrow().device()).isNotEqualTo(imageFs.device());
    assertThat(FsLayout.of(imageFs, provider.rootFs(), provider.containerFs()))
        .isSameAs(FsLayout.DEDICATED_IMAGEFS);
  }

  @Test
  void device_whereTheJdkTellsNone_isUnknown() throws IOException {
    URI archive = URI.create("jar:" + dir.resolve("a.zip").toUri());
    try (FileSystem zip = FileSystems.newFileSystem(archive, Map.of("create", "true"))) {
      assertThat(LocalFsStatsProvider.of(zip.getPath("/")).imageFs().device()).isEmpty();
    }
  }

  // Inodes

  @Test
  void inodes_areNotCountedUnlessAskedFor() {
    FsStats stats = LocalFsStatsProvider.of(dir).imageFs();

    assertThat(stats.inodes()).isEmpty();
    assertThat(stats.source()).isEqualTo("FileStore; inodes not counted");
  }

  @Test
  void withInodes_countsThemOnEveryFilesystem() {
    assumeThat(Path.of("/usr/bin/stat")).isExecutable();
    LocalFsStatsProvider provider =
        LocalFsStatsProvider.of(dir).containerFsAt(dir).withInodes();

    for (FsStats stats : List.of(
        provider.imageFs(),
        provider.rootFs().orElseThrow(),
        provider.containerFs().orElseThrow())) {
      assertThat(stats.source()).isEqualTo("FileStore; inodes by stat -f");
      assertThat(stats.inodesFree().orElseThrow()).isBetween(0L, stats.inodes().orElseThrow());
      assertThat(stats.capacityBytes().orElseThrow()).isPositive();
    }
  }

  @Test
  void withInodes_pathThatLooksLikeAnOption_isAPath() throws IOException {
    assumeThat(Path.of("/usr/bin/stat")).isExecutable();
    Path odd = Files.createDirectory(dir.resolve("-x y"));

    assertThat(LocalFsStatsProvider.of(odd).withInodes().imageFs().inodes()).isPresent();
  }

  @Test
  void withInodes_filesystemWithoutAFixedNumber_leavesThemUnknown() {
    assumeThat(Path.of("/usr/bin/stat")).isExecutable();
    assumeThat(Path.of("/proc/self")).exists();

    FsStats stats = LocalFsStatsProvider.of(Path.of("/proc")).withInodes().imageFs();

    assertThat(stats.inodes()).isEmpty();
    assertThat(stats.inodesFree()).isEmpty();
    assertThat(stats.source())
        .isEqualTo("FileStore; inodes unknown: the filesystem has no fixed number");
  }

  @Test
  void withInodes_whereNothingCanCount_keepsTheBytes() {
    FsStats stats = LocalFsStatsProvider.of(dir)
        .countedBy(dir.resolve("none").toString(), SystemGcClock.instance())
        .imageFs();

    assertThat(stats.availableBytes()).isPresent();
    assertThat(stats.inodes()).isEmpty();
    assertThat(stats.source()).startsWith("FileStore; inodes unknown: stat -f is not there");
  }

  @Test
  void withInodes_interrupted_isCancelledAndKeepsTheFlag() {
    assumeThat(Path.of("/usr/bin/stat")).isExecutable();
    Thread.currentThread().interrupt();

    assertThatThrownBy(() -> LocalFsStatsProvider.of(dir).withInodes().imageFs())
        .isInstanceOf(CancelledException.class);
    assertThat(Thread.interrupted()).isTrue();
  }
}
