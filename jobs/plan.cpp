#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "jobs/jobs.h"
#include "jobs/study_options.h"
#include "proxytune/comm/agree.h"
#include "proxytune/config/options.h"
#include "proxytune/core/files.h"
#include "proxytune/datasets/dataset.h"
#include "proxytune/imaging/io.h"
#include "proxytune/imaging/transforms.h"

namespace proxytune::jobs {
namespace {

/// A first study must end in minutes: volumes of about this many voxels along each axis.
constexpr double quick_extent = 40;
constexpr int most_internal_cases = 20;
constexpr int most_external_cases = 10;
/// Cases whose headers are read to derive the grid.
constexpr std::size_t looked_at = 20;

struct Grid {
  std::array<double, 3> spacing{};  // mm, x y z, after orientation to RAS
  std::array<double, 3> extent{};   // mm
};

double median(std::vector<double> values) {
  std::nth_element(
      values.begin(), values.begin() + static_cast<long>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

/// Median spacing and extent of the images, axes in RAS order as preprocessing will have them.
Grid median_grid(const datasets::Dataset& dataset) {
  std::array<std::vector<double>, 3> spacings;
  std::array<std::vector<double>, 3> extents;
  for (std::size_t i = 0; i < std::min(looked_at, dataset.cases.size()); ++i) {
    const imaging::ImageHeader header = imaging::read_header(dataset.cases[i].images.front());
    const std::array<int, 3> voxels{header.shape.x, header.shape.y, header.shape.z};
    const auto moves = imaging::axis_moves(header.geometry, "RAS");
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const auto stored = static_cast<std::size_t>(moves[axis].from);
      spacings[axis].push_back(header.geometry.spacing[stored]);
      extents[axis].push_back(header.geometry.spacing[stored] * voxels[stored]);
    }
  }
  Grid grid;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    grid.spacing[axis] = median(spacings[axis]);
    grid.extent[axis] = median(extents[axis]);
  }
  return grid;
}

double rounded(double value) {
  return std::round(value * 100) / 100;
}

/// The file's spacing where the volumes are small; otherwise as coarse as a quick study needs.
std::array<double, 3> quick_spacing(const Grid& grid) {
  std::array<double, 3> spacing{};
  for (std::size_t axis = 0; axis < 3; ++axis)
    spacing[axis] = rounded(std::max(grid.spacing[axis], grid.extent[axis] / quick_extent));
  return spacing;
}

/// The largest multiple of 8 (four levels) that the median volume holds, 16 to 32 voxels.
std::array<int, 3> quick_patch(const Grid& grid, const std::array<double, 3>& spacing) {
  std::array<int, 3> patch{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const int voxels = static_cast<int>(grid.extent[axis] / spacing[axis]);
    patch[axis] = std::clamp(voxels / 8 * 8, 16, 32);
  }
  return patch;
}

bool is_ct(const datasets::Dataset& dataset) {
  return !dataset.modalities.empty() &&
         dataset.modalities.front().find("CT") != std::string::npos;
}

int cases_of(const datasets::Dataset& dataset, int most) {
  return std::min(most, static_cast<int>(dataset.cases.size()));
}

/// Half of the cases or ten, whichever is less, and even.
int budget_for(int cases) {
  return std::max(2, std::min(10, cases / 2) / 2 * 2);
}

std::map<int, int> labels_as_they_are(const datasets::Dataset& internal,
                                      const datasets::Dataset& external) {
  std::map<int, int> map;
  for (const auto& [value, name] : internal.labels)
    map[value] = value;
  // What only the external set labels is background here.
  for (const auto& [value, name] : external.labels)
    map.emplace(value, 0);
  return map;
}

StudyOptions quick_study(const app::Request& request) {
  const std::filesystem::path internal_path = std::filesystem::absolute(request.subject);
  const std::filesystem::path external_path = std::filesystem::absolute(request.external);
  const datasets::Dataset internal = datasets::read_decathlon(internal_path, {});
  const datasets::Dataset external = datasets::read_decathlon(external_path, {});
  const Grid grid = median_grid(internal);

  StudyOptions study;
  study.name = std::filesystem::path(request.output).stem().string();
  study.data.internal = internal_path.string();
  study.data.external = external_path.string();
  study.data.labels = labels_as_they_are(internal, external);
  study.data.cases = cases_of(internal, most_internal_cases);
  study.data.external_cases = cases_of(external, most_external_cases);
  if (internal.modalities.size() != external.modalities.size())
    study.data.channels = {0};
  study.preprocessing.spacing = quick_spacing(grid);
  study.preprocessing.intensity =
      is_ct(internal) ? imaging::Intensity::window : imaging::Intensity::nonzero_zscore;
  const std::array<int, 3> patch = quick_patch(grid, study.preprocessing.spacing);
  study.preprocessing.pad_to = patch;
  study.similarity.cube = 32;
  study.networks = {{"full", {.channels = 16, .levels = 4, .residual_units = 2}},
                    {"proxy4", {.channels = 4, .levels = 4, .residual_units = 1}}};
  study.training.epochs = 10;
  study.training.validate_every = 5;
  study.training.patches_per_case = 2;
  study.training.patch = patch;
  study.training.window = patch;
  const int budget = budget_for(study.data.cases);
  const auto mi = similarity::Metric::mutual_information;
  const auto label = similarity::Crop::label;
  study.arms = {{.name = "all_full"},
                {"mi_crop_full", ArmData::proxy, mi, label, budget, "full"},
                {"random_full", ArmData::random, mi, label, budget, "full"},
                {"all_proxy4", ArmData::all, mi, label, 0, "proxy4"},
                {"mi_crop_proxy4", ArmData::proxy, mi, label, budget, "proxy4"}};
  study.reference = "all_full";
  study.sweep.grid.learning_rates = {0.001, 0.0001};
  study.sweep.grid.optimizers = {trials::Optimizer::adam, trials::Optimizer::rmsprop};
  study.sweep.grid.repeats = 2;
  study.search.options.trials = 6;
  study.search.options.concurrency = 2;
  study.final_training.repeats = 2;
  study.output.folder = std::filesystem::path(request.output).replace_extension("").string();
  return study;
}

}  // namespace

void plan_study(app::Session& session) {
  comm::from_root(session.world, [&] {
    const app::Request& request = session.request;
    if (std::filesystem::exists(request.output))
      throw core::ConfigurationError(fmt::format(
          "{} exists; name another file with --output, or remove it", request.output));
    std::error_code missing;
    if (std::filesystem::equivalent(request.subject, request.external, missing))
      throw core::DataError(
          fmt::format("{} would be internal and external at once; the external volumes must be "
                      "others, which nothing has seen",
                      request.subject));
    const StudyOptions study = quick_study(request);
    core::write_file_atomically(
        session.request.output,
        "# Derived by `proxytune plan` from the data sets below, for a first study that ends "
        "in "
        "minutes.\n# For one that counts: the file's spacing, a patch of 96 or more, 5 levels, "
        "some "
        "hundred epochs,\n# the paper's grid and 7 repeats (configs/spleen/study.yaml).\n" +
            config::to_yaml(study));
    session.log.info(fmt::format("plan: {}", session.request.output));
    return std::string();
  });
}

}  // namespace proxytune::jobs
