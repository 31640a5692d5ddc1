#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "jobs/failure_options.h"
#include "proxytune/config/node.h"
#include "proxytune/core/names.h"
#include "proxytune/imaging/preprocess.h"
#include "proxytune/network/precision.h"
#include "proxytune/network/unet_options.h"
#include "proxytune/search/search_options.h"
#include "proxytune/selection/options.h"
#include "proxytune/similarity/options.h"
#include "proxytune/training/options.h"
#include "proxytune/training/team.h"
#include "proxytune/trials/sweep.h"

namespace proxytune::jobs {

struct DataOptions {
  std::string internal;
  std::string external;
  std::vector<int> channels;
  std::map<int, int> labels;
  int cases = 0;
  std::vector<std::string> case_list;
  int external_cases = 0;
  std::vector<std::string> external_case_list;
  std::string group_key;
  std::string group_table;
  std::string exclude_key;
  std::vector<std::string> exclude_values;
  std::string splits;
  int validation_cases = 0;
  double near_duplicate = 0.95;
};

template <class Fields>
void describe(Fields& fields, DataOptions& options) {
  fields("internal",
         options.internal,
         "Decathlon dataset.json of the volumes to tune and train on; relative to the study "
         "file, ${NAME} stands for an environment variable");
  fields("external",
         options.external,
         "dataset.json of the withheld volumes, only ever scored; empty: none");
  fields("channels", options.channels, "channels to use, counted from 0; empty: all of them");
  fields("labels",
         options.labels,
         "raw label value to class (0 is background); empty: as they are");
  fields(
      "cases", options.cases, "use the first so many internal cases, sorted by name; 0: all");
  fields("case_list", options.case_list, "use just these internal cases, by name");
  fields("external_cases",
         options.external_cases,
         "use the first so many external cases, sorted by name; 0: all");
  fields("external_case_list",
         options.external_case_list,
         "use just these external cases, by name");
  fields("group_key",
         options.group_key,
         "key of a dataset.json entry that names the patient; a patient is never on both sides "
         "of a split");
  fields(
      "group_table",
      options.group_table,
      "CSV file with a row \"case,patient\" for every case of the study, instead of group_key");
  fields("exclude_key",
         options.exclude_key,
         "key of a dataset.json entry by which internal cases are left out");
  fields("exclude_values", options.exclude_values, "values of that key that are left out");
  fields("splits",
         options.splits,
         "JSON file with own splits, a list of {training: [names], validation: [names]}, used "
         "in turn by the repeats; empty: random splits");
  fields("validation_cases",
         options.validation_cases,
         "cases held out for validation by a random split of all data; 0: a fifth");
  fields("near_duplicate",
         options.near_duplicate,
         "internal and external volumes whose label crops correlate more than this (squared "
         "local NCC, 0 to 1) are listed as near-duplicates");
}
void validate(const DataOptions& options);

struct NetworkOptions {
  std::string name;
  network::UNetOptions unet;
  std::string start_weights = {};
};
template <class Fields>
void describe(Fields& fields, NetworkOptions& options) {
  fields("name", options.name, "what arms call this network");
  describe(fields, options.unet);
  fields("start_weights",
         options.start_weights,
         "file of weights that trials of this network start from, as torch.save(MONAI's "
         "state_dict) "
         "or proxytune writes it; empty: random");
}
void validate(const NetworkOptions& options);

enum class ArmData { all, proxy, random };
inline constexpr core::Name<ArmData> names_of_arm_data[] = {
    {ArmData::all, "all"}, {ArmData::proxy, "proxy"}, {ArmData::random, "random"}};
constexpr std::span<const core::Name<ArmData>> names(ArmData) {
  return names_of_arm_data;
}

/// Data x network: one line of the paper's tables.
struct ArmOptions {
  std::string name;
  ArmData data = ArmData::all;
  similarity::Metric metric = similarity::Metric::mutual_information;
  similarity::Crop crop = similarity::Crop::label;
  int budget = 0;
  std::string network = "full";
  selection::ImportanceOptions importance = {};
  selection::Selector selector = selection::Selector::least_similar;
};
template <class Fields>
void describe(Fields& fields, ArmOptions& options) {
  fields("name", options.name, "name of the arm in results and tables");
  fields("data",
         options.data,
         "cases it trains on: all, those picked by their similarities (proxy), or randomly "
         "drawn ones");
  fields("metric", options.metric, "measure that picks proxy data (paper, Eq. 1 and Eq. 2)");
  fields("crop",
         options.crop,
         "compare whole volumes, or their label crops resampled to a cube (the paper's "
         "Labelcrop)");
  describe(fields, options.importance);
  fields("selector",
         options.selector,
         "who becomes proxy data: the lowest importances (the paper's), a spread-out set that "
         "begins with the lowest, or the set that best represents all volumes");
  fields("budget",
         options.budget,
         "B, the number of cases of proxy and random data; even, half of them validate");
  fields("network", options.network, "name of a network of this study");
}
void validate(const ArmOptions& options);

struct SweepSection {
  std::vector<std::string> arms;
  trials::SweepOptions grid;
};
template <class Fields>
void describe(Fields& fields, SweepSection& options) {
  fields("arms", options.arms, "arms that run the grid; empty: all of them");
  describe(fields, options.grid);
}
void validate(const SweepSection& options);

struct SearchSection {
  std::vector<std::string> arms;
  trials::HyperParameters base;  // where the space says nothing
  search::SearchOptions options;
};
template <class Fields>
void describe(Fields& fields, SearchSection& options) {
  fields("arms", options.arms, "arms that search; empty: all of them");
  fields("optimizer",
         options.base.optimizer,
         "optimizer of the trials, unless the space names it (Clara Train: Adam)");
  fields("learning_rate",
         options.base.learning_rate,
         "learning rate of the trials, unless the space names it");
  fields("shift_probability",
         options.base.shift_probability,
         "probability that a patch's intensities are shifted, unless the space names it");
  fields("shift_offset",
         options.base.shift_offset,
         "intensity shifts are uniform in [-offset, offset], unless the space names it");
  fields("weight_decay",
         options.base.weight_decay,
         "weight decay of the trials, unless the space names it");
  describe(fields, options.options);
}
void validate(const SearchSection& options);

struct FinalOptions {
  std::string network = "full";
  int repeats = 5;
  int ranks_per_trial = 0;  // 0: compute.ranks_per_trial
};
template <class Fields>
void describe(Fields& fields, FinalOptions& options) {
  fields("network",
         options.network,
         "network that is trained on all internal data with each search arm's best "
         "hyper-parameters");
  fields("repeats",
         options.repeats,
         "trainings an arm, with the same split and other random numbers (paper: 5)");
  fields("ranks_per_trial",
         options.ranks_per_trial,
         "ranks that train one final model together; 0: compute.ranks_per_trial");
}
void validate(const FinalOptions& options);

constexpr int most_trials_per_device = 1024;

struct ComputeOptions {
  int threads_per_trial = 1;
  std::string trials_per_device = "auto";
  int ranks_per_trial = 1;
  training::Reduction reduction = training::Reduction::ordered;
  network::Precision precision = network::Precision::f32;
  int max_attempts = 3;
  double checkpoint_interval = 300;
  std::string time_limit;
  double grace = 60;
  double hang_timeout = 1800;

