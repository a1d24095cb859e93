/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.List;
import java.util.Objects;

/** What became of one request to remove an image: a value, because a refusal is ordinary and must not end a round. */
public final class RemovalResult {
  private final RemovalOutcome outcome;
  private final String detail;
  private final List<String> lostReferences;

  private RemovalResult(RemovalOutcome outcome, String detail, List<String> lostReferences) {
    this.outcome = Objects.requireNonNull(outcome, "outcome");
    this.detail = Objects.requireNonNull(detail, "detail");
    this.lostReferences = List.copyOf(lostReferences);
  }

  /**
   * Returns a result without a word from the engine.
   *
   * @param outcome what became of the request
   * @return the result
   */
  public static RemovalResult of(RemovalOutcome outcome) {
    return new RemovalResult(outcome, "", List.of());
  }

  /**
   * Returns a result.
   *
   * @param outcome what became of the request
   * @param detail what the engine said, in words for people; may be empty
   * @return the result
   */
  public static RemovalResult of(RemovalOutcome outcome, String detail) {
    return new RemovalResult(outcome, detail, List.of());
  }

  /**
   * Returns this result with the names that an image lost although it stays.
   *
   * @param references names that were removed and could not be put back
   * @return the result
   */
  public RemovalResult withLostReferences(List<String> references) {
    return new RemovalResult(outcome, detail, references);
  }

  /**
   * Returns what became of the request.
   *
   * @return the outcome
   */
  public RemovalOutcome outcome() {
    return outcome;
  }

  /**
   * Returns what the engine said.
   *
   * @return words for people, possibly empty
   */
  public String detail() {
    return detail;
  }

  /**
   * Returns the names that the image lost although it stays: a removal stopped half way and the adapter could not put
   * them back.
   *
   * @return the names, normally none
   */
  public List<String> lostReferences() {
    return lostReferences;
  }

  @Override
  public String toString() {
    return outcome
        + (detail.isEmpty() ? "" : " (" + detail + ")")
        + (lostReferences.isEmpty() ? "" : ", lost " + lostReferences);
  }
}
