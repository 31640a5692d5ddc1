#include "proxytune/similarity/options.h"

#include "proxytune/core/error.h"

namespace proxytune::similarity {
namespace {

[[noreturn]] void refuse(const std::string& field, int value, const std::string& why) {
  throw core::FieldError(field, "is " + std::to_string(value) + ", but " + why);
}

}  // namespace

void validate(const SimilarityOptions& options) {
  if (options.bins < 2 || options.bins > 256)
    refuse("bins",
           options.bins,
           "a histogram code is one byte. Use 2 to 256 bins per axis; the default is 64.");
  if (options.window < 3 || options.window % 2 == 0)
    refuse("window",
           options.window,
           "the window needs a centre voxel. Use an odd edge of 3 or more; the paper uses 9.");
  if (options.window > 21)
    refuse("window",
           options.window,
           "a window of that size is no longer local. Use an odd edge of 3 to 21; the paper "
           "uses 9.");
  if (options.cube < 2 || options.cube > 1024)
    refuse("cube",
           options.cube,
           "the cube of a label crop needs an edge of 2 to 1024 voxels. Use 64 or 96.");
  if (options.border == Border::interior && options.cube < options.window)
    refuse(
        "cube",
        options.cube,
        "no window of edge " + std::to_string(options.window) +
            " lies inside such a cube. Make the cube larger, or take the zero_padded border.");
  if (options.sampled_pairs < 0 || options.sampled_pairs == 1)
    refuse("sampled_pairs",
           options.sampled_pairs,
           "an interval takes two pairs. Use 2 or more, or 0 for all pairs.");
  if (options.tile < 0)
    refuse("tile",
           options.tile,
           "a tile holds at least one volume. Use 1 or more, or 0 for the automatic edge.");
  if (options.memory < 1)
    refuse(
        "memory", options.memory, "images need some. Use 1 MiB or more; the default is 1024.");
  if (options.threads < 1 || options.threads > 1024)
    refuse("threads", options.threads, "the work needs 1 to 1024. Use the cores of a rank.");
  if (options.device_memory < 0)
    refuse("device_memory",
           options.device_memory,
           "images need some. Use 1 MiB or more, or 0 for the rank's share of the GPU's.");
}

}  // namespace proxytune::similarity
