#pragma once

#include <span>
#include <string>

#include "proxytune/core/names.h"

namespace proxytune::similarity {

enum class Metric {
  mutual_information,
  normalized_cross_correlation,
  global_cross_correlation,
  mean_squared_difference
};
inline constexpr core::Name<Metric> names_of_metric[] = {
    {Metric::mutual_information, "mutual_information"},
    {Metric::normalized_cross_correlation, "normalized_cross_correlation"},
    {Metric::global_cross_correlation, "global_cross_correlation"},
    {Metric::mean_squared_difference, "mean_squared_difference"},
};
constexpr std::span<const core::Name<Metric>> names(Metric) {
  return names_of_metric;
}

/// What of a volume is compared: all of it (x_i resampled to the grid of x_j), or the bounding
/// box of its label resampled to a cube ("Labelcrop" of the paper's Table 1).
enum class Crop { none, label };
inline constexpr core::Name<Crop> names_of_crop[] = {{Crop::none, "none"},
                                                     {Crop::label, "label"}};
constexpr std::span<const core::Name<Crop>> names(Crop) {
  return names_of_crop;
}

/// What a window without contrast in either image counts, where Eq. 2 is 0/0.
enum class FlatWindows { zero, one, skip };
inline constexpr core::Name<FlatWindows> names_of_flat_windows[] = {
    {FlatWindows::zero, "zero"}, {FlatWindows::one, "one"}, {FlatWindows::skip, "skip"}};
constexpr std::span<const core::Name<FlatWindows>> names(FlatWindows) {
  return names_of_flat_windows;
}

/// Windows reach over the border into zeros, or stay inside.
enum class Border { zero_padded, interior };
inline constexpr core::Name<Border> names_of_border[] = {{Border::zero_padded, "zero_padded"},
                                                         {Border::interior, "interior"}};
constexpr std::span<const core::Name<Border>> names(Border) {
  return names_of_border;
}

/// Where pairs are compared: on a GPU wherever the program was built for one and one is there.
enum class Device { automatic, cpu, cuda };
inline constexpr core::Name<Device> names_of_device[] = {
    {Device::automatic, "auto"}, {Device::cpu, "cpu"}, {Device::cuda, "cuda"}};
constexpr std::span<const core::Name<Device>> names(Device) {
  return names_of_device;
}

/// How two volumes are compared. Which metric and crop is said by each arm.
struct SimilarityOptions {
  int bins = 64;
  bool miller_madow = false;
  bool normalised = false;
  int window = 9;
  FlatWindows flat_windows = FlatWindows::zero;
  Border border = Border::zero_padded;
  int cube = 64;
  bool include_self = true;
  int sampled_pairs = 0;
  int tile = 0;
  int memory = 1024;
  int threads = 1;
  Device device = Device::automatic;
  int device_memory = 0;
  bool operator==(const SimilarityOptions&) const = default;
};

template <class Fields>
void describe(Fields& fields, SimilarityOptions& options) {
  fields("bins",
         options.bins,
         "joint-histogram bins per axis of the mutual information, 2 to 256");
  fields(
      "miller_madow",
      options.miller_madow,
      "whether the mutual information takes off the upward bias of its histograms (Miller and "
      "Madow: occupied cells minus 1 over 2N, for each entropy)");
  fields(
      "normalised",
      options.normalised,
      "whether the mutual information is divided by the mean of the two entropies, to lie in 0 "
      "to 1");
  fields("window", options.window, "edge of the local NCC window, in voxels; odd, 3 to 21");
  fields("flat_windows",
         options.flat_windows,
         "what an NCC window without contrast counts: zero (MONAI since 1.1), one (MONAI of "
         "2021), "
         "or skip it");
  fields("border",
         options.border,
         "NCC windows at the border: zero_padded as in MONAI, or only those inside the volume");
  fields("sampled_pairs",
         options.sampled_pairs,
         "for sets too large for all pairs: how many others, drawn at random, each volume is "
         "compared with; 0: all. Importances are then estimates with an interval, and no "
         "matrix is "
         "written");
  fields("cube", options.cube, "edge of the cube that a label crop is resampled to, in voxels");
  fields("include_self",
         options.include_self,
         "whether a volume's importance averages over the pair with itself, as in the paper");
  fields("tile",
         options.tile,
         "edge of a tile of the pair matrix, in volumes; 0: a twelfth of the set, in steps of "
         "8 up to "
         "64; "
         "no result depends on it");
  fields(
      "memory",
      options.memory,
      "MiB that a rank may fill with images made ready for comparing; no result depends on it");
  fields("threads",
         options.threads,
         "threads of a rank that compare pairs; no result depends on them");
  fields("device",
         options.device,
         "where mutual information and local NCC are computed: on a GPU (cuda), on the "
         "processor (cpu), or on a GPU where the program was built for one and one is visible "
         "(auto). A node's ranks take its GPUs in turn; no result depends on it");
  fields("device_memory",
         options.device_memory,
         "MiB of its GPU's memory that a rank may fill with images made ready for comparing; "
         "0: its share of four fifths; no result depends on it");
}

/// Throws core::FieldError.
void validate(const SimilarityOptions& options);

}  // namespace proxytune::similarity
