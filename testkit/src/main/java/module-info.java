import org.jspecify.annotations.NullMarked;

/** A fake node, a virtual clock and the compatibility kit for engine adapters. */
@NullMarked
module dev.imagegc.testkit {
  requires transitive dev.imagegc.api;
  requires static transitive org.jspecify;

  exports dev.imagegc.testkit;
}
