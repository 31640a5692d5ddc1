#pragma once

#include <filesystem>
#include <string>

#include "jobs/stages.h"
#include "proxytune/datasets/dataset.h"
#include "proxytune/imaging/preprocess.h"
#include "proxytune/store/volume_cache.h"

// From a dataset.json to cases of the cache: what `preprocess` and `check` share.
namespace proxytune::jobs {

struct DataSets {
  datasets::Dataset internal;
  datasets::Dataset external;  // without cases where the study names none
};
/// Reads both dataset.json files with the study's choices. Throws core::DataError, the same on
/// every rank.
DataSets read_datasets(Study& study);

/// Everything about arms, budgets and splits that can be known before a volume is read: throws
/// core::ConfigurationError or core::DataError. Not collective.
void check_plan(const Study& study, const DataSets& sets);

/// Hash of the case's files as they lie on disk and of all options that preprocessing uses.
std::string case_key(const StudyOptions& options, const datasets::Case& one);

/// A case read and preprocessed, in memory.
struct PreparedFile {
  std::string key;
  std::string id;
  std::string image_hash;  // of the voxels as read
  std::string provenance;
  imaging::PreparedVolume volume;
  store::CachedCase cached() const;
};
/// Throws core::DataError naming the file, and core::ConfigurationError where preprocessing
/// makes more of it than there is room for.
PreparedFile prepare_file(const StudyOptions& options,
                          const datasets::Case& one,
                          const std::string& key);

/// preprocess_image of an image that is to be predicted. Throws errors as prepare_file does.
imaging::PreparedImage prepare_image(const StudyOptions& options,
                                     const std::vector<std::filesystem::path>& files);

/// check_cases of this one.
void check_file(const StudyOptions& options,
                const PreparedFile& file,
                int channels,
                int classes);

/// Classes with background: from the label map, else from the labels of the dataset.json.
int class_count(const StudyOptions& options, const datasets::Dataset& dataset);

/// Channels of the cases, from the study or from the first image's header.
int channels_of(const StudyOptions& options, const datasets::Dataset& dataset);

/// Throws core::DataError for the first case whose channels, classes or extents do not fit the
/// study: patches must lie inside the padded volume.
void check_cases(const StudyOptions& options,
                 const datasets::CaseSource& cases,
                 int channels,
                 int classes);

}  // namespace proxytune::jobs
