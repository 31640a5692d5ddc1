#include "proxytune/network/unet_options.h"

#include "network/architecture.h"
#include "proxytune/core/error.h"

namespace proxytune::network {
namespace {

constexpr int most_levels = 8;
constexpr int most_channels = 1024;

void check_range(const char* field, int value, int low, int high, const std::string& why) {
  if (value >= low && value <= high)
    return;
  throw core::FieldError(field,
                         "is " + std::to_string(value) + ", but " + why + ". Use " +
                             std::to_string(low) + " to " + std::to_string(high) + ".");
}

std::string extents(const std::array<int, 3>& patch) {  // as the user writes them: x, y, z
  return "[" + std::to_string(patch[2]) + ", " + std::to_string(patch[1]) + ", " +
         std::to_string(patch[0]) + "]";
}

}  // namespace

void validate(const UNetOptions& options) {
  check_range("in_channels", options.in_channels, 1, 1024, "an image has at least one channel");
  check_range("out_channels",
              options.out_channels,
              1,
              1024,
              "the network needs a class to predict and one for the background");
  check_range("channels",
              options.channels,
              1,
              most_channels,
              "that is no number of channels for the first level; the paper has 16 and 4");
  check_range("levels",
              options.levels,
              2,
              most_levels,
              "a U-Net has a level and a bottom, and each level halves the grid");
  check_range("residual_units",
              options.residual_units,
              1,
              16,
              "an encoder level has at least one residual sub-unit; the paper has 2 and 1");
}

int divisor(const UNetOptions& options) {
  return 1 << (options.levels - 1);
}

void check_patch(const UNetOptions& options,
                 const std::array<int, 3>& patch,
                 const std::string& what) {
  const int multiple = divisor(options);
  const std::string levels = std::to_string(options.levels) + " levels";
  bool single = true;
  for (const int extent : patch) {
    if (extent < multiple || extent % multiple != 0)
      throw core::ConfigurationError(
          what + " is " + extents(patch) + ", but a network of " + levels +
          " halves the grid " + std::to_string(options.levels - 1) +
          " times: use multiples of " + std::to_string(multiple) + ", or fewer levels.");
    single = single && extent == multiple;
  }
  if (single && options.norm == Norm::instance)
    throw core::ConfigurationError(
        what + " is " + extents(patch) + ", which leaves a single voxel at the bottom of " +
        levels + ", and instance norm needs more: use a larger patch, such as " +
        std::to_string(2 * multiple) + ", fewer levels, or batch norm.");
}

long long parameter_count(const UNetOptions& options) {
  long long count = 0;
  for (const Entry& entry : state_entries(options)) {
    if (!is_parameter(entry.role))
      continue;
    long long length = 1;
    for (const std::int64_t extent : entry.shape)
      length *= extent;
    count += length;
  }
  return count;
}

}  // namespace proxytune::network
