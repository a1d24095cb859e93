/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.AccessDeniedException;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.GcException;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.RuntimeEvent;
import dev.imagegc.api.RuntimeEventListener;
import dev.imagegc.api.RuntimeEventSource.Subscription;
import dev.imagegc.api.RuntimeEventType;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.api.UnreachableException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The stream of events: what is told, in which order, and how it ends. */
@Timeout(60)
class EventsTest extends DaemonTest {
  private static final String C1 = "c1".repeat(32);
  private static final String ID = "0a".repeat(32);

  private final Heard heard = new Heard();

  private StubStream subscribed() {
    runtime.subscribe(heard);
    return engine.streams().get(engine.streams().size() - 1);
  }

  private static String container(String action, String id, String image) {
    return "{\"Type\":\"container\",\"Action\":\"" + action + "\",\"Actor\":{\"ID\":\"" + id
        + "\",\"Attributes\":{\"image\":\"" + image + "\",\"name\":\"n\"}},\"time\":1}";
  }

  private static String image(String action, String id, String name) {
    return "{\"Type\":\"image\",\"Action\":\"" + action + "\",\"Actor\":{\"ID\":\"" + id
        + "\",\"Attributes\":{\"name\":\"" + name + "\"}}}";
  }

  // ---- what is told ----

  @Test
  void lifeOfAContainer_isToldWithItsImageThroughout() {
    subscribed();
    String image = engine.image("any/name:1").id;
    String container = engine.container(image, "exited");

    assertThat(heard.event().type()).isEqualTo(RuntimeEventType.IMAGE_PULLED);
    assertThat(heard.event().type()).isEqualTo(RuntimeEventType.IMAGE_TAGGED);
    assertThat(heard.event()).isEqualTo(of(RuntimeEventType.CONTAINER_CREATED, container, image));
    assertThat(heard.event()).isEqualTo(of(RuntimeEventType.CONTAINER_STARTED, container, image));
    assertThat(heard.event()).isEqualTo(of(RuntimeEventType.CONTAINER_DIED, container, image));
    engine.removeContainer(container);
    assertThat(heard.event()).isEqualTo(of(RuntimeEventType.CONTAINER_REMOVED, container, image));
  }

  private static RuntimeEvent of(RuntimeEventType type, String container, String image) {
    return RuntimeEvent.builder(type)
        .container(container)
        .image(ImageId.of(image))
        .reference("any/name:1")
        .build();
  }

  @Test
  void container_isAskedForItsImageOnce() {
    StubStream stream = subscribed();
    String image = engine.image().id;
    engine.next("GET /containers/" + C1, StubDaemon.json(200, "{\"Image\":\"" + image + "\"}"));
    heard.event();
    stream
        .send(container("create", C1, "a/b:1"))
        .send(container("start", C1, "a/b:1"))
        .send(container("die", C1, "a/b:1"))
        .send(container("destroy", C1, "a/b:1"));

    for (int i = 0; i < 4; i++) {
      assertThat(heard.event().image()).contains(ImageId.of(image));
    }
    assertThat(daemon.calls())
        .filteredOn(call -> call.startsWith("GET /containers/c1"))
        .hasSize(1);
  }

  @Test
  void containerThatWasThereBefore_isToldWithItsImageAlsoWhenItIsGone() {
    String image = engine.image("a/b:1").id;
    String container = engine.container(image, "exited");
    subscribed();
    engine.removeContainer(container);

    RuntimeEvent event = heard.event();

    assertThat(event.type()).isEqualTo(RuntimeEventType.CONTAINER_REMOVED);
    assertThat(event.image()).contains(ImageId.of(image));
  }

  @Test
  void containerThatIsGoneBeforeItCanBeAskedFor_isToldWithTheImageThatItsReferenceMeans() {
    StubStream stream = subscribed();
    String image = engine.image("a/b:1").id;
    stream.send(container("create", C1, "a/b:1")).send(container("destroy", C1, "a/b:1"));

    assertThat(heard.event(RuntimeEventType.CONTAINER_CREATED, event -> true).image())
        .contains(ImageId.of(image));
    assertThat(heard.event().image()).contains(ImageId.of(image));
  }

