/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.AccessDeniedException;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Image;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.docker.StubEngine.StubImage;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is asked of the engine to remove an image, and what its answers are taken to mean. */
@Timeout(60)
class RemovalTest extends DaemonTest {
  private static final String DIGEST = "@sha256:" + "d".repeat(64);
  private static final String NO_SPACE = "write /x/.tmp-repositories.json: no space left on device";

  private RemovalResult result;

  private void remove(String id) {
    remove(listed(id));
  }

  private void remove(Image image) {
    daemon.forgetCalls();
    result = runtime.removeImage(image);
  }

  private static String delete(String nameOrId) {
    return "DELETE /images/" + nameOrId + "?noprune=1";
  }

  private static String lookUp(String nameOrId) {
    return "GET /images/" + nameOrId + "/json";
  }

  private void assertResult(RemovalOutcome outcome) {
    assertThat(result.outcome()).as(result.toString()).isEqualTo(outcome);
  }

  private void assertCalls(String... calls) {
    assertThat(daemon.calls()).containsExactly(calls);
  }

  // ---- which calls ----

  @Test
  void oneTag_isOneDeleteById() {
    String id = engine.image("a/b:1").id;

    remove(id);

    assertResult(RemovalOutcome.REMOVED);
    assertCalls(delete(id));
  }

  @Test
  void noName_isOneDeleteById() {
    String id = engine.image().id;

    remove(id);

    assertResult(RemovalOutcome.REMOVED);
    assertCalls(delete(id));
  }

  @Test
  void tagAndDigestOfOneRepository_isOneDeleteById() {
    StubImage image = engine.image("a/b:1");
    image.digests.add("a/b" + DIGEST);

    remove(image.id);

    assertResult(RemovalOutcome.REMOVED);
    assertCalls(delete(image.id));
  }

  @Test
  void severalTags_areOneLookUpAndOneDeleteForEach() {
    String id = engine.image("a/b:1", "c/d:2", "a/b:3").id;

    remove(id);

    assertResult(RemovalOutcome.REMOVED);
    assertCalls(lookUp(id), delete("c/d:2"), delete("a/b:3"), delete(id));
  }

  @Test
  void digestOfAnotherRepository_isTakenOffLast() {
    StubImage image = engine.image("a/b:1", "c/d:2");
    image.digests.add("e/f" + DIGEST);
    image.digests.add("c/d" + DIGEST);

    remove(image.id);

    assertResult(RemovalOutcome.REMOVED);
    // c/d:2 is left for the id, because its digest would go with it and could not be put back.
    assertCalls(lookUp(image.id), delete("a/b:1"), delete("e/f" + DIGEST), delete(image.id));
  }

  @Test
  void digestsOnly_ofOneRepository_isOneDeleteById() {
    StubImage image = engine.image();
    image.digests.add("a/b" + DIGEST);

    remove(image.id);

    assertResult(RemovalOutcome.REMOVED);
    assertCalls(delete(image.id));
  }

  @Test
  void noCall_isEverForced() {
    remove(engine.image("a/b:1", "c/d:2").id);

    assertThat(daemon.calls()).noneMatch(call -> call.contains("force"));
  }

  // ---- what has changed since the listing ----

  @Test
  void imageThatIsGone_isGone() {
    Image one = listed(engine.image("a/b:1").id);
    Image two = listed(engine.image("c/d:1", "c/d:2").id);
    engine.next("GET /images/" + two.id(), StubDaemon.message(404, "No such image"));
    engine.next("DELETE", StubDaemon.message(404, "No such image"));

    remove(one);
    assertResult(RemovalOutcome.GONE);
    assertCalls(delete(one.id().text()));

    remove(two);
    assertResult(RemovalOutcome.GONE);
    assertCalls(lookUp(two.id().text()));
  }

  @Test
  void tagThatHasMoved_staysWithItsNewImage() {
    Image old = listed(engine.image("a/b:1", "c/d:1").id);
    String young = engine.image().id;
    engine.tag(young, "c/d:1");

    remove(old);

    assertResult(RemovalOutcome.REMOVED);
    assertThat(engine.tagsOf(young)).containsExactly("c/d:1");
  }

