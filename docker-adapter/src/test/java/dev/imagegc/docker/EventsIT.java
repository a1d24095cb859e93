/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.ImageId;
import dev.imagegc.api.RuntimeEvent;
import dev.imagegc.api.RuntimeEventSource.Subscription;
import dev.imagegc.api.RuntimeEventType;
import dev.imagegc.api.UnreachableException;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The events of real engines, see {@link RealEngine}. */
@ParameterizedClass(name = "{0}")
@MethodSource("dev.imagegc.docker.RealEngine#all")
@Timeout(180)
class EventsIT {
  @Parameter
  RealEngine engine;

  DockerRuntime runtime;

  private final Heard heard = new Heard();

  @BeforeEach
  void connect() {
    engine.empty();
    runtime = DockerRuntime.builder()
        .environment(Map.of())
        .host("unix://" + engine.socket())
        .build();
  }

  @AfterEach
  void empty() {
    runtime.close();
    engine.empty();
  }

  @Test
  void lifeOfAContainer_isToldWithItsImage() {
    ImageId image = ImageId.of(engine.importBusybox("kit/box:1"));
    runtime.subscribe(heard);
    String container = engine.run("kit/box:1", "/bin/busybox", "true");
    engine.await(container);
    engine.removeContainer(container);

    for (RuntimeEventType type : new RuntimeEventType[] {
      RuntimeEventType.CONTAINER_CREATED,
      RuntimeEventType.CONTAINER_STARTED,
      RuntimeEventType.CONTAINER_DIED,
      RuntimeEventType.CONTAINER_REMOVED
    }) {
      RuntimeEvent event = heard.event(type, any -> true);
      assertThat(event.container()).contains(container);
      assertThat(event.image()).contains(image);
      assertThat(event.reference())
          .hasValueSatisfying(name -> assertThat(name).endsWith("kit/box:1"));
    }
  }

  @Test
  void containerWhoseImageLostItsName_isToldRemovedWithItsOwnImage() {
    ImageId image = ImageId.of(engine.importBusybox("kit/box:1"));
    String container = engine.create("kit/box:1", "/bin/busybox", "true");
    engine.takeAway("kit/box:1");
    engine.importImage("kit/box:1", 1000);
    runtime.subscribe(heard);
    engine.removeContainer(container);

    RuntimeEvent event = heard.event(RuntimeEventType.CONTAINER_REMOVED, any -> true);

    assertThat(event.container()).contains(container);
    assertThat(event.image()).contains(image);
  }

  @Test
  void namesOfAnImage_areToldAsTheyComeAndGo() {
    ImageId image = ImageId.of(engine.importImage("kit/a:1", 1000));
    runtime.subscribe(heard);
    engine.tag(image.text(), "kit/b", "2");
    engine.untag("kit/b:2");
    engine.untag("kit/a:1");

    RuntimeEvent tagged = heard.event(
        RuntimeEventType.IMAGE_TAGGED, event -> named(event, engine.written("kit/b:2")));
    assertThat(tagged.image()).contains(image);
    heard.event(RuntimeEventType.IMAGE_UNTAGGED, event -> event.image().equals(Optional.of(image)));
    heard.event(RuntimeEventType.IMAGE_DELETED, event -> event.image().equals(Optional.of(image)));
  }

  private static boolean named(RuntimeEvent event, String name) {
    return event.reference().equals(Optional.of(name));
  }

  @Test
  void whatHappensRightAfterSubscribing_isAlwaysTold() {
    String image = engine.importImage("kit/a:1", 1000);
    for (int i = 0; i < 30; i++) {
      String tag = "t" + i;
      try (Subscription subscription = runtime.subscribe(heard)) {
        engine.tag(image, "kit/b", tag);
        RuntimeEvent event = heard.event(
            RuntimeEventType.IMAGE_TAGGED, any -> named(any, engine.written("kit/b:" + tag)));
        assertThat(event.image()).contains(ImageId.of(image));
      }
    }
  }

  @Test
  void whatHappenedBeforeSubscribing_isNotTold() {
    String image = engine.importImage("kit/a:1", 1000);
    String container = engine.create("kit/a:1");
    engine.removeContainer(container);
    if (engine.isPodman()) {
      Heard before = new Heard(); // it tells late: what is told to one is over for the other
      runtime.subscribe(before);
      engine.tag(image, "kit/b", "0");
      before.event(RuntimeEventType.IMAGE_TAGGED, event -> named(event, engine.written("kit/b:0")));
    }

    runtime.subscribe(heard);
    engine.tag(image, "kit/b", "1");

    assertThat(named(heard.event(), engine.written("kit/b:1"))).isTrue();
  }

  @Test
  void pull_isToldWithItsReferenceAndWithDockerWithItsImage() {
    String tag = RealEngine.registry() + "/events/" + engine.name() + ":1";
    ImageId image = ImageId.of(engine.importImage(tag, 1000));
    engine.push(tag);
    engine.untag(tag);
    runtime.subscribe(heard);

    runtime.pull(tag, Optional.empty(), progress -> {});

    RuntimeEvent event = heard.event(RuntimeEventType.IMAGE_PULLED, any -> named(any, tag));
    if (!engine.isPodman()) {
      assertThat(event.image()).contains(image);
    }
  }

  @Test
  void engineThatStops_endsTheStreamAndIsSubscribedToAgainWhenItIsBack() {
    runtime.subscribe(heard);

    engine.stop();
    try {
      assertThat(heard.end()).isInstanceOf(UnreachableException.class);
    } finally {
      engine.start();
    }

    runtime.subscribe(heard);
    String image = engine.importImage("kit/a:1", 1000);
    engine.tag(image, "kit/b", "1");
    heard.event(RuntimeEventType.IMAGE_TAGGED, event -> named(event, engine.written("kit/b:1")));
  }
}