  @Test
  void containerThatWasNeverSeen_isNotToldRemovedWithWhatItsNameMeansNow() {
    StubStream stream = subscribed();
    engine.image("a/b:1");
    stream.send(container("destroy", C1, "a/b:1"));

    RuntimeEvent event = heard.event(RuntimeEventType.CONTAINER_REMOVED, any -> true);

    assertThat(event.image()).isEmpty();
    assertThat(event.reference()).contains("a/b:1");
  }

  @Test
  void containerThatWasMadeByAnId_isToldWithThatIdAndNoReference() {
    subscribed().send(container("create", C1, "sha256:" + ID));

    RuntimeEvent event = heard.event();

    assertThat(event.image()).contains(ImageId.of(ID));
    assertThat(event.reference()).isEmpty();
  }

  @Test
  void engineThatDoesNotAnswerLookUps_isToldWithReferencesOnly() {
    become(builder().callTimeout(MEDIUM));
    StubStream stream = subscribed();
    engine.always("GET /containers/", StubDaemon.hang());
    engine.always("GET /images/", StubDaemon.message(500, "broken"));
    stream.send(container("start", C1, "a/b:1")).send(image("pull", "a/b:1", "a/b"));

    RuntimeEvent started = heard.event();
    assertThat(started.image()).isEmpty();
    assertThat(started.container()).contains(C1);
    assertThat(started.reference()).contains("a/b:1");
    assertThat(heard.event().reference()).contains("a/b:1");
  }

