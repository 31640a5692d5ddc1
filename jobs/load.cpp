#include "jobs/load.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "proxytune/comm/agree.h"
#include "proxytune/config/options.h"
#include "proxytune/core/hash.h"
#include "proxytune/datasets/load_case.h"
#include "proxytune/imaging/io.h"

namespace proxytune::jobs {
namespace {

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream bytes;
  bytes << stream.rdbuf();
  if (!stream || !bytes)
    throw core::DataError(file.string() +
                          " cannot be read; check that it exists and that you may");
  return bytes.str();
}

using Paths = std::vector<std::filesystem::path>;

/// The regular files of a folder that `wanted` names, sorted.
template <class Wanted>
Paths files_in(const std::filesystem::path& folder, const Wanted& wanted) {
  Paths files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.is_regular_file() && wanted(entry.path()))
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// Whether the file holds a header, or voxels, whose other half is a file of the same name.
bool is_half(const std::filesystem::path& file) {
  const std::filesystem::path name = file.extension() == ".gz" ? file.stem() : file.filename();
  const std::string ending = name.extension().string();
  const char* const halves[] = {".mhd", ".nhdr", ".hdr", ".img", ".spr", ".sdt"};
  return std::find(std::begin(halves), std::end(halves), ending) != std::end(halves);
}

/// An image as it lies on disk: a file, all files of a DICOM series' folder, or a half and the
/// files of its name.
Paths files_of_image(const std::filesystem::path& image) {
  if (std::filesystem::is_directory(image))
    return files_in(image, [](const auto&) { return true; });
  Paths files{image};
  if (!is_half(image))
    return files;
  const std::string stem =
      (image.extension() == ".gz" ? image.stem().stem() : image.stem()).string() + ".";
  for (const auto& part : files_in(image.parent_path(), [&](const auto& other) {
         return other != image && other.filename().string().starts_with(stem);
       }))
    files.push_back(part);
  return files;
}

void add_image(core::ContentHasher& hasher, const std::filesystem::path& image) {
  for (const auto& file : files_of_image(image))
    hasher.add(bytes_of(file));
}

datasets::LoadOptions load_options(const StudyOptions& options) {
  return {.channels = options.data.channels,
          .label_map = options.data.labels,
          .geometry_tolerance = options.preprocessing.geometry_tolerance};
}

void choose_cases(datasets::Dataset& dataset, const std::vector<std::string>& ids, int first) {
  if (!ids.empty())
    dataset.cases = datasets::cases_by_id(dataset, ids);
  if (first > 0)
    dataset.cases = datasets::first_cases(dataset, first);
}

/// What preprocessing says, with the case's name.
template <class Preprocess>
auto about_case(const std::string& id, const Preprocess& preprocess) {
  try {
    return preprocess();
  } catch (const core::DataError& error) {
    throw core::DataError(fmt::format("case {}: {}", id, error.what()));
  } catch (const core::FieldError& error) {
    throw core::ConfigurationError(fmt::format("case {}: preprocessing.{}", id, error.what()));
  }
}

std::string joined(const datasets::Case& one) {
  std::string text;
  for (const auto& image : one.images)
    text += image.string() + "\n";
  return text + one.label.string();
}

}  // namespace

DataSets read_datasets(Study& study) {
  const DataOptions& data = study.options().data;
  DataSets sets;
  comm::together(study.world(), [&] {
    sets.internal = datasets::read_decathlon(study.input(data.internal),
                                             {.group_key = data.group_key,
                                              .exclude_key = data.exclude_key,
                                              .exclude_values = data.exclude_values});
    choose_cases(sets.internal, data.case_list, data.cases);
    if (!data.group_table.empty())
      datasets::read_groups(study.input(data.group_table), sets.internal.cases);
    if (data.external.empty())
      return;
    sets.external = datasets::read_decathlon(study.input(data.external), {});
    choose_cases(sets.external, data.external_case_list, data.external_cases);
  });
  return sets;
}

std::string case_key(const StudyOptions& options, const datasets::Case& one) {
  core::ContentHasher hasher;
  for (const auto& image : one.images)
    add_image(hasher, image);
  add_image(hasher, one.label);
  hasher.add(config::to_text(options.data.channels));
  hasher.add(config::to_text(options.data.labels));
  hasher.add(imaging::identity(options.preprocessing));
  return hasher.hexadecimal();
}

