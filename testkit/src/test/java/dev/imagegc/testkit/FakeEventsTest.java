/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.ContainerState;
import dev.imagegc.api.GcException;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.RuntimeEvent;
import dev.imagegc.api.RuntimeEventListener;
import dev.imagegc.api.RuntimeEventSource;
import dev.imagegc.api.RuntimeEventSource.Subscription;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.testkit.FakeNode.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class FakeEventsTest {
  private final GcException cut = new UnreachableException("cut");

  private final FakeNode node = FakeNode.withDisk(1000);
  private final FakeEvents events = node.events();
  private final RecordedEvents told = new RecordedEvents();

  // What is told

  @Test
  void newImage_isPulledAndTagged_tagByTag() {
    events.subscribe(told);

    node.image("app").tag("app:1").tag("app:2").digest("app@sha256:1").add();
    node.image("nameless").add();

    assertThat(told.take())
        .containsExactly(
            "IMAGE_PULLED image=app reference=app:1",
            "IMAGE_TAGGED image=app reference=app:1",
            "IMAGE_TAGGED image=app reference=app:2",
            "IMAGE_PULLED image=nameless");
  }

  @Test
  void tagThatMoves_isToldOfItsNewImage() {
    node.image("old").tag("app:1").add();
    node.image("young").add();
    events.subscribe(told);

    node.tag("young", "app:1");
    node.untag("app:1");

    assertThat(told.take())
        .containsExactly(
            "IMAGE_TAGGED image=young reference=app:1",
            "IMAGE_UNTAGGED image=young reference=app:1");
  }

  @Test
  void removal_losesEveryNameAndThenTheImage_andTheParentAfterIt() {
    node.image("base").add();
    node.image("app").parent("base").tag("app:1").digest("app@sha256:1").add();
    events.subscribe(told);

    node.runtime().removeImage(Image.builder(ImageId.of("app")).build());

    assertThat(told.take())
        .containsExactly(
            "IMAGE_UNTAGGED image=app reference=app:1",
            "IMAGE_UNTAGGED image=app reference=app@sha256:1",
            "IMAGE_DELETED image=app reference=app:1",
            "IMAGE_DELETED image=base");
  }

  @Test
  void refusedRemoval_tellsNothing() {
    node.image("app").tag("app:1").add();
    node.run("c", "app");
    events.subscribe(told);

    node.runtime().removeImage(Image.builder(ImageId.of("app")).build());

    assertThat(told.take()).isEmpty();
  }

  @Test
  void deletionByOthers_isToldAsARemovalIs() {
    node.image("app").tag("app:1").add();
    events.subscribe(told);

    node.deleteImage("app");

    assertThat(told.take())
        .containsExactly(
            "IMAGE_UNTAGGED image=app reference=app:1", "IMAGE_DELETED image=app reference=app:1");
  }

  @Test
  void container_isToldFromItsCreationToItsRemoval() {
    node.image("app").tag("app:1").add();
    events.subscribe(told);

    node.container("c").image("app").state(ContainerState.CREATED).add();
    assertThat(told.take())
        .containsExactly("CONTAINER_CREATED container=c image=app reference=app:1");
    node.start("c");
    node.start("c"); // runs already
    assertThat(told.take())
        .containsExactly("CONTAINER_STARTED container=c image=app reference=app:1");
    node.exit("c");
    node.exit("c"); // has ended already
    assertThat(told.take()).containsExactly("CONTAINER_DIED container=c image=app reference=app:1");
    node.start("c");
    node.removeContainer("c");

    assertThat(told.take())
        .containsExactly(
            "CONTAINER_STARTED container=c image=app reference=app:1",
            "CONTAINER_DIED container=c image=app reference=app:1",
            "CONTAINER_REMOVED container=c image=app reference=app:1");
  }

  @Test
  void container_keepsItsImageAndTheNameItWasCreatedFrom() {
    node.image("app").tag("app:1").add();
    node.run("c", "app");
    events.subscribe(told);

    node.deleteImage("app");
    node.exit("c");

    assertThat(told.take()).endsWith("CONTAINER_DIED container=c image=app reference=app:1");
  }

  @Test
  void containerThatIsAddedInALaterState_isToldWithWhatLedThere() {
    events.subscribe(told);

    node.container("running").add();
    node.container("ended").state(ContainerState.EXITED).add();

    assertThat(told.take())
        .containsExactly(
            "CONTAINER_CREATED container=running",
            "CONTAINER_STARTED container=running",
            "CONTAINER_CREATED container=ended",
            "CONTAINER_STARTED container=ended",
            "CONTAINER_DIED container=ended");
  }

  @Test
  void changeThatIsRefused_tellsNothing() {
    events.subscribe(told);

    assertThatIllegalArgumentException().isThrownBy(() -> node.exit("unknown"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> node.image("big").size(2000).add());

    assertThat(told.take()).isEmpty();
  }

  @Test
  void start_makesAContainerRunAgain() {
    node.container("c").state(ContainerState.EXITED).add();

    node.start("c");

    assertThat(node.runtime().listContainers().get(0).state()).isEqualTo(ContainerState.RUNNING);
    assertThat(node.runtime().listContainers().get(0).finishedAt()).isEmpty();
    assertThatIllegalArgumentException().isThrownBy(() -> node.start("unknown"));
  }

  // Streams

  @Test
  void streams_tellWhatHappensWhileTheyAreOpen() {
    RecordedEvents second = new RecordedEvents();
    node.image("before").add();
    Subscription first = ((RuntimeEventSource) node.runtime()).subscribe(told);
    node.image("one").add();
    events.subscribe(second);
    node.image("both").add();
    assertThat(events.openStreams()).isEqualTo(2);
    first.close();
    first.close();
    node.image("two").add();

    assertThat(told.take()).containsExactly("IMAGE_PULLED image=one", "IMAGE_PULLED image=both");
    assertThat(second.take()).containsExactly("IMAGE_PULLED image=both", "IMAGE_PULLED image=two");
    assertThat(events.openStreams()).isOne();
    assertThat(node.calls(Operation.SUBSCRIBE)).isEqualTo(2);
  }

  @Test
  void listener_mayChangeTheNodeAndCloseItsStream_eventsStayInOrder() {
    List<String> order = new ArrayList<>();
    Subscription[] own = new Subscription[1];
    own[0] = events.subscribe(new RuntimeEventListener() {
      @Override
      public void onEvent(RuntimeEvent event) {
        order.add("begin " + event);
        if (order.size() == 1) {
          node.image("second").add(); // told when this one has been told
        } else {
          own[0].close();
        }
        order.add("end " + event);
      }

      @Override
      public void onEnd(GcException cause) {
        order.add("end of stream");
      }
    });
    events.subscribe(told);

    node.image("first").add();
    node.image("third").add();

    assertThat(order)
        .containsExactly(
            "begin IMAGE_PULLED image=first",
            "end IMAGE_PULLED image=first",
            "begin IMAGE_PULLED image=second",
            "end IMAGE_PULLED image=second");
    assertThat(told.take())
        .containsExactly(
            "IMAGE_PULLED image=first", "IMAGE_PULLED image=second", "IMAGE_PULLED image=third");
  }

  @Test
  void listenerThatThrows_failsTheChangeLoudly_andTheNextEventsAreTold() {
    RuntimeException broken = new IllegalStateException("broken listener");
    Subscription stream = events.subscribe(new RuntimeEventListener() {
      @Override
      public void onEvent(RuntimeEvent event) {
        throw broken;
      }

      @Override
      public void onEnd(GcException cause) {
        throw broken;
      }
    });
    events.subscribe(told);

    assertThatThrownBy(() -> node.image("first").add()).isSameAs(broken);
    stream.close();
    node.image("second").add();

    assertThat(told.take())
        .containsExactly("IMAGE_PULLED image=first", "IMAGE_PULLED image=second");
  }

  @Test
  void changesOfOtherThreads_doNotWaitForAListener_andAreToldAfterwards() throws Exception {
    CountDownLatch listening = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    ExecutorService thread = Executors.newSingleThreadExecutor();
    events.subscribe(told);
    Subscription slow = events.subscribe(new RuntimeEventListener() {
      @Override
      public void onEvent(RuntimeEvent event) {
        listening.countDown();
        await(goOn);
      }

      @Override
      public void onEnd(GcException cause) {}
    });
    try {
      Future<?> first = thread.submit(() -> node.image("first").add());
      await(listening);
      node.image("second").add();
      assertThat(told.take()).containsExactly("IMAGE_PULLED image=first");

      slow.close();
      goOn.countDown();
      first.get();

      assertThat(told.take()).containsExactly("IMAGE_PULLED image=second");
    } finally {
      thread.shutdownNow();
    }
  }

  // What goes wrong

  @Test
  void cut_endsEveryStreamOnce_andANewOneWorks() {
    Subscription stream = events.subscribe(told);
    RecordedEvents closed = new RecordedEvents();
    events.subscribe(closed).close();

    events.cut(cut);
    events.cut(cut);
    node.image("unheard").add();
    stream.close();
    RecordedEvents next = new RecordedEvents();
    events.subscribe(next);
    node.image("heard").add();

    assertThat(told.take()).containsExactly("end: cut");
    assertThat(closed.take()).isEmpty();
    assertThat(next.take()).containsExactly("IMAGE_PULLED image=heard");
  }

  @Test
  void refuse_failsNewStreamsUntilAllowed_andLeavesOpenOnesAlone() {
    events.subscribe(told);
    events.refuse(cut);
    assertThatThrownBy(() -> events.subscribe(told)).isSameAs(cut);
    assertThatThrownBy(() -> events.subscribe(told)).isSameAs(cut);
    node.image("app").add();
    assertThat(told.take()).containsExactly("IMAGE_PULLED image=app");

    events.allow();
    events.subscribe(told);

    assertThat(events.openStreams()).isEqualTo(2);
  }

  @Test
  void loseNext_losesThatMany() {
    events.subscribe(told);
    events.loseNext(2);

    node.image("app").tag("app:1").tag("app:2").add();

    assertThat(told.take()).containsExactly("IMAGE_TAGGED image=app reference=app:2");
    assertThatIllegalArgumentException().isThrownBy(() -> events.loseNext(-1));
  }

  @Test
  void doubleNext_tellsThatManyTwice() {
    events.subscribe(told);
    events.doubleNext(1);

    node.image("app").add();
    node.image("web").add();

    assertThat(told.take())
        .containsExactly(
            "IMAGE_PULLED image=app", "IMAGE_PULLED image=app", "IMAGE_PULLED image=web");
    assertThatIllegalArgumentException().isThrownBy(() -> events.doubleNext(-1));
  }

  @Test
  void hold_tellsLaterAndInOrder_toThoseWhoListenedWhenItHappened() {
    events.subscribe(told);
    events.hold();
    node.image("app").add();
    node.image("web").add();
    RecordedEvents late = new RecordedEvents();
    events.subscribe(late);
    assertThat(told.take()).isEmpty();

    events.release();
    node.image("next").add();

    assertThat(told.take())
        .containsExactly(
            "IMAGE_PULLED image=app", "IMAGE_PULLED image=web", "IMAGE_PULLED image=next");
    assertThat(late.take()).containsExactly("IMAGE_PULLED image=next");
  }

  @Test
  void streamThatIsClosedWhileEventsAreHeldBack_isToldNothing() {
    Subscription stream = events.subscribe(told);
    events.hold();
    node.image("app").add();

    stream.close();
    events.release();

    assertThat(told.take()).isEmpty();
  }

  @Test
  void cut_whileEventsAreHeldBack_losesThem() {
    events.subscribe(told);
    events.hold();
    node.image("app").add();

    events.cut(cut);
    events.release();

    assertThat(told.take()).containsExactly("end: cut");
  }

  @Test
  void stripImages_leavesOnlyNames() {
    events.subscribe(told);
    events.stripImages();

    node.image("app").tag("app:1").add();
    node.run("c", "app");

    assertThat(told.take())
        .containsExactly(
            "IMAGE_PULLED reference=app:1",
            "IMAGE_TAGGED reference=app:1",
            "CONTAINER_CREATED container=c reference=app:1",
            "CONTAINER_STARTED container=c reference=app:1");
  }

  @Test
  void heal_endsAllOfIt_andTellsWhatWasHeldBack() {
    events.subscribe(told);
    events.refuse(cut);
    events.hold();
    node.image("held").add();
    events.stripImages();
    events.loseNext(9);
    events.doubleNext(9);

    node.faults().heal();
    node.image("app").add();
    events.subscribe(told);

    assertThat(told.take()).containsExactly("IMAGE_PULLED image=held", "IMAGE_PULLED image=app");
  }

  // The engine

  @Test
  void stoppedEngine_failsEveryCallAndEndsTheStreams_andKeepsWhatIsThere() {
    node.image("app").tag("app:1").size(100).add();
    node.run("c", "app");
    events.subscribe(told);

    node.stopEngine();

    assertThat(told.take()).containsExactly("end: the engine of the fake node is stopped");
    Image app = Image.builder(ImageId.of("app")).build();
    List<Runnable> calls = List.of(
        () -> node.runtime().listImages(),
        () -> node.plainRuntime().listContainers(),
        () -> node.runtime().removeImage(app),
        () -> events.subscribe(told),
        () -> node.lookup().findImage("app:1"),
        () -> node.lookup().findImage(app.id()));
    for (Runnable call : calls) {
      assertThatThrownBy(call::run).isInstanceOf(UnreachableException.class);
    }
    assertThat(node.fsStats().imageFs().availableBytes()).hasValue(900);
    node.faults().heal();
    assertThatThrownBy(() -> node.runtime().listImages()).isInstanceOf(UnreachableException.class);
    node.removeContainer("c");

    node.startEngine();
    events.subscribe(told);
    assertThat(node.runtime().listImages()).hasSize(1);
    assertThat(node.runtime().listContainers()).isEmpty();
    assertThat(told.take()).isEmpty();
  }

  @Test
  void stopEngine_endsCallsThatHang_andNotTheMeasure() throws Exception {
    ExecutorService threads = Executors.newCachedThreadPool();
    try {
      node.faults().hangNext(Operation.LIST_IMAGES);
      node.faults().hangNext(Operation.MEASURE);
      Future<?> listing = threads.submit(() -> node.runtime().listImages());
      Future<?> measure = threads.submit(() -> node.fsStats().imageFs());
      awaitHung(2);

      node.stopEngine();

      assertThatThrownBy(listing::get).hasCauseInstanceOf(UnreachableException.class);
      assertThat(node.clock().hungCalls()).isOne();
      node.faults().releaseHung();
      measure.get();
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void engineThatStopsWhileACallIsOnItsWay_failsTheCallWithoutEffect() {
    node.image("app").add();
    node.faults().beforeNext(Operation.REMOVE_IMAGE, node::stopEngine);

    assertThatThrownBy(
            () -> node.runtime().removeImage(Image.builder(ImageId.of("app")).build()))
        .isInstanceOf(UnreachableException.class);

    assertThat(node.hasImage("app")).isTrue();
  }

  @Test
  void plainRuntime_hasNoAbilities_andIsTheSameEngine() {
    node.image("app").add();

    assertThat(node.plainRuntime()).isNotInstanceOf(RuntimeEventSource.class);
    assertThat(node.plainRuntime().listImages()).isEqualTo(node.runtime().listImages());
    assertThat(node.calls(Operation.LIST_IMAGES)).isEqualTo(2);
  }

  private void awaitHung(int calls) {
    while (node.clock().hungCalls() < calls) {
      Thread.onSpinWait();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