  @Test
  void slowLookUp_keepsTheOrder() {
    StubStream stream = subscribed();
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    engine.always("GET /containers/" + C1, connection -> {
      asked.countDown();
      answer.await();
      StubDaemon.json(200, "{\"Image\":\"" + ID + "\"}").send(connection);
    });
    stream.send(container("create", C1, "a/b:1")).send(image("tag", "sha256:" + ID, "a/b:2"));
    await(asked);
    assertThat(heard.isEmpty()).isTrue();
    answer.countDown();

    assertThat(heard.event().type()).isEqualTo(RuntimeEventType.CONTAINER_CREATED);
    assertThat(heard.event().type()).isEqualTo(RuntimeEventType.IMAGE_TAGGED);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void pull_isToldWithTheImageThatTheReferenceMeans() {
    String image = engine.image("a/b:1").id;
    subscribed().send(image("pull", "a/b:1", "a/b"));

    RuntimeEvent event = heard.event();

    assertThat(event.type()).isEqualTo(RuntimeEventType.IMAGE_PULLED);
    assertThat(event.reference()).contains("a/b:1");
    assertThat(event.image()).contains(ImageId.of(image));
    assertThat(event.container()).isEmpty();
  }

  @Test
  void dockersDialect_isUnderstood() {
    StubStream stream = subscribed();
    stream.send(image("tag", "sha256:" + ID, "a/b:1"));
    stream.send(image("import", "sha256:" + ID, "sha256:" + ID));
    stream.send(image("load", "sha256:" + ID, "a/b:1"));
    stream.send(image("create", "sha256:" + ID, "sha256:" + ID)); // a build, API 1.46
    stream.send(image("untag", "sha256:" + ID, "sha256:" + ID)); // overlay2
    stream.send(image("untag", "sha256:" + ID, "a/b:1")); // containerd store
    stream.send(image("untag", "sha256:" + ID, "a/b@sha256:" + ID));
    stream.send(image("delete", "sha256:" + ID, "sha256:" + ID));

    told(RuntimeEventType.IMAGE_TAGGED, "a/b:1");
    told(RuntimeEventType.IMAGE_PULLED, null);
    told(RuntimeEventType.IMAGE_PULLED, "a/b:1");
    told(RuntimeEventType.IMAGE_PULLED, null);
    told(RuntimeEventType.IMAGE_UNTAGGED, null);
    told(RuntimeEventType.IMAGE_UNTAGGED, "a/b:1");
    told(RuntimeEventType.IMAGE_UNTAGGED, "a/b@sha256:" + ID);
    told(RuntimeEventType.IMAGE_DELETED, null);
  }

  @Test
  void podmansDialect_isUnderstood() {
    String pulled = engine.image("docker.io/a/b:1").id;
    StubStream stream = subscribed();
    stream.send(image("tag", ID, "docker.io/a/b:2"));
    stream.send(image("build", "", ID));
    stream.send(image("untag", ID, "docker.io/a/b:2"));
    stream.send(image("delete", ID, "docker.io/a/b:2"));
    stream.send(image("remove", ID, "docker.io/a/b:2"));
    stream.send(image("pull", "", "docker.io/a/b:1"));
    stream.send(image("loadfromarchive", "", "/var/tmp/api_load.tar946714929"));
    stream.send(container("died", C1, "sha256:" + ID));
    stream.send(container("remove", C1, "sha256:" + ID));

    told(RuntimeEventType.IMAGE_TAGGED, "docker.io/a/b:2");
    told(RuntimeEventType.IMAGE_PULLED, null);
    told(RuntimeEventType.IMAGE_UNTAGGED, "docker.io/a/b:2");
    told(RuntimeEventType.IMAGE_DELETED, "docker.io/a/b:2");
    told(RuntimeEventType.IMAGE_DELETED, "docker.io/a/b:2");
    assertThat(heard.event().image()).contains(ImageId.of(pulled));
    assertThat(heard.event())
        .isEqualTo(RuntimeEvent.builder(RuntimeEventType.IMAGE_PULLED).build());
    told(RuntimeEventType.CONTAINER_DIED, null);
    told(RuntimeEventType.CONTAINER_REMOVED, null);
  }

  private void told(RuntimeEventType type, String reference) {
    RuntimeEvent event = heard.event();
    assertThat(event.type()).isEqualTo(type);
    assertThat(event.image()).contains(ImageId.of(ID));
    assertThat(event.reference().orElse(null)).isEqualTo(reference);
  }

  @Test
  void thousandsOfOtherEvents_areSkippedWithoutAQuestion() {
    StubStream stream = subscribed();
    daemon.forgetCalls();
    for (int i = 0; i < 10_000; i++) {
      stream.send(container("exec_create: /bin/sh -c check", C1, "a/b:1"));
    }
    stream.send(container("health_status: healthy", C1, "a/b:1"));
    stream.send("{\"Type\":\"network\",\"Action\":\"create\",\"Actor\":null}");
    stream.send(image("push", "a/b:1", "a/b")).send(image("tag", ID, "a/b:1"));

    assertThat(heard.event().type()).isEqualTo(RuntimeEventType.IMAGE_TAGGED);
    assertThat(daemon.calls()).filteredOn(call -> !call.endsWith("json?all=1")).isEmpty();
  }

  @Test
  void objectsCutIntoPieces_areReadWhole() {
    StubStream stream = subscribed();
    String brackets =
        "{\"}{\\\"\":\"\\\\\",\"Type\":"; // a name and a value that only look like ends
    String two = image("tag", ID, "a/b:1").replace("{\"Type\":", brackets) + "\r\n\n "
        + image("untag", ID, "a/b:2");
    for (int i = 0; i < two.length(); i += 3) {
      stream.send(two.substring(i, Math.min(two.length(), i + 3)));
    }

    told(RuntimeEventType.IMAGE_TAGGED, "a/b:1");
    told(RuntimeEventType.IMAGE_UNTAGGED, "a/b:2");
  }

  // ---- what is asked ----

  @Test
  void subscribe_asksForWhatItUnderstandsFromTheEnginesTimeOn() {
    subscribed();

    String asked = daemon.calls().stream()
        .filter(call -> call.startsWith("GET /events"))
        .map(call -> URLDecoder.decode(call, StandardCharsets.UTF_8))
        .findFirst()
        .orElseThrow();

    assertThat(asked)
        .startsWith("GET /events?filters={\"type\":[\"container\",\"image\"],\"event\":[")
        .contains("\"create\"", "\"destroy\"", "\"remove\"", "\"died\"", "\"pull\"", "\"build\"")
        .doesNotContain("exec")
        .endsWith("&since=1767323045.600000000");
  }

  @Test
  void podman_isNotGivenATime() {
    engine.next(
        "GET /info",
        StubDaemon.json(
            200, "{\"BuildahVersion\":\"1.28.2\",\"SystemTime\":\"2026-01-02T03:04:05Z\"}"));

    subscribed();

    assertThat(daemon.calls())
        .filteredOn(call -> call.startsWith("GET /events"))
        .singleElement()
        .asString()
        .doesNotContain("since");
  }

  @Test
  void engineWithoutAReadableTime_isAskedWithoutOne() {
    engine.next("GET /info", StubDaemon.json(200, "{\"SystemTime\":\"yesterday\"}"));

    StubStream stream = subscribed();

    stream.send(image("tag", ID, "a/b:1"));
    told(RuntimeEventType.IMAGE_TAGGED, "a/b:1");
  }

  // ---- how it begins and ends ----

  @Test
  void refusal_isThrownAndNothingIsTold() {
    engine.next("GET /events", StubDaemon.message(403, "denied by plugin"));
    assertThatThrownBy(() -> runtime.subscribe(heard))
        .isInstanceOf(AccessDeniedException.class)
        .hasMessageContaining("denied by plugin");
    engine.next("GET /events", StubDaemon.message(500, "broken"));
    assertThatThrownBy(() -> runtime.subscribe(heard)).isInstanceOf(UnreachableException.class);
    engine.next("GET /events", StubDaemon.message(404, "page not found"));
    assertThatThrownBy(() -> runtime.subscribe(heard)).isInstanceOf(ProtocolException.class);

    assertThat(heard.isEmpty()).isTrue();
  }

  @Test
  void headThatDoesNotCome_timesOut() {
    become(builder().callTimeout(SHORT));
    engine.always("GET /events", StubDaemon.hang());

    assertThatThrownBy(() -> runtime.subscribe(heard)).isInstanceOf(TimedOutException.class);
  }

  @Test
  void noEngine_isUnreachable() {
    daemon.close();

    assertThatThrownBy(() -> runtime.subscribe(heard)).isInstanceOf(UnreachableException.class);
  }

  @Test
  void streamThatIsSilentForLongerThanAnyDeadline_lives() {
    become(builder().callTimeout(MEDIUM).listTimeout(MEDIUM, MEDIUM, MEDIUM));
    StubStream stream = subscribed();
    engine.next("GET /containers/json", StubDaemon.hang());
    assertThatThrownBy(runtime::listContainers).isInstanceOf(TimedOutException.class);

    stream.send(image("tag", ID, "a/b:1"));

    told(RuntimeEventType.IMAGE_TAGGED, "a/b:1");
  }

  @Test
  void cutConnection_endsAsUnreachable() {
    subscribed().send(image("tag", ID, "a/b:1")).cut();

    told(RuntimeEventType.IMAGE_TAGGED, "a/b:1");
    assertThat(heard.end()).isInstanceOf(UnreachableException.class);
  }

  @Test
  void connectionCutWithinAnEvent_endsAsUnreachableWithoutThatEvent() {
    subscribed().send(image("tag", ID, "a/b:1").substring(0, 80)).cut();

    assertThat(heard.end()).isInstanceOf(UnreachableException.class);
  }

  @Test
  void engineThatStops_endsAsUnreachable() {
    subscribed();
    daemon.close();

    assertThat(heard.end()).isInstanceOf(UnreachableException.class);
  }

  @Test
  void engineThatEndsTheStreamInGoodOrder_endsAsUnreachable() {
    subscribed().end();

    assertThat(heard.end())
        .isInstanceOf(UnreachableException.class)
        .hasMessageContaining("has ended the stream");
  }

  @Test
  void afterTheEnd_theSameRuntimeSubscribesAgain() {
    subscribed().cut();
    heard.end();

    subscribed().send(image("tag", ID, "a/b:1"));

    told(RuntimeEventType.IMAGE_TAGGED, "a/b:1");
  }

  @Test
  void whatIsNoEvent_endsAsAProtocolError() {
    for (String nonsense : new String[] {
      "garbage",
      "[1]",
      "{\"a\":1 \"b\"}",
      "{}",
      "{\"Type\":\"image\"}",
      "{\"Type\":1,\"Action\":\"tag\"}",
      "{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{}}",
      "{\"Type\":\"image\",\"Type\":\"image\",\"Action\":\"tag\"}"
    }) {
      subscribed().send(nonsense);

      assertThat(heard.end()).as(nonsense).isInstanceOf(ProtocolException.class);
    }
  }

  @Test
  void streamThatEndsWithinAnEvent_endsAsAProtocolError() {
    subscribed().send("{\"Type\":\"image\",").end();

    assertThat(heard.end()).isInstanceOf(ProtocolException.class);
  }

  @Test
  void eventWithoutEnd_endsAsAProtocolErrorBeforeItFillsTheMemory() {
    StubStream stream = subscribed().send("{\"Type\":\"");
    String part = "x".repeat(64 * 1024);
    for (int i = 0; i < 17; i++) {
      stream.send(part);
    }

    assertThat(heard.end()).isInstanceOf(ProtocolException.class);
  }

  @Test
  void listenerThatIsTooSlow_losesTheStreamAndNothingUnnoticed() throws Exception {
    CountDownLatch first = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    StubStream[] stream = new StubStream[1];
    runtime.subscribe(new RuntimeEventListener() {
      @Override
      public void onEvent(RuntimeEvent event) {
        first.countDown();
        await(goOn);
        heard.onEvent(event);
      }

      @Override
      public void onEnd(GcException cause) {
        heard.onEnd(cause);
      }
    });
    stream[0] = engine.streams().get(0);
    stream[0].send(image("tag", ID, "a/b:0"));
    await(first);
    for (int i = 1; i <= EventStream.MAX_WAITING + 1; i++) {
      stream[0].send(image("tag", ID, "a/b:" + i));
    }
    stream[0].awaitClosedByClient();
    goOn.countDown();

    for (int i = 0; i <= EventStream.MAX_WAITING; i++) {
      assertThat(heard.event().reference()).contains("a/b:" + i);
    }
    assertThat(heard.end()).isInstanceOf(TimedOutException.class);
  }

  @Test
  void eventsThatWaitAtTheEnd_areToldInOrderWithoutAQuestion() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    engine.always("GET /images/", connection -> {
      asked.countDown();
      answer.await();
      StubDaemon.message(404, "No such image").send(connection);
    });
    StubStream stream = subscribed();
    stream.send(image("pull", "a/b:0", "a/b"));
    await(asked);
    for (int i = 1; i <= EventStream.MAX_WAITING + 1; i++) {
      stream.send(image("pull", "a/b:" + i, "a/b"));
    }
    stream.awaitClosedByClient();
    answer.countDown();

    for (int i = 0; i <= EventStream.MAX_WAITING; i++) {
      assertThat(heard.event().reference()).contains("a/b:" + i);
    }
    assertThat(heard.end()).isInstanceOf(TimedOutException.class);
    assertThat(daemon.calls())
        .filteredOn(call -> call.startsWith("GET /images/"))
        .hasSize(1);
  }

