/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Another process with the classes of this one. */
final class ChildJvm {
  private ChildJvm() {}

  /** Starts a main class; what it says on standard error is seen here. */
  static Process start(Class<?> main, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Xshare:auto",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        classPath(),
        main.getName()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  /** Tests of a module have what is tested on the module path. */
  private static String classPath() {
    String modules = System.getProperty("jdk.module.path", "");
    String classes = System.getProperty("java.class.path");
    return modules.isEmpty() ? classes : modules + File.pathSeparator + classes;
  }
}
