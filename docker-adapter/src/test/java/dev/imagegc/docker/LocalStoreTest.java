/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An engine's directory with other things than files. */
class LocalStoreTest {
  private static final String CHAIN = LayerStack.digest("a");

  @TempDir
  Path root;

  @Test
  @Timeout(30) // reading it would take for ever
  void pipeInPlaceOfASize_saysNothing() throws Exception {
    int made = new ProcessBuilder("mkfifo", sizeFile().toString()).start().waitFor();
    assertThat(made).as("exit code of mkfifo").isZero();

    assertThat(store().layerSize(CHAIN)).isEmpty();
  }

  @Test
  void sizeThatIsNone_saysNothing() throws Exception {
    Path size = sizeFile();
    for (String text : new String[] {"", "-1", "many", "9".repeat(40)}) {
      Files.writeString(size, text);
      assertThat(store().layerSize(CHAIN)).as(text).isEmpty();
    }
    Files.writeString(size, "12");
    assertThat(store().layerSize(CHAIN)).contains(12L);
  }

  private Path sizeFile() throws Exception {
    return Files.createDirectories(
            root.resolve("image/overlay2/layerdb/sha256").resolve(CHAIN.substring(7)))
        .resolve("size");
  }

  private LocalStore store() {
    return new LocalStore(
        new ImageFs.Place(root, root.resolve("image/overlay2/imagedb/content/sha256"), true));
  }
}
