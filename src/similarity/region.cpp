#include "proxytune/similarity/region.h"

#include "proxytune/core/error.h"
#include "proxytune/imaging/transforms.h"

namespace proxytune::similarity {

imaging::Volume label_cube(const Subject& subject, int edge) {
  if (!(subject.image.shape == subject.label.shape))
    throw core::DataError("the label of " + subject.name +
                          " has another shape than its image, so it cannot be cropped to it.");
  const auto box = imaging::label_box(subject.label);
  if (!box)
    throw core::DataError(
        "the label of " + subject.name +
        " has no foreground, so there is nothing to crop to. Leave the case out, "
        "correct its label, or compare without the label crop.");
  return imaging::resize_trilinear(subject.image, *box, {edge, edge, edge});
}

}  // namespace proxytune::similarity
