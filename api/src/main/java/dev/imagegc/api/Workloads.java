/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

/**
 * The host's word on its workloads: which exist, and which of them have terminated. The collector asks it once in each pass of
 * container collection, on a thread of its own and with a deadline, and always after it has listed containers: the host knows a
 * workload before it makes the first container of it, so none whose containers are listed is missing because it is new.
 */
@FunctionalInterface
public interface Workloads {
  /**
   * Returns what the host knows now. If it throws, the view counts as incomplete.
   *
   * @return the view
   */
  WorkloadView view();

  /**
   * Returns the word of a host that has no workloads or does not want to tell: nothing is removed because its workload is gone.
   *
   * @return workloads whose view is never complete
   */
  static Workloads unknown() {
    return () -> WorkloadView.incomplete("the host does not tell its workloads");
  }
}
