/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import java.io.PrintWriter;

/** Where the agent speaks: results to {@code out}, everything else to {@code err}. Each line is there at once. */
record Console(PrintWriter out, PrintWriter err) {
  void say(Object text) {
    out.println(text);
    out.flush();
  }

  void warn(String sentence) {
    complain("warning: ", sentence);
  }

  void error(String sentence) {
    complain("error: ", sentence);
  }

  void note(String sentence) {
    complain("", sentence);
  }

  private void complain(String prefix, String sentence) {
    err.println(prefix + Human.clean(sentence));
    err.flush();
  }
}