  @Test
  void nameAddedToAnImageWithSeveral_isLeftAlone() {
    Image image = listed(engine.image("a/b:1", "c/d:1").id);
    engine.tag(image.id().text(), "e/f:1");

    remove(image);

    assertResult(RemovalOutcome.FAILED);
    assertThat(result.detail()).contains("e/f:1");
    assertCalls(lookUp(image.id().text()));
  }

  @Test
  void nameAddedToAnImageWithOne_isRefusedByTheEngine() {
    Image image = listed(engine.image("a/b:1").id);
    engine.tag(image.id().text(), "e/f:1");

    remove(image);

    assertResult(RemovalOutcome.FAILED);
    assertThat(result.detail()).contains("referenced in multiple repositories");
    assertThat(engine.tagsOf(image.id().text())).containsExactlyInAnyOrder("a/b:1", "e/f:1");
  }

  // ---- refusals: everything as before ----

  @Test
  void imageInUse_withOneTag_isRefusedWithOneCall() {
    String id = engine.image("a/b:1").id;
    engine.container(id, "running");

    remove(id);

    assertResult(RemovalOutcome.IN_USE);
    assertThat(result.detail()).contains("being used by running container");
    assertCalls(delete(id));
    assertThat(engine.tagsOf(id)).containsExactly("a/b:1");
  }

  @Test
  void imageInUse_withSeveralTags_getsThemBack() {
    String id = engine.image("a/b:1", "c/d:2", "e/f:3").id;
    engine.container(id, "exited");

    remove(id);

    assertResult(RemovalOutcome.IN_USE);
    assertThat(result.lostReferences()).isEmpty();
    assertThat(engine.tagsOf(id)).containsExactlyInAnyOrder("a/b:1", "c/d:2", "e/f:3");
  }

