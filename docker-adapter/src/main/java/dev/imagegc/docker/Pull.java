/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.GcException;
import dev.imagegc.api.ImageReference;
import dev.imagegc.api.PullException;
import dev.imagegc.api.PullProgress;
import dev.imagegc.api.TimedOutException;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One pull: a request whose answer is a stream of progress.
 *
 * <p>What may take long is bounded by silence, not as a whole. An error comes as the status of the answer or, once the engine
 * has begun to answer, as an object of the stream; and a stream that just ends is a success only if the image is there then.
 */
final class Pull implements EngineHttp.Tail {
  private static final Logger LOG = LoggerFactory.getLogger(Pull.class);

  /** Progress beyond that is left out if the host is slow to hear it; the next report has it all. */
  private static final int MAX_WAITING = 100;

  /** What the reading thread hands over: progress; or an error that the engine reports; or that nothing follows. */
  private record Step(
      @Nullable PullProgress progress,
      @Nullable String error,
      @Nullable GcException failure) {}

  private final EngineApi api;
  private final Duration silence;
  private final ImageReference reference;
  private final RegistryAuth auth;
  private final Consumer<PullProgress> progress;
  private final String what;
  private final BlockingQueue<Step> steps = new LinkedBlockingQueue<>();
  private boolean complained; // of the host; only the calling thread

  Pull(
      EngineApi api,
      Duration silence,
      ImageReference reference,
      RegistryAuth auth,
      Consumer<PullProgress> progress) {
    this.api = api;
    this.silence = silence;
    this.reference = reference;
    this.auth = auth;
    this.progress = progress;
    this.what = "Pulling " + reference + " at " + api.host();
  }

  /** Pulls, and blocks until the engine says that the image is there; somebody may have removed it since. */
  void run() {
    try {
      transfer();
    } catch (PullException e) {
      throw e; // redacted where it was made
    } catch (GcException e) {
      throw auth.redacted(e);
    }
  }

  private void transfer() {
    // Without a tag an engine would pull all that there are.
    String tag = reference.digest().or(reference::tag).orElse("latest");
    String path = "/images/create?fromImage=" + ImageCalls.query(reference.repository()) + "&tag="
        + ImageCalls.query(tag);
    try (EngineHttp.Stream stream = api.open("POST", path, auth.headers(), silence, this)) {
      if (!stream.answer().isSuccess()) {
        throw refused(stream.answer().status() + ": ", EngineApi.said(stream.answer()));
      }
      boolean goesOn = true;
      while (goesOn) {
        goesOn = take(next());
      }
    }
  }

  private Step next() {
    try {
      Step step = steps.poll(silence.toNanos(), TimeUnit.NANOSECONDS);
      if (step == null) {
        throw new TimedOutException(
            what + ": nothing has moved for " + silence.toMillis() + " ms.");
      }
      return step;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException(what + ": the calling thread was interrupted.", e);
    }
  }

  private boolean take(Step step) {
    if (step.error() != null) {
      throw refused("", step.error());
    }
    if (step.failure() != null) {
      throw step.failure();
    }
    if (step.progress() == null) {
      return false;
    }
    tell(step.progress());
    return true;
  }

  private void tell(PullProgress come) {
    try {
      progress.accept(come);
    } catch (RuntimeException e) {
      if (!complained) {
        complained = true;
        LOG.error("A listener of a pull threw; whatever else it throws is not logged", e);
      }
    }
  }

  /** Secrets go before anything is shortened: half a secret is one too. */
  private PullException refused(String status, String words) {
    return new PullException(
        what + ": the engine said " + status + EngineApi.shortened(auth.redacted(words)));
  }

  // ---- the thread that reads ----

  @Override
  public void read(InputStream body) throws IOException {
    JsonObjects objects = new JsonObjects(body);
    PullMeter meter = new PullMeter();
    PullReport report = objects.next(PullReport::parse);
    for (; report != null; report = objects.next(PullReport::parse)) {
      if (report.error() != null) {
        steps.add(new Step(null, report.error(), null));
        return;
      }
      PullProgress sum = meter.add(report);
      if (steps.size() < MAX_WAITING) {
        steps.add(new Step(withoutSecrets(sum), null, null));
      }
    }
  }

  private PullProgress withoutSecrets(PullProgress sum) {
    return PullProgress.of(sum.transferredBytes(), sum.totalBytes(), auth.redacted(sum.status()));
  }

  @Override
  public void ended(@Nullable GcException failure) {
    steps.add(new Step(null, null, failure));
  }
}
