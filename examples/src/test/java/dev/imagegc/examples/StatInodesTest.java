/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.FsStats;
import dev.imagegc.core.LocalFsStatsProvider;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StatInodesTest {
  @TempDir
  Path directory;

  @Test
  void imageFs_localPath_hasInodesBesideTheBytes() {
    assumeThat(Path.of("/usr/bin/stat")).exists();

    FsStats stats = new StatInodes(LocalFsStatsProvider.of(directory)).imageFs();

    assertThat(stats.path()).isEqualTo(directory.toString());
    assertThat(stats.capacityBytes().orElseThrow()).isPositive();
    assertThat(stats.inodesFree().orElseThrow()).isBetween(0L, stats.inodes().orElseThrow());
  }

  @Test
  void imageFs_pathThatLooksLikeAnOption_isAPath() throws Exception {
    assumeThat(Path.of("/usr/bin/stat")).exists();
    Files.createDirectory(directory.resolve("-x y"));

    assertThat(new StatInodes(LocalFsStatsProvider.of(directory.resolve("-x y")))
            .imageFs()
            .inodes())
        .isPresent();
  }

  @Test
  void imageFs_placeThatStatDoesNotKnow_keepsTheBytes() {
    FsStats elsewhere = FsStats.of("a disk elsewhere", Instant.EPOCH, 1000, 100);

    assertThat(new StatInodes(() -> elsewhere).imageFs()).isSameAs(elsewhere);
  }

  @Test
  void imageFs_interrupted_isCancelledAndKeepsTheFlag() {
    Thread.currentThread().interrupt();

    assertThatThrownBy(() -> new StatInodes(LocalFsStatsProvider.of(directory)).imageFs())
        .isInstanceOf(CancelledException.class);
    assertThat(Thread.interrupted()).isTrue();
  }
}
