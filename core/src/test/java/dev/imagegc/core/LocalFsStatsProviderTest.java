/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.FsStats;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.UnreachableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
}