  @Test
  void containersThatWaitAtTheEnd_areToldWithTheImageThatIsKnown() throws Exception {
    String image = engine.image("any/name:1").id;
    String known = engine.container(image, "running");
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    engine.always("GET /containers/" + C1, connection -> {
      asked.countDown();
      answer.await();
      StubDaemon.message(404, "No such container").send(connection);
    });
    StubStream stream = subscribed();
    stream.send(container("start", C1, image));
    await(asked); // after the end nothing is asked for
    stream
        .send(container("die", known, "any/name:1"))
        .send(container("destroy", known, "any/name:1"))
        .send(container("start", "c2".repeat(32), "any/name:1"))
        .send("[");
    stream.awaitClosedByClient();
    answer.countDown();

    assertThat(heard.event().image()).contains(ImageId.of(image));
    assertThat(heard.event()).isEqualTo(of(RuntimeEventType.CONTAINER_DIED, known, image));
    assertThat(heard.event()).isEqualTo(of(RuntimeEventType.CONTAINER_REMOVED, known, image));
    RuntimeEvent unknown = heard.event();
    assertThat(unknown.image()).isEmpty();
    assertThat(unknown.reference()).contains("any/name:1");
    assertThat(heard.end()).isInstanceOf(ProtocolException.class);
  }