  /// Nothing for `auto`.
  std::optional<int> fixed_trials_per_device() const;
};
template <class Fields>
void describe(Fields& fields, ComputeOptions& options) {
  fields("threads_per_trial",
         options.threads_per_trial,
         "CPU threads of one trial; results depend on it in the last digits, so it is frozen "
         "with the study");
  fields("trials_per_device",
         options.trials_per_device,
         "trials that a rank runs at once: a number from 1 to 1024, or auto: its share of the "
         "node's processors divided by threads_per_trial, as far as its share of the free "
         "memory has room for them; no result depends on it");
  fields("ranks_per_trial",
         options.ranks_per_trial,
         "ranks that train one model together, each a part of every step's patches "
         "(training.granule) and of the cases to be scored; the batch, and with it what "
         "hyper-parameters mean, stays the same");
  fields(
      "reduction",
      options.reduction,
      "how the ranks of a trial add their gradients up; ordered: in an order that does not "
      "depend on their number, so that no result does; fastest: each rank's patches at once, "
      "then as MPI adds, which changes the last digits; frozen with the study");
  fields("precision",
         options.precision,
         "what networks compute in; bf16: activations are bfloat16, while weights, statistics "
         "and loss stay float32; auto: bf16 where the processors of all ranks have AVX-512 "
         "BF16, else f32; frozen with the study");
  fields(
      "max_attempts",
      options.max_attempts,
      "starts of one trial that may die with their rank, without a checkpoint since, before it "
      "is set aside as lost");
  fields(
      "checkpoint_interval",
      options.checkpoint_interval,
      "seconds after which a running trial keeps its state on disk, from which it goes on if "
      "its process dies; 0: only at a stop; no result depends on it");
  fields(
      "time_limit",
      options.time_limit,
      "time after which something else ends the job, in seconds or as 90m, 1h30m, 2d; the "
      "program stops by itself ahead of it, as after a signal, and the same command goes on; "
      "empty: none but the end of the Slurm job (SLURM_JOB_END_TIME)");
  fields(
      "grace",
      options.grace,
      "seconds in which all ranks end after a signal or ahead of the time limit: a step and a "
      "checkpoint of a trial must fit in; afterwards the job is ended by force");
  fields(
      "hang_timeout",
      options.hang_timeout,
      "seconds in which a rank at work must come further (a step of a trial, a case, a tile) "
      "before the job is ended with a report of what each rank is at, exit code 4; the same "
      "command goes on; 0: never");
}
void validate(const ComputeOptions& options);

struct OutputOptions {
  std::string folder = "out";
};
template <class Fields>
void describe(Fields& fields, OutputOptions& options) {
  fields("folder",
         options.folder,
         "folder of the study's journal, cache, weights and results; relative to where the "
         "program starts");
}
void validate(const OutputOptions& options);

/// A whole study file.
struct StudyOptions {
  std::string name = "study";
  std::int64_t seed = 0;
  DataOptions data;
  imaging::PreprocessOptions preprocessing;
  similarity::SimilarityOptions similarity;
  std::vector<NetworkOptions> networks{
      {"full", {.channels = 16, .levels = 5, .residual_units = 2}},
      {"proxy5", {.channels = 4, .levels = 5, .residual_units = 1}},
      {"proxy4", {.channels = 4, .levels = 4, .residual_units = 1}},
      {"proxy3", {.channels = 4, .levels = 3, .residual_units = 1}},
  };
  training::TrainingOptions training;
  std::vector<ArmOptions> arms{{.name = "all_full"}};
  std::string reference = "all_full";
  SweepSection sweep;
  SearchSection search;
  FinalOptions final_training;
  ComputeOptions compute;
  FailureOptions failures;
  OutputOptions output;

