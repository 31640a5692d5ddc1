#pragma once

#include <array>
#include <cstdint>
#include <filesystem>

#include "proxytune/datasets/dataset.h"
#include "proxytune/imaging/volume.h"

namespace proxytune::datasets {

/// Generated volumes of two "sites": a textured ellipsoid organ in a body, with blobs as bright
/// as the organ, a background gradient and noise; the sites differ in contrast, noise, spacing
/// and stored orientation. For tests and the demo.
struct PhantomOptions {
  int internal_cases = 12;               // siteA, 1 mm isotropic
  int external_cases = 6;                // siteB, 1.2 x 1.2 x 1.5 mm
  std::array<int, 3> shape{40, 40, 40};  // about, along x, y, z at 1 mm
  int classes = 1;                       // of the organ: 1, or 2 halves
  int channels = 1;
  std::uint64_t seed = 1;
};

template <class Fields>
void describe(Fields& fields, PhantomOptions& options) {
  fields("internal_cases", options.internal_cases, "volumes of siteA");
  fields("external_cases", options.external_cases, "volumes of siteB");
  fields("shape",
         options.shape,
         "about the extents along x, y, z, in mm; each case differs a little");
  fields("classes", options.classes, "classes of the organ: 1, or 2 for its halves");
  fields("channels", options.channels, "channels of an image, of different contrast; 1 to 4");
  fields("seed", options.seed, "equal seeds give equal files");
}

/// Throws core::FieldError.
void validate(const PhantomOptions& options);

enum class PhantomSite { a, b };
struct Phantom {
  imaging::Volume image;
  imaging::LabelVolume label;
};
/// One case; depends on options and position only.
Phantom make_phantom(const PhantomOptions& options, PhantomSite site, int position);

struct PhantomFolders {
  std::filesystem::path internal;  // .../siteA/dataset.json
  std::filesystem::path external;  // .../siteB/dataset.json
};
/// Writes siteA/ and siteB/ in the Decathlon's layout, as .nii.gz; files of these names are
/// replaced. Throws core::SystemError.
PhantomFolders write_phantom(const std::filesystem::path& folder,
                             const PhantomOptions& options);

}  // namespace proxytune::datasets