  @Test
  void listenerThatThrows_hearsOn() {
    List<String> logs = RecordingLogs.record();
    int[] thrown = new int[1];
    runtime.subscribe(new RuntimeEventListener() {
      @Override
      public void onEvent(RuntimeEvent event) {
        if (thrown[0]++ < 2) {
          Thread.currentThread().interrupt();
          throw new IllegalStateException("of the host");
        }
        heard.onEvent(event);
      }

      @Override
      public void onEnd(GcException cause) {
        heard.onEnd(cause);
      }
    });
    engine
        .streams()
        .get(0)
        .send(image("tag", ID, "a/b:1"))
        .send(image("tag", ID, "a/b:1"))
        .send(image("tag", ID, "a/b:2"))
        .cut();

    told(RuntimeEventType.IMAGE_TAGGED, "a/b:2");
    assertThat(heard.end()).isInstanceOf(UnreachableException.class);
    RecordingLogs.stop();
    assertThat(logs)
        .filteredOn(line -> line.contains("A listener of events threw"))
        .hasSize(1);
  }

  @Test
  void close_whileTheStreamIsIdle_closesTheConnectionAndTellsNoEnd() throws Exception {
    Subscription subscription = runtime.subscribe(heard);
    StubStream stream = engine.streams().get(0).send(image("tag", ID, "a/b:1"));
    heard.event();

    subscription.close();
    subscription.close();

    stream.awaitClosedByClient();
    heard.thread().join();
    assertThat(heard.isEmpty()).isTrue();
  }