  /// Of the final trainings.
  int final_ranks_per_trial() const;
  const NetworkOptions& network(const std::string& network_name) const;
  const ArmOptions& arm(const std::string& arm_name) const;
  /// Names of the networks that arms and the final training use.
  std::set<std::string> used_networks() const;
  /// The arms of the sweep and of the search, in the order of `arms`.
  std::vector<ArmOptions> sweep_arms() const;
  std::vector<ArmOptions> search_arms() const;
};
template <class Fields>
void describe(Fields& fields, StudyOptions& options) {
  fields("name", options.name, "name of the study");
  fields("seed", options.seed, "of all random numbers");
  fields("data", options.data, "volumes");
  fields("preprocessing", options.preprocessing, "what is done to every volume once");
  fields("similarity", options.similarity, "the pair matrix (paper, Eq. 1 and Eq. 2)");
  fields("networks", options.networks, "networks that arms may name");
  fields("training", options.training, "how every network is trained and scored");
  fields("arms", options.arms, "data x network, the lines of the paper's tables");
  fields("reference",
         options.reference,
         "arm that the others are compared with: full network, all data");
  fields("sweep",
         options.sweep,
         "the grid of hyper-parameters that proxies are judged by (paper, section 4.2)");
  fields("search", options.search, "the search for hyper-parameters (paper, AutoML)");
  fields("final_training",
         options.final_training,
         "the full model with the hyper-parameters found (paper, Table 2)");
  fields("compute", options.compute, "how the machine is used");
  fields("failures", options.failures, "what becomes of trials that do not complete");
  fields("output", options.output, "where results go");
}
void validate(const StudyOptions& options);

/// Reads and checks a study; throws core::ConfigurationError.
StudyOptions read_study(const config::Node& root);

/// A path of the study file made absolute: ${NAME} from the environment, relative to the folder
/// of `study_file`.
std::filesystem::path resolve_path(const std::string& path, const std::string& study_file);

}  // namespace proxytune::jobs
