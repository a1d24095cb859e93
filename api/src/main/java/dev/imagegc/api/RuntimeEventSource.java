/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

/**
 * An optional ability of an engine: to tell what happens on the node as it happens. An adapter whose {@link Runtime} can do
 * it implements this interface too; for one that does not, the collector compares lists of containers.
 *
 * <p>Thread-safe. The rules (R6.1 and so on) are those that the testkit's {@code RuntimeCompatibilityKit} checks.
 */
public interface RuntimeEventSource {
  /**
   * Opens a stream of events (R6). When it returns, the engine has accepted: whatever happens from then on is told, unless
   * the stream ends. What happened before is not told. Blocks until then, within a deadline of its own; may be called again
   * while other subscriptions are open.
   *
   * @param listener hears the events; may be called before this method returns
   * @return the open stream
   * @throws GcException if the stream cannot be opened
   */
  Subscription subscribe(RuntimeEventListener listener);

  /** An open stream of events. Thread-safe. */
  interface Subscription extends AutoCloseable {
    /** Ends the stream without waiting; at most one event that is being told may still come. Closing twice does nothing. */
    @Override
    void close();
  }
}
