/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageReference;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Names and ids of images that must not be collected, because Docker itself reports no pins. */
final class Pins {
  /** The repositories of the image that holds a pod's namespaces, as the usual distributions name them. */
  static final List<String> DEFAULT = List.of(
      "registry.k8s.io/pause",
      "registry.k8s.io/pause-amd64",
      "registry.k8s.io/pause-arm64",
      "k8s.gcr.io/pause",
      "k8s.gcr.io/pause-amd64",
      "k8s.gcr.io/pause-arm64",
      "gcr.io/google_containers/pause",
      "gcr.io/google_containers/pause-amd64",
      "gcr.io/google-containers/pause",
      "gcr.io/google-containers/pause-amd64",
      "gke.gcr.io/pause",
      "mcr.microsoft.com/oss/kubernetes/pause",
      "mcr.microsoft.com/k8s/core/pause",
      "public.ecr.aws/eks-distro/kubernetes/pause",
      "registry.aliyuncs.com/google_containers/pause",
      "rancher/mirrored-pause",
      "rancher/pause",
      "localhost/podman-pause");

  private static final Pattern ID = Pattern.compile("(?:sha256:)?([0-9a-f]{12,64})");

  /** One pin, in each sense that its text may have: pinning more is the safe side of a doubt. */
  private record Pin(String text, Optional<ImageReference> reference, Optional<String> id) {
    boolean covers(Image image) {
      return id.filter(prefix -> withoutPrefix(image.id()).startsWith(prefix)).isPresent()
          || reference.filter(name -> coversName(name, image)).isPresent();
    }

    private static boolean coversName(ImageReference name, Image image) {
      return image.references().stream()
          .map(ImageReference::parse)
          .flatMap(Optional::stream)
          .anyMatch(name::covers);
    }

    private static String withoutPrefix(ImageId id) {
      return id.text().startsWith("sha256:") ? id.text().substring("sha256:".length()) : id.text();
    }
  }

  private final List<Pin> pins;

  private Pins(List<Pin> pins) {
    this.pins = pins;
  }

  /**
   * Understands pins.
   *
   * @throws IllegalArgumentException if one of them is neither a name nor an id
   */
  static Pins of(Collection<String> texts) {
    List<Pin> pins = new ArrayList<>();
    for (String text : texts) {
      var id = ID.matcher(text);
      Pin pin = new Pin(
          text,
          ImageReference.parse(text),
          id.matches() ? Optional.of(id.group(1)) : Optional.empty());
      if (pin.reference().isEmpty() && pin.id().isEmpty()) {
        throw new IllegalArgumentException("pinImages '" + text
            + "': a pin must be a repository (matching all of its tags), a reference or an image"
            + " id, without wildcards");
      }
      pins.add(pin);
    }
    return new Pins(List.copyOf(pins));
  }

  /** Returns why an image is pinned, or empty if it is not. */
  Optional<String> reason(Image image) {
    return pins.stream()
        .filter(pin -> pin.covers(image))
        .findFirst()
        .map(pin -> "pinned by '" + pin.text() + "'");
  }
}