store::CachedCase PreparedFile::cached() const {
  return {.key = key,
          .id = id,
          .channels = volume.image.channels,
          .shape = volume.image.shape,
          .geometry = volume.image.geometry,
          .image = volume.image.voxels,
          .label = volume.label.voxels,
          .content_hash = image_hash,
          .provenance = provenance};
}

void check_file(const StudyOptions& options,
                const PreparedFile& file,
                int channels,
                int classes) {
  Cases alone;
  alone.add({.key = file.key,
             .id = file.id,
             .geometry = file.volume.image.geometry,
             .image = imaging::view(file.volume.image),
             .label = imaging::view(file.volume.label),
             .content_hash = file.image_hash,
             .provenance = ""},
            "");
  check_cases(options, alone, channels, classes);
}

PreparedFile prepare_file(const StudyOptions& options,
                          const datasets::Case& one,
                          const std::string& key) {
  datasets::LoadedCase loaded = datasets::load_case(one, load_options(options));
  PreparedFile prepared{.key = key,
                        .id = one.id,
                        .image_hash = loaded.image_hash,
                        .provenance = joined(one),
                        .volume = {}};
  prepared.volume = about_case(one.id, [&] {
    return imaging::preprocess(
        std::move(loaded.image), std::move(loaded.label), options.preprocessing);
  });
  if (!imaging::has_foreground(imaging::view(prepared.volume.label)))
    throw core::DataError(fmt::format(
        "case {}: its label has no foreground left after preprocessing; use a finer "
        "preprocessing.spacing, or leave the case out with data.case_list",
        one.id));
  return prepared;
}

imaging::PreparedImage prepare_image(const StudyOptions& options,
                                     const std::vector<std::filesystem::path>& files) {
  imaging::Volume image = imaging::read_image(files, options.data.channels);
  return about_case(datasets::case_id(files.front()), [&] {
    return imaging::preprocess_image(std::move(image), options.preprocessing);
  });
}

int class_count(const StudyOptions& options, const datasets::Dataset& dataset) {
  int highest = 0;
  for (const auto& [raw, label] : options.data.labels)
    highest = std::max(highest, label);
  if (options.data.labels.empty())
    for (const auto& [value, name] : dataset.labels)
      highest = std::max(highest, value);
  if (highest == 0)
    throw core::ConfigurationError(
        "the study has no foreground class: data.labels maps everything to 0, or the "
        "dataset.json "
        "lists no label but background");
  return highest + 1;
}

void check_cases(const StudyOptions& options,
                 const datasets::CaseSource& cases,
                 int channels,
                 int classes) {
  const std::array<int, 3>& patch = options.training.patch;
  for (int i = 0; i < cases.size(); ++i) {
    const datasets::PreparedCase one = cases.at(i);
    const imaging::Shape& shape = one.image.shape;
    if (one.image.channels != channels)
      throw core::DataError(fmt::format(
          "case {} has {} channels and the first internal case has {}; choose common "
          "ones with data.channels",
          one.id,
          one.image.channels,
          channels));
    const auto highest = *std::max_element(one.label.voxels.begin(), one.label.voxels.end());
    if (highest >= classes)
      throw core::DataError(fmt::format(
          "case {} has a voxel of class {}, but the study has classes 0 to {}; map its "
          "value with data.labels",
          one.id,
          highest,
          classes - 1));
    if (patch[0] > shape.x || patch[1] > shape.y || patch[2] > shape.z)
      throw core::DataError(fmt::format(
          "training.patch is {} x {} x {} voxels, but case {} has only {} x {} x {} after "
          "preprocessing; set preprocessing.pad_to to the patch, or use a smaller patch",
          patch[0],
          patch[1],
          patch[2],
          one.id,
          shape.x,
          shape.y,
          shape.z));
  }
}

int channels_of(const StudyOptions& options, const datasets::Dataset& dataset) {
  if (!options.data.channels.empty())
    return static_cast<int>(options.data.channels.size());
  const datasets::Case& first = dataset.cases.front();
  if (first.images.size() > 1)
    return static_cast<int>(first.images.size());
  return imaging::read_header(first.images.front()).channels;
}

}  // namespace proxytune::jobs
