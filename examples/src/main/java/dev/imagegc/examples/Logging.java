/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

/** Sets how much slf4j-simple logs, which it reads once, when the first logger is made. */
final class Logging {
  private Logging() {}

  /** The level of the library's own logs; a level that was given to the JVM as a property wins. */
  static void level(String level) {
    String property = "org.slf4j.simpleLogger.log.dev.imagegc";
    if (System.getProperty(property) == null) {
      System.setProperty(property, level);
    }
  }
}
