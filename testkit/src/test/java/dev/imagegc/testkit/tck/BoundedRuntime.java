/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit.tck;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Container;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.PullProgress;
import dev.imagegc.api.RegistryCredentials;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.Runtime;
import dev.imagegc.api.RuntimeEventListener;
import dev.imagegc.api.TimedOutException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** Puts a deadline around each call, as an adapter does: what the rules about hanging engines need. */
class BoundedRuntime implements AbleRuntime {
  /** For an engine that answers, however busy the machine is. */
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private final AbleRuntime engine;
  private final Duration deadline;

  BoundedRuntime(Runtime engine, Duration deadline) {
    this.engine = new ForwardingRuntime(engine);
    this.deadline = deadline;
  }

  @Override
  public List<Image> listImages() {
    return bounded(engine::listImages);
  }

  @Override
  public List<Container> listContainers() {
    return bounded(engine::listContainers);
  }

  @Override
  public RemovalResult removeImage(Image image) {
    return bounded(() -> engine.removeImage(image));
  }

  @Override
  public RemovalResult removeContainer(Container container) {
    return bounded(() -> engine.removeContainer(container));
  }

  @Override
  public void stopContainer(Container container, Duration grace) {
    bounded(Executors.callable(() -> engine.stopContainer(container, grace)));
  }

  @Override
  public Subscription subscribe(RuntimeEventListener listener) {
    return bounded(() -> engine.subscribe(listener));
  }

  @Override
  public Optional<Image> findImage(String reference) {
    return bounded(() -> engine.findImage(reference));
  }

  @Override
  public Optional<Image> findImage(ImageId id) {
    return bounded(() -> engine.findImage(id));
  }

  @Override
  public void pull(
      String reference,
      Optional<RegistryCredentials> credentials,
      Consumer<PullProgress> progress) {
    bounded(Executors.callable(() -> engine.pull(reference, credentials, progress)));
  }

  private <T> T bounded(Callable<T> call) {
    FutureTask<T> task = new FutureTask<>(call);
    Thread thread = new Thread(task);
    thread.setDaemon(true);
    thread.start();
    try {
      Duration limit = HangingFixture.hangs ? deadline : PATIENCE;
      return task.get(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      task.cancel(true);
      throw new TimedOutException("no answer within " + deadline);
    } catch (InterruptedException e) {
      task.cancel(true);
      Thread.currentThread().interrupt();
      throw new CancelledException("interrupted");
    } catch (ExecutionException e) {
      throw (RuntimeException) e.getCause();
    }
  }
}
