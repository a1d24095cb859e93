/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.GcException;
import dev.imagegc.api.PullException;
import dev.imagegc.api.RegistryCredentials;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link FakeNode} can pull: images by their tags and digest references, and what goes wrong on the way. {@link
 * Faults#heal} ends what goes wrong here as well; images, credentials and the time that transfers take stay.
 *
 * <pre>{@code
 * node.registry().image("app-1").tag("app:1").layer("base", 300).layer("app", 100).add();
 * node.puller().pull("app:1", Optional.empty(), progress -> {});
 * }</pre>
 *
 * <p>A pull first brings the layers that the node lacks, one by one, and then puts the image there with its name; another
 * image loses the name and stays. A pull by tag gives the image that tag and the digest references it has here, a pull by
 * digest that reference only. An image that is there with its id is not transferred again. An interrupted pull ends with a {@link
 * CancelledException} before its next step, and one that does not come to its end leaves nothing on the disk.
 *
 * <p>Thread-safe. Hooks run on the pulling thread and without a lock.
 */
public final class FakeRegistry {
  private final FakeNode node;
  private final Object lock = new Object();
  private final Map<String, ImageSpec> images = new HashMap<>(); // these four by the name in full
  private final Map<String, Deque<GcException>> failNext = new HashMap<>();
  private final Map<String, GcException> failAlways = new HashMap<>();
  private final Set<String> stalls = new HashSet<>();
  private final Deque<Runnable> duringNext = new ArrayDeque<>();
  private final Deque<Runnable> beforeNextTag = new ArrayDeque<>();
  private Duration takes = Duration.ZERO;
  private @Nullable RegistryCredentials required;

  FakeRegistry(FakeNode node) {
    this.node = node;
  }

  /**
   * Starts to describe an image; {@link ImageSpec#add} puts it into the registry, under all its tags and digest references. If
   * another image has one of them, it loses it.
   *
   * @param id the id that the image has once it is on the node, not blank
   * @return an image without names and layers
   */
  public ImageSpec image(String id) {
    return new ImageSpec(this::add, id);
  }

  private FakeNode add(ImageSpec spec) {
    if (spec.parent != null) {
      throw new IllegalArgumentException("an image in a registry has no parent");
    }
    if (spec.tags.isEmpty() && spec.digests.isEmpty()) {
      throw new IllegalArgumentException("an image in a registry must have a name");
    }
    synchronized (lock) {
      spec.tags.forEach(tag -> images.put(ImageName.inFull(tag), spec));
      spec.digests.forEach(digest -> images.put(ImageName.inFull(digest), spec));
    }
    return node;
  }

  /**
   * Takes a name out of the registry, if it is there.
   *
   * @param reference a tag or digest reference
   */
  public void remove(String reference) {
    synchronized (lock) {
      images.remove(ImageName.inFull(reference));
    }
  }

  /**
   * Sets how long it takes to transfer an image that is not on the node: this much time of the clock passes, in equal parts
   * for each layer that comes.
   *
   * @param duration zero or more
   */
  public void transfersTake(Duration duration) {
    if (duration.isNegative()) {
      throw new IllegalArgumentException("duration must not be negative, but is " + duration);
    }
    synchronized (lock) {
      takes = duration;
    }
  }

  /**
   * Refuses pulls without these credentials from now on.
   *
   * @param credentials what every pull must come with
   */
  public void requireCredentials(RegistryCredentials credentials) {
    Objects.requireNonNull(credentials, "credentials");
    synchronized (lock) {
      required = credentials;
    }
  }

  /**
   * Makes the next pull of a name fail before anything has come. May be called again for the ones after it.
   *
   * @param reference the name, in the registry or not
   * @param failure what it throws: usually a {@link PullException}
   */
  public void failNext(String reference, GcException failure) {
    Objects.requireNonNull(failure, "failure");
    synchronized (lock) {
      failNext
          .computeIfAbsent(ImageName.inFull(reference), unused -> new ArrayDeque<>())
          .add(failure);
    }
  }

  /**
   * Makes every pull of a name fail before anything has come.
   *
   * @param reference the name, in the registry or not
   * @param failure what it throws: usually a {@link PullException}
   */
  public void failAlways(String reference, GcException failure) {
    Objects.requireNonNull(failure, "failure");
    synchronized (lock) {
      failAlways.put(ImageName.inFull(reference), failure);
    }
  }

  /**
   * Makes the next pull of a name stall when all its layers but the last have come: it hangs as after {@link
   * Faults#hangNext}, and ends or goes on in the same ways.
   *
   * @param reference the name, in the registry or not
   */
  public void stallNext(String reference) {
    synchronized (lock) {
      stalls.add(ImageName.inFull(reference));
    }
  }

  /**
   * Runs something in the next pull when it has told of its first progress, and before anything has come. What it throws ends
   * the pull.
   *
   * @param hook what to run
   */
  public void duringNext(Runnable hook) {
    Objects.requireNonNull(hook, "hook");
    synchronized (lock) {
      duringNext.add(hook);
    }
  }

  /**
   * Runs something in the next pull when the image is there whole, and has none of its names yet. Without a hook, no one sees
   * the image in that state. If it is deleted meanwhile, the pull fails; what the hook throws ends the pull, and the image
   * stays without a name.
   *
   * @param hook what to run
   */
  public void beforeNextTag(Runnable hook) {
    Objects.requireNonNull(hook, "hook");
    synchronized (lock) {
      beforeNextTag.add(hook);
    }
  }

  void heal() {
    synchronized (lock) {
      failNext.clear();
      failAlways.clear();
      stalls.clear();
      duringNext.clear();
      beforeNextTag.clear();
    }
  }

  /** Returns what a name stands for; throws what is in the way. */
  ImageSpec open(String reference, Optional<RegistryCredentials> credentials) {
    String name = ImageName.inFull(reference);
    synchronized (lock) {
      Deque<GcException> next = failNext.getOrDefault(name, new ArrayDeque<>());
      GcException failure = next.isEmpty() ? failAlways.get(name) : next.poll();
      if (failure != null) {
        throw failure;
      }
      RegistryCredentials wanted = required;
      if (wanted != null && credentials.filter(given -> same(given, wanted)).isEmpty()) {
        throw new PullException("the fake registry denies access to " + reference);
      }
      ImageSpec image = images.get(name);
      if (image == null) {
        throw new PullException("the fake registry has no image " + reference);
      }
      return image;
    }
  }

  private static boolean same(RegistryCredentials one, RegistryCredentials other) {
    return one.username().equals(other.username())
        && one.password().equals(other.password())
        && one.identityToken().equals(other.identityToken());
  }

  Duration transferTime() {
    synchronized (lock) {
      return takes;
    }
  }

  boolean takeStall(String reference) {
    synchronized (lock) {
      return stalls.remove(ImageName.inFull(reference));
    }
  }

  Optional<Runnable> takeDuring() {
    synchronized (lock) {
      return Optional.ofNullable(duringNext.poll());
    }
  }

  Optional<Runnable> takeBeforeTag() {
    synchronized (lock) {
      return Optional.ofNullable(beforeNextTag.poll());
    }
  }
}
