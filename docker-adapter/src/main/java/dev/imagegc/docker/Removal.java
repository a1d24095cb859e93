/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import dev.imagegc.api.AccessDeniedException;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.GcException;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageReference;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.docker.DeleteAnswer.Kind;
import dev.imagegc.docker.ImageCalls.Found;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The removal of one image: one DELETE for each of its names in turn, never by force.
 *
 * <p>All names but one are taken off by name; the last DELETE is by id. That is safer than by name to the end:
 *
 * <ul>
 *   <li>A tag may have moved to another image since the listing, and a DELETE of the tag would remove that other image,
 *       which nobody chose. An id cannot move. Most images have one tag, so nothing of theirs is asked for by name; an
 *       image with more is looked up immediately before the first of them is taken off.
 *   <li>Where the engine refuses the last DELETE, because of a container or of images built on this one, the last name
 *       is still there. By name, Docker answers for a parent that it untagged it; with the containerd store it even says
 *       that it deleted it, and keeps it without its name.
 * </ul>
 *
 * <p>Untagged parents are not asked to go along ({@code noprune}): whether they may go is the collector's decision.
 */
final class Removal {
  private static final Logger LOG = LoggerFactory.getLogger(Removal.class);

  private final ImageCalls calls;
  private final Duration deadline;
  private final Image image;
  private final ImageId id;

  /** Names that are off, or may be: an engine that answered with an error, or not at all, may have done its work. */
  private final Set<String> taken = new LinkedHashSet<>();

  private Removal(ImageCalls calls, Duration deadline, Image image) {
    this.calls = calls;
    this.deadline = deadline;
    this.image = image;
    this.id = image.id();
  }

  /**
   * Removes an image.
   *
   * @param api the engine
   * @param deadline how long each DELETE may take
   * @param image the image as it was listed
   * @return what became of it
   * @throws GcException if there is no answer, and looking the image up fails too
   */
  static RemovalResult run(EngineApi api, Duration deadline, Image image) {
    Removal removal = new Removal(new ImageCalls(api), deadline, image);
    try {
      return removal.run();
    } catch (CancelledException | AccessDeniedException e) {
      removal.putBackBeforeLeaving();
      throw e;
    }
  }

  private RemovalResult run() {
    List<String> names = new ArrayList<>(namesBeforeTheLast());
    if (!names.isEmpty()) {
      Optional<Found> now = calls.lookUp(id.text());
      if (now.isEmpty()) {
        return RemovalResult.of(RemovalOutcome.GONE);
      }
      Optional<String> added = now.get().tags().stream()
          .filter(tag -> listed(List.of(tag)).isEmpty())
          .findFirst();
      if (added.isPresent()) {
        return RemovalResult.of(
            RemovalOutcome.FAILED, "it was named " + added.get() + " since it was listed");
      }
      names.removeIf(name -> !now.get().has(name));
    }
    for (String name : names) {
      if (taken.contains(name)) {
        continue; // a digest that went with the last tag of its repository
      }
      DeleteAnswer answer = delete(name);
      boolean goOn = switch (answer.kind()) {
        case SUCCESS -> !answer.deleted().contains(id);
        case ABSENT, DISK_FULL -> true; // the other names, and in the end the id, will tell
        default -> false;
      };
      if (!goOn) {
        return settle(answer);
      }
    }
    DeleteAnswer answer = delete(id.text());
    if (answer.kind() == Kind.DISK_FULL) {
      // Docker has forgotten the names, but could not write that down. An image without names needs
      // no writing.
      taken.addAll(image.references());
      answer = delete(id.text());
    }
    return settle(answer);
  }

  /**
   * The names that must be off before the engine takes the id for its only name: every tag but one, and the digests of
   * repositories of which the image has no tag. A digest goes with the last tag of its repository; it cannot be put back,
   * so the tag that is left for the end is one whose repository has a digest.
   */
  private List<String> namesBeforeTheLast() {
    List<String> tags =
        image.references().stream().filter(name -> !ImageCalls.isDigest(name)).toList();
    List<String> digests =
        image.references().stream().filter(ImageCalls::isDigest).toList();
    Set<String> digestRepositories = repositories(digests);
    String last = tags.stream()
        .filter(tag -> digestRepositories.contains(repository(tag)))
        .findFirst()
        .or(() -> tags.stream().findFirst())
        .or(() -> digests.stream().findFirst())
        .orElse("");
    Set<String> covered = repositories(tags.isEmpty() ? List.of(last) : tags);
    List<String> names = new ArrayList<>(tags);
    digests.stream().filter(digest -> !covered.contains(repository(digest))).forEach(names::add);
    names.remove(last);
    return names;
  }

  private static Set<String> repositories(List<String> names) {
    Set<String> repositories = new LinkedHashSet<>();
    names.forEach(name -> repositories.add(repository(name)));
    return repositories;
  }