  @Test
  void close_whileAnImageIsLookedUp_endsTheThreadAtOnceAndTellsNothing() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    Subscription subscription = runtime.subscribe(heard);
    StubStream stream = engine.streams().get(0).send(image("tag", ID, "a/b:1"));
    heard.event();
    engine.always("GET /containers/" + C1, connection -> {
      asked.countDown();
      connection.hang();
    });
    stream.send(container("create", C1, "a/b:1"));
    await(asked);

    subscription.close();

    heard.thread().join();
    assertThat(heard.isEmpty()).isTrue();
  }

  @Test
  void close_byTheListener_tellsNothingMore() throws Exception {
    Subscription[] subscription = new Subscription[1];
    CountDownLatch subscribed = new CountDownLatch(1);
    subscription[0] = runtime.subscribe(new RuntimeEventListener() {
      @Override
      public void onEvent(RuntimeEvent event) {
        await(subscribed);
        heard.onEvent(event);
        subscription[0].close();
      }

      @Override
      public void onEnd(GcException cause) {
        heard.onEnd(cause);
      }
    });
    subscribed.countDown();
    engine.streams().get(0).send(image("tag", ID, "a/b:1")).send(image("tag", ID, "a/b:2"));

    heard.event();

    heard.thread().join();
    assertThat(heard.isEmpty()).isTrue();
  }

  @Test
  void closeOfTheRuntime_endsAllStreamsAsCancelled() {
    Heard other = new Heard();
    runtime.subscribe(heard);
    runtime.subscribe(other);

    runtime.close();

    assertThat(heard.end()).isInstanceOf(CancelledException.class);
    assertThat(other.end()).isInstanceOf(CancelledException.class);
    assertThatThrownBy(() -> runtime.subscribe(heard)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void twoSubscriptions_hearTheSameAndEndAlone() {
    Heard other = new Heard();
    Subscription first = runtime.subscribe(heard);
    runtime.subscribe(other);
    engine.image("a/b:1");
    assertThat(heard.event()).isEqualTo(other.event());
    first.close();

    engine.tag(engine.image().id, "a/b:2");

    other.event(
        RuntimeEventType.IMAGE_TAGGED, event -> event.reference().equals(Optional.of("a/b:2")));
  }

  @Test
  void streams_areReadAndToldByDaemonThreads() {
    subscribed().send(image("tag", ID, "a/b:1"));
    heard.event();

    assertThat(Thread.getAllStackTraces().keySet())
        .filteredOn(thread -> thread.getName().startsWith("imagegc-docker"))
        .hasSizeGreaterThanOrEqualTo(2)
        .allMatch(Thread::isDaemon);
  }
}
