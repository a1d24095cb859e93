/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.NodeFs;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.testkit.FakeNode.Operation;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What goes wrong on a {@link FakeNode}, and what happens in between: failures, hangs, delays, lies and hooks, as a test
 * scripts them.
 *
 * <p>A call goes through its script in this order: slow, hang, hooks before, failure or else the effect, hooks after. What is
 * scripted for "next" is used up one call at a time, in the order in which it was scripted; what is scripted for every call
 * stays until {@link #heal}.
 *
 * <p>Thread-safe. Hooks run on the calling thread and without a lock, so they may change the node, throw, or block in order
 * to hold the call up.
 */
public final class Faults {
  private final TestClock clock;
  private final Object lock = new Object();
  private final Map<Operation, Script> scripts = new EnumMap<>(Operation.class);
  private final Map<Operation, Object> hangs =
      new EnumMap<>(Operation.class); // what calls hang for
  private final Runnable healOthers;
  private final Map<ImageId, Answers> removals = new HashMap<>();
  private final Map<String, Answers> containerRemovals = new HashMap<>();
  private boolean freesLater;
  private @Nullable Random shuffle;
  private final Map<NodeFs, UnaryOperator<FsStats>> measures = new EnumMap<>(NodeFs.class);

  Faults(TestClock clock, Runnable healOthers) {
    this.clock = clock;
    this.healOthers = healOthers;
    for (Operation operation : Operation.values()) {
      hangs.put(operation, new Object());
    }
  }

  /**
   * Makes the next call fail.
   *
   * @param operation which call
   * @param failure what it throws: usually a {@link dev.imagegc.api.GcException}
   */
  public void failNext(Operation operation, RuntimeException failure) {
    Objects.requireNonNull(failure, "failure");
    edit(operation, script -> script.failNext.add(failure));
  }

  /**
   * Makes every call fail.
   *
   * @param operation which calls
   * @param failure what they throw: usually a {@link dev.imagegc.api.GcException}
   */
  public void failAlways(Operation operation, RuntimeException failure) {
    Objects.requireNonNull(failure, "failure");
    edit(operation, script -> script.failAlways = failure);
  }

  /**
   * Answers the next removal of an image without touching the image, whatever the answer says.
   *
   * @param imageId the image, on the node or not
   * @param answer the answer
   */
  public void failNextRemoval(String imageId, RemovalResult answer) {
    Objects.requireNonNull(answer, "answer");
    editRemoval(imageId, answers -> answers.next.add(() -> answer));
  }

  /**
   * Makes the next removal of an image throw without touching the image.
   *
   * @param imageId the image, on the node or not
   * @param failure what it throws
   */
  public void failNextRemoval(String imageId, RuntimeException failure) {
    Objects.requireNonNull(failure, "failure");
    editRemoval(imageId, answers -> answers.next.add(throwing(failure)));
  }

  /**
   * Answers every removal of an image without touching the image, whatever the answer says.
   *
   * @param imageId the image, on the node or not
   * @param answer the answer
   */
  public void failRemovals(String imageId, RemovalResult answer) {
    Objects.requireNonNull(answer, "answer");
    editRemoval(imageId, answers -> answers.always = () -> answer);
  }

  /**
   * Makes every removal of an image throw without touching the image.
   *
   * @param imageId the image, on the node or not
   * @param failure what it throws
   */
  public void failRemovals(String imageId, RuntimeException failure) {
    Objects.requireNonNull(failure, "failure");
    editRemoval(imageId, answers -> answers.always = throwing(failure));
  }

  /**
   * Answers the next removal of a container without touching the container, whatever the answer says.
   *
   * @param containerId the container, on the node or not
   * @param answer the answer
   */
  public void failNextContainerRemoval(String containerId, RemovalResult answer) {
    Objects.requireNonNull(answer, "answer");
    editContainerRemoval(containerId, answers -> answers.next.add(() -> answer));
  }

  /**
   * Answers every removal of a container without touching the container, whatever the answer says.
   *
   * @param containerId the container, on the node or not
   * @param answer the answer
   */
  public void failContainerRemovals(String containerId, RemovalResult answer) {
    Objects.requireNonNull(answer, "answer");
    editContainerRemoval(containerId, answers -> answers.always = () -> answer);
  }

  /**
   * Makes every removal of a container throw without touching the container.
   *
   * @param containerId the container, on the node or not
   * @param failure what it throws
   */
  public void failContainerRemovals(String containerId, RuntimeException failure) {
    Objects.requireNonNull(failure, "failure");
    editContainerRemoval(containerId, answers -> answers.always = throwing(failure));
  }

  /**
   * Makes the next call hang until its thread is interrupted, which it answers with a {@link CancelledException}, or {@link
   * #releaseHung} lets it go on. While it hangs, time skips; see {@link TestClock}.
   *
   * @param operation which call
   */
  public void hangNext(Operation operation) {
    edit(operation, script -> script.hangNext.add(Hang.UNTIL_INTERRUPTED));
  }

  /**
   * Makes the next call hang until {@link #releaseHung} lets it go on, and then have its effect; interrupts do not end it.
   *
   * @param operation which call
   */
  public void hangNextStubbornly(Operation operation) {
    edit(operation, script -> script.hangNext.add(Hang.STUBBORN));
  }

  /**
   * Makes every call hang as {@link #hangNext} does.
   *
   * @param operation which calls
   */
  public void hangAlways(Operation operation) {
    edit(operation, script -> script.hangAlways = true);
  }

  /** Lets all calls go on that hang now. They have their effect, even if nobody waits for it any more. */
  public void releaseHung() {
    hangs.values().forEach(clock::release);
  }

  private Object hung(Operation operation) {
    return Objects.requireNonNull(hangs.get(operation));
  }

  /** Lets all calls to the engine go on that hang now; what they find is another matter. */
  void releaseEngine() {
    hangs.forEach((operation, hang) -> {
      if (!operation.isOfADisk()) {
        clock.release(hang);
      }
    });
  }

  /**
   * Makes every call take some time: it moves the clock. To make a call time out, let it hang instead: whether a slow call or
   * its deadline comes first is otherwise left to the threads.
   *
   * @param operation which calls
   * @param duration how long each takes, zero or more
   */
  public void slow(Operation operation, Duration duration) {
    Objects.requireNonNull(duration, "duration");
    edit(operation, script -> script.slow = duration);
  }

  /**
   * Runs something right before the next call has its effect.
   *
   * @param operation which call
   * @param hook what to run
   */
  public void beforeNext(Operation operation, Runnable hook) {
    Objects.requireNonNull(hook, "hook");
    edit(operation, script -> script.beforeNext.add(hook));
  }

  /**
   * Runs something right before each call has its effect.
   *
   * @param operation which calls
   * @param hook what to run
   */
  public void beforeEach(Operation operation, Runnable hook) {
    Objects.requireNonNull(hook, "hook");
    edit(operation, script -> script.beforeEach.add(hook));
  }

  /**
   * Runs something when the next call that does not throw has had its effect, and before it returns.
   *
   * @param operation which call
   * @param hook what to run
   */
  public void afterNext(Operation operation, Runnable hook) {
    Objects.requireNonNull(hook, "hook");
    edit(operation, script -> script.afterNext.add(hook));
  }

  /**
   * Runs something when a call that does not throw has had its effect, and before it returns.
   *
   * @param operation which calls
   * @param hook what to run
   */
  public void afterEach(Operation operation, Runnable hook) {
    Objects.requireNonNull(hook, "hook");
    edit(operation, script -> script.afterEach.add(hook));
  }

  /**
   * Makes the engine's removals succeed without giving space back: it stays used until {@link FakeNode#settle}, if that is ever
   * called.
   */
  public void freeLater() {
    synchronized (lock) {
      freesLater = true;
    }
  }

  /**
   * Makes the disk measure say something else of the image filesystem than the truth, or less.
   *
   * @param lie makes what is reported from the true numbers
   */
  public void measureAs(UnaryOperator<FsStats> lie) {
    measureAs(NodeFs.IMAGEFS, lie);
  }

  /**
   * Makes the disk measure say something else of one filesystem than the truth, or less. What it says of the others stays true,
   * also if they are on the same disk.
   *
   * @param filesystem which one
   * @param lie makes what is reported from the true numbers
   */
  public void measureAs(NodeFs filesystem, UnaryOperator<FsStats> lie) {
    Objects.requireNonNull(filesystem, "filesystem");
    Objects.requireNonNull(lie, "lie");
    synchronized (lock) {
      measures.put(filesystem, lie);
    }
  }

  /**
   * Makes every listing come in another order, the same one in every run of the test.
   *
   * @param seed which orders
   */
  public void shuffleListings(long seed) {
    synchronized (lock) {
      shuffle = new Random(seed);
    }
  }

  /**
   * Ends everything that was scripted, that of {@link FakeNode#events} and {@link FakeNode#registry} included, and lets hanging calls go on. Removed space that
   * has not come back yet stays used, and an engine that was stopped stays stopped.
   */
  public void heal() {
    synchronized (lock) {
      scripts.clear();
      removals.clear();
      containerRemovals.clear();
      freesLater = false;
      shuffle = null;
      measures.clear();
    }
    healOthers.run();
    releaseHung();
  }

  /** Does what comes before the effect of a call; throws what was scripted. */
  void before(Operation operation) {
    clock.advance(read(operation, script -> script.slow));
    Hang hang = read(operation, Script::takeHang);
    if (hang != Hang.NOT) {
      hang(operation, hang == Hang.STUBBORN);
    }
    read(operation, script -> take(script.beforeNext, script.beforeEach)).forEach(Runnable::run);
    Optional<RuntimeException> failure = read(operation, Script::takeFailure);
    if (failure.isPresent()) {
      throw failure.get();
    }
  }

  /** Hangs a call in its middle, as {@link #hangNext} does before its effect. */
  void hang(Operation operation) {
    hang(operation, false);
  }

  private void hang(Operation operation, boolean stubborn) {
    if (!clock.hang(hung(operation), stubborn)) {
      throw new CancelledException("the thread was interrupted while " + operation + " hung");
    }
  }

  /** Does what comes after the effect of a call. */
  void after(Operation operation) {
    read(operation, script -> take(script.afterNext, script.afterEach)).forEach(Runnable::run);
  }

  /** Returns, or throws, what was scripted for the removal of an image. */
  Optional<RemovalResult> removal(ImageId id) {
    return scripted(removals, id);
  }

  /** Returns, or throws, what was scripted for the removal of a container. */
  Optional<RemovalResult> containerRemoval(String id) {
    return scripted(containerRemovals, id);
  }

  private <K> Optional<RemovalResult> scripted(Map<K, Answers> script, K id) {
    Supplier<RemovalResult> answer;
    synchronized (lock) {
      Answers answers = script.get(id);
      answer = answers == null ? null : answers.take();
    }
    return answer == null ? Optional.empty() : Optional.of(answer.get());
  }

  boolean freesLater() {
    synchronized (lock) {
      return freesLater;
    }
  }

  FsStats measure(NodeFs filesystem, FsStats truth) {
    UnaryOperator<FsStats> lie;
    synchronized (lock) {
      lie = measures.getOrDefault(filesystem, UnaryOperator.identity());
    }
    return lie.apply(truth);
  }

  <T> List<T> order(List<T> listing) {
    synchronized (lock) {
      if (shuffle == null) {
        return listing;
      }
      List<T> shuffled = new ArrayList<>(listing);
      Collections.shuffle(shuffled, shuffle);
      return List.copyOf(shuffled);
    }
  }

  private void edit(Operation operation, Consumer<Script> change) {
    synchronized (lock) {
      change.accept(scripts.computeIfAbsent(operation, unused -> new Script()));
    }
  }

  private <T> T read(Operation operation, Function<Script, T> question) {
    synchronized (lock) {
      return question.apply(scripts.computeIfAbsent(operation, unused -> new Script()));
    }
  }

  private void editRemoval(String imageId, Consumer<Answers> change) {
    synchronized (lock) {
      change.accept(removals.computeIfAbsent(ImageId.of(imageId), unused -> new Answers()));
    }
  }

  private void editContainerRemoval(String containerId, Consumer<Answers> change) {
    synchronized (lock) {
      change.accept(containerRemovals.computeIfAbsent(containerId, unused -> new Answers()));
    }
  }

  private static List<Runnable> take(Deque<Runnable> next, List<Runnable> each) {
    List<Runnable> hooks = new ArrayList<>(each);
    Runnable once = next.poll();
    if (once != null) {
      hooks.add(once);
    }
    return hooks;
  }

  private static Supplier<RemovalResult> throwing(RuntimeException failure) {
    return () -> {
      throw failure;
    };
  }

  private enum Hang {
    NOT,
    UNTIL_INTERRUPTED,
    STUBBORN
  }

  private static final class Script {
    private final Deque<RuntimeException> failNext = new ArrayDeque<>();
    private final Deque<Hang> hangNext = new ArrayDeque<>();
    private final Deque<Runnable> beforeNext = new ArrayDeque<>();
    private final List<Runnable> beforeEach = new ArrayList<>();
    private final Deque<Runnable> afterNext = new ArrayDeque<>();
    private final List<Runnable> afterEach = new ArrayList<>();
    private @Nullable RuntimeException failAlways;
    private boolean hangAlways;
    private Duration slow = Duration.ZERO;

    private Hang takeHang() {
      Hang once = hangNext.poll();
      if (once != null) {
        return once;
      }
      return hangAlways ? Hang.UNTIL_INTERRUPTED : Hang.NOT;
    }

    private Optional<RuntimeException> takeFailure() {
      RuntimeException once = failNext.poll();
      return Optional.ofNullable(once == null ? failAlways : once);
    }
  }

  private static final class Answers {
    private final Deque<Supplier<RemovalResult>> next = new ArrayDeque<>();
    private @Nullable Supplier<RemovalResult> always;

    private @Nullable Supplier<RemovalResult> take() {
      Supplier<RemovalResult> once = next.poll();
      return once == null ? always : once;
    }
  }
}