  private static String repository(String name) {
    return ImageReference.parse(name).map(ImageReference::repository).orElse(name);
  }

  private DeleteAnswer delete(String nameOrId) {
    DeleteAnswer answer = calls.delete(nameOrId, deadline);
    switch (answer.kind()) {
      case SUCCESS -> {
        taken.addAll(listed(List.of(nameOrId)));
        taken.addAll(listed(answer.untagged()));
      }
      case DISK_FULL, ERROR, NONE -> taken.addAll(listed(List.of(nameOrId)));
      default -> {} // nothing was done
    }
    return answer;
  }

  /** Returns those of the image's names, as they were listed, that are among some names. */
  private List<String> listed(List<String> names) {
    return image.references().stream()
        .filter(listed -> names.stream().anyMatch(name -> ImageCalls.same(name, listed)))
        .toList();
  }

  /** Says what became of the image after the last answer. */
  private RemovalResult settle(DeleteAnswer answer) {
    return switch (answer.kind()) {
      case SUCCESS ->
        answer.deleted().contains(id) ? RemovalResult.of(RemovalOutcome.REMOVED) : settleUntagged();
      case ABSENT -> RemovalResult.of(RemovalOutcome.GONE);
      case IN_USE -> stays(RemovalOutcome.IN_USE, answer.words());
      case HAS_CHILDREN -> stays(RemovalOutcome.HAS_CHILDREN, answer.words());
      case DISK_FULL, ERROR -> settleError(answer);
      case NONE -> settleWithoutAnswer(answer);
    };
  }

  /** A success that does not name the image: Podman has removed it, Docker has kept it for the images built on it. */
  private RemovalResult settleUntagged() {
    return calls.lookUp(id.text()).isEmpty()
        ? RemovalResult.of(RemovalOutcome.REMOVED)
        : stays(
            RemovalOutcome.HAS_CHILDREN,
            "the engine took off names but kept the image, as it does while images are built on it");
  }

  private RemovalResult settleError(DeleteAnswer answer) {
    return calls.lookUp(id.text()).isEmpty()
        ? RemovalResult.of(RemovalOutcome.GONE, answer.words())
        : stays(RemovalOutcome.FAILED, answer.words());
  }

  /** Nothing is put back here: the engine may still be at work, and a name that comes too late would dangle. */
  private RemovalResult settleWithoutAnswer(DeleteAnswer answer) {
    Optional<Found> now;
    try {
      now = calls.lookUp(id.text());
    } catch (GcException e) {
      GcException trouble = Objects.requireNonNull(answer.trouble());
      trouble.addSuppressed(e);
      logLost(List.copyOf(taken));
      throw trouble;
    }
    if (now.isEmpty()) {
      return RemovalResult.of(
          RemovalOutcome.GONE, "the image is gone, but no answer came: " + answer.words());
    }
    List<String> lost = taken.stream().filter(name -> !now.get().has(name)).toList();
    return RemovalResult.of(RemovalOutcome.UNKNOWN, answer.words()).withLostReferences(lost);
  }

  /** The image stays, so it gets its names back. */
  private RemovalResult stays(RemovalOutcome outcome, String words) {
    if (taken.isEmpty()) {
      return RemovalResult.of(outcome, words);
    }
    List<String> lost = putBack();
    logLost(lost);
    return RemovalResult.of(outcome, words).withLostReferences(lost);
  }

  /** Returns the names that the image has lost for good. A name that means another image by now is not lost but moved. */
  private List<String> putBack() {
    Set<String> moved = new LinkedHashSet<>();
    try {
      for (String name : taken) {
        if (!ImageCalls.isDigest(name)) {
          Optional<Found> owner = calls.lookUp(name);
          if (owner.isEmpty()) {
            calls.tag(id, name);
          } else if (!owner.get().id().equals(id)) {
            moved.add(name);
          }
        }
      }
      Optional<Found> now = calls.lookUp(id.text());
      return taken.stream()
          .filter(name -> !moved.contains(name))
          .filter(name -> now.isEmpty() || !now.get().has(name))
          .toList();
    } catch (GcException | IllegalStateException e) {
      LOG.debug("Putting names back on image {} failed", id, e);
      return taken.stream().filter(name -> !moved.contains(name)).toList();
    }
  }

  /** An interrupted thread could not call the engine any more; the names matter enough to finish that first. */
  private void putBackBeforeLeaving() {
    if (taken.isEmpty()) {
      return;
    }
    boolean interrupted = Thread.interrupted();
    try {
      logLost(putBack());
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void logLost(List<String> lost) {
    if (!lost.isEmpty()) {
      LOG.warn("Image {} may have lost the names {}: its removal stopped half way", id, lost);
    }
  }
}