  @Test
  void parent_withSeveralTags_getsThemBack() {
    String id = engine.image("a/b:1", "c/d:2").id;
    engine.image("child:1").parent = id;

    remove(id);

    assertResult(RemovalOutcome.HAS_CHILDREN);
    assertThat(result.lostReferences()).isEmpty();
    assertThat(engine.tagsOf(id)).containsExactlyInAnyOrder("a/b:1", "c/d:2");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "409 | conflict: unable to delete x (cannot be forced) - image has dependent child images | HAS_CHILDREN",
        "409 | conflict: unable to delete x (must be forced) - image is being used by stopped container y | IN_USE",
        "409 | conflict: unable to delete x (cannot be forced) - image is being used by running container y | IN_USE",
        "409 | conflict: unable to remove repository reference x (must force) - container y is using its referenced image z | IN_USE",
        "409 | image x is in use: image used by y: image is in use by a container: consider listing external containers | IN_USE",
        "409 | conflict: something new | FAILED",
        "500 | unable to delete image x by ID with more than one tag ([a b]): please force removal | FAILED",
        "500 | unrecognized image ID sha256:x | FAILED",
        "500 | layer does not exist | FAILED",
        "400 | invalid reference format | FAILED",
      })
  void refusal_ofAnImageThatIsStillThere(int status, String words, String outcome) {
    String id = engine.image("a/b:1").id;
    engine.next("DELETE", StubDaemon.message(status, words));

    remove(id);

    assertResult(RemovalOutcome.of(outcome));
    assertThat(result.detail()).isEqualTo(words);
  }

  @Test
  void unclearError_whenTheImageIsGone_isGoneAfterOneLookUp() {
    String id = engine.image("a/b:1").id;
    engine.next("DELETE", StubDaemon.message(500, "unrecognized image ID " + id));
    engine.next("GET /images/" + id, StubDaemon.message(404, "No such image"));

    remove(id);

    assertResult(RemovalOutcome.GONE);
    assertCalls(delete(id), lookUp(id));
  }

  @Test
  void denial_isAnExceptionAndPutsNamesBack() {
    String id = engine.image("a/b:1", "c/d:2").id;
    Image image = listed(id);
    engine.next(delete(id), StubDaemon.message(403, "not by you"));

    assertThatThrownBy(() -> runtime.removeImage(image)).isInstanceOf(AccessDeniedException.class);

    assertThat(engine.tagsOf(id)).containsExactlyInAnyOrder("a/b:1", "c/d:2");
  }

  // ---- successes that are none ----

  @Test
  void answerThatOnlyLayersAndOthersAreDeleted_isNotRemoved() {
    String id = engine.image("a/b:1").id;
    engine.next(
        "DELETE", StubDaemon.json(200, "[{\"Deleted\":\"sha256:" + engine.newId() + "\"}]"));

    remove(id);

    assertResult(RemovalOutcome.HAS_CHILDREN);
    assertThat(engine.tagsOf(id)).containsExactly("a/b:1");
  }

  @Test
  void answerWithoutTheImage_whenItIsGone_isRemoved() {
    String id = engine.image("a/b:1").id;
    engine.next("DELETE", StubDaemon.json(200, "[{\"Untagged\":\"docker.io/a/b:1\"}]"));
    engine.next("GET /images/" + id, StubDaemon.message(404, "image not known"));

    remove(id);

    assertResult(RemovalOutcome.REMOVED);
    assertCalls(delete(id), lookUp(id));
  }

  @Test
  void answerThatOnlyUntags_putsTheNameBack() {
    String id = engine.image("a/b:1").id;
    Image image = listed(id);
    engine.next("DELETE", connection -> {
      engine.dropTag("a/b:1");
      StubDaemon.json(200, "[{\"Untagged\":\"a/b:1\"}]").send(connection);
    });

    remove(image);

    assertResult(RemovalOutcome.HAS_CHILDREN);
    assertThat(result.lostReferences()).isEmpty();
    assertThat(engine.tagsOf(id)).containsExactly("a/b:1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"<html>", "{}", "[{\"Deleted\":null}]", "[{\"Deleted\":\"\"}]", ""})
  void answerThatIsNonsense_isUnknownWhileTheImageIsThere(String body) {
    String id = engine.image("a/b:1").id;
    engine.next("DELETE", StubDaemon.json(200, body));

    remove(id);

    assertResult(RemovalOutcome.UNKNOWN);
  }

  // ---- names that cannot be put back ----

  @Test
  void nameThatCannotBePutBack_isReported() {
    String id = engine.image("a/b:1", "c/d:2").id;
    engine.container(id, "running");
    engine.always("POST", StubDaemon.message(500, NO_SPACE));

    remove(id);

    assertResult(RemovalOutcome.IN_USE);
    assertThat(result.lostReferences()).containsExactly("c/d:2");
  }

  @Test
  void digestOfAnotherRepository_cannotBePutBackAndIsReported() {
    StubImage image = engine.image("a/b:1");
    image.digests.add("e/f" + DIGEST);
    engine.container(image.id, "running");

    remove(image.id);

    assertResult(RemovalOutcome.IN_USE);
    assertThat(result.lostReferences()).containsExactly("e/f" + DIGEST);
  }

  @Test
  void nameThatSomebodyTookMeanwhile_isNotTakenFromHim() {
    Image image = listed(engine.image("a/b:1", "c/d:2").id);
    String other = engine.image().id;
    engine.next(delete(image.id().text()), connection -> {
      engine.tag(other, "c/d:2");
      StubDaemon.message(409, "image has dependent child images").send(connection);
    });

    remove(image);

    assertResult(RemovalOutcome.HAS_CHILDREN);
    assertThat(result.lostReferences()).isEmpty();
    assertThat(engine.tagsOf(other)).containsExactly("c/d:2");
  }

  // ---- a full disk ----

  @Test
  void fullDisk_isRepeatedByIdOnce() {
    String id = engine.image("a/b:1").id;
    engine.next("DELETE", StubDaemon.message(500, NO_SPACE));

    remove(id);

    assertResult(RemovalOutcome.REMOVED);
    assertCalls(delete(id), delete(id));
  }

  @Test
  void fullDisk_twice_failsAndPutsTheNameBack() {
    String id = engine.image("a/b:1").id;
    engine.next("DELETE", StubDaemon.message(500, NO_SPACE));
    engine.next("DELETE", StubDaemon.message(500, NO_SPACE));

    remove(id);

    assertResult(RemovalOutcome.FAILED);
    assertThat(result.detail()).contains("no space left on device");
    assertThat(result.lostReferences()).isEmpty();
    assertThat(daemon.calls()).filteredOn(call -> call.startsWith("DELETE")).hasSize(2);
  }

  @Test
  void fullDisk_atAnEarlierName_goesOnWithTheOthers() {
    String id = engine.image("a/b:1", "c/d:2").id;
    Image image = listed(id);
    engine.next(delete("c/d:2"), connection -> {
      engine.dropTag("c/d:2");
      StubDaemon.message(500, NO_SPACE).send(connection);
    });

    remove(image);

    assertResult(RemovalOutcome.REMOVED);
    assertCalls(lookUp(id), delete("c/d:2"), delete(id));
  }

  // ---- no answer ----

  @Test
  void timeout_whenTheImageIsGone_isGone() {
    String id = engine.image("a/b:1").id;
    become(builder().removalTimeout(SHORT));
    Image image = listed(id);
    engine.removeImage("a/b:1");
    engine.next("DELETE", StubDaemon.hang());

    remove(image);

    assertResult(RemovalOutcome.GONE);
    assertThat(result.detail()).contains("no answer came");
    assertCalls(delete(id), lookUp(id));
  }

  @Test
  void timeout_whenTheImageIsThere_isUnknown() {
    String id = engine.image("a/b:1").id;
    become(builder().removalTimeout(SHORT));
    engine.next("DELETE", StubDaemon.hang());

    remove(id);

    assertResult(RemovalOutcome.UNKNOWN);
    assertThat(result.lostReferences()).isEmpty();
    assertCalls(delete(id), lookUp(id));
  }

  @Test
  void timeout_halfWay_isUnknownAndReportsTheNamesThatAreOff() {
    String id = engine.image("a/b:1", "c/d:2").id;
    become(builder().removalTimeout(MEDIUM)); // the first of two is answered
    engine.next(delete(id), StubDaemon.hang());

    remove(id);

    assertResult(RemovalOutcome.UNKNOWN);
    assertThat(result.lostReferences()).containsExactly("c/d:2");
  }

  @Test
  void timeout_whenTheLookUpFailsToo_isTimedOut() {
    Image image = listed(engine.image("a/b:1").id);
    become(builder().removalTimeout(SHORT));
    engine.next("DELETE", StubDaemon.hang());
    engine.next("GET /images/", StubDaemon.closed());

    assertThatThrownBy(() -> runtime.removeImage(image))
        .isInstanceOf(TimedOutException.class)
        .hasMessageContaining("DELETE");
  }

  @Test
  void lostConnection_isLookedUpAndNotRepeated() {
    String id = engine.image("a/b:1").id;
    engine.next("DELETE", StubDaemon.closed());

    remove(id);

    assertResult(RemovalOutcome.UNKNOWN);
    assertCalls(delete(id), lookUp(id));
  }

  @Test
  void engineThatIsAway_isUnreachable() {
    Image image = listed(engine.image("a/b:1").id);
    daemon.close();

    assertThatThrownBy(() -> runtime.removeImage(image)).isInstanceOf(UnreachableException.class);
  }

  @Test
  void interrupt_halfWay_putsNamesBackBeforeItEndsTheCall() throws Exception {
    String id = engine.image("a/b:1", "c/d:2").id;
    Image image = listed(id);
    CountDownLatch asked = new CountDownLatch(1);
    engine.next(delete(id), connection -> {
      asked.countDown();
      connection.hang();
    });
    FutureTask<Boolean> call = new FutureTask<>(() -> {
      assertThatThrownBy(() -> runtime.removeImage(image)).isInstanceOf(CancelledException.class);
      return Thread.currentThread().isInterrupted();
    });
    Thread thread = new Thread(call);
    thread.start();
    asked.await();

    thread.interrupt();

    assertThat(call.get()).isTrue();
    assertThat(engine.tagsOf(id)).containsExactlyInAnyOrder("a/b:1", "c/d:2");
  }

  // ---- odd names ----

  @Test
  void oddCharactersInANameOfTheEngine_areEncoded() {
    String id = engine.image("a/b:1", "odd name?x=1:2").id;

    remove(id);

    assertResult(RemovalOutcome.REMOVED);
    assertThat(daemon.calls()).contains(delete("odd%20name%3Fx%3D1:2"));
  }

  @Test
  void cost_ofARoundOfThree() {
    List<Image> images = List.of(
        listed(engine.image("a/b:1").id),
        listed(engine.image("c/d:1", "c/d:2").id),
        listed(engine.image().id));
    daemon.forgetCalls();

    images.forEach(runtime::removeImage);

    assertThat(daemon.calls()).filteredOn(call -> call.startsWith("DELETE")).hasSize(4);
    assertThat(daemon.calls()).filteredOn(call -> call.startsWith("GET")).hasSize(1);
    assertThat(daemon.calls()).noneMatch(call -> call.contains("system/df"));
  }
}
