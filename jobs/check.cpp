#include <algorithm>
#include <cmath>
#include <sstream>

#include <fmt/format.h>

#include "jobs/early_stopping.h"
#include "jobs/jobs.h"
#include "jobs/load.h"
#include "jobs/replay.h"
#include "jobs/searched_options.h"
#include "jobs/stages.h"
#include "jobs/trial_teams.h"
#include "jobs/trials_at_once.h"
#include "jobs/warm_start.h"
#include "proxytune/comm/agree.h"
#include "proxytune/core/error.h"
#include "proxytune/datasets/leaks.h"
#include "proxytune/imaging/grid.h"
#include "proxytune/search/sequence.h"

namespace proxytune::jobs {
namespace {

/// Timed after one step that warms up.
constexpr int timed_steps = 3;

/// What one rank found of one case.
struct CaseReport {
  std::size_t index = 0;
  double voxels = 0;
  std::string image_hash;
  std::string problem;  // empty: none
};

std::string to_line(const CaseReport& report) {
  return fmt::format("{} {} {} {}\n",
                     report.index,
                     report.voxels,
                     report.image_hash.empty() ? "-" : report.image_hash,
                     report.problem);
}

CaseReport look_at(const StudyOptions& options,
                   const datasets::Case& one,
                   std::size_t index,
                   int channels,
                   int classes) {
  CaseReport report;
  report.index = index;
  try {
    const PreparedFile file = prepare_file(options, one, "");
    report.image_hash = file.image_hash;
    report.voxels = static_cast<double>(file.volume.image.shape.voxels());
    check_file(options, file, channels > 0 ? channels : file.volume.image.channels, classes);
  } catch (const core::Error& error) {
    report.problem = error.what();
    std::replace(report.problem.begin(), report.problem.end(), '\n', ' ');
  }
  return report;
}

/// All cases, shared out among the ranks; every problem, not only the first. Collective.
std::vector<CaseReport> look_at_all(Study& study,
                                    const std::vector<datasets::Case>& cases,
                                    int channels,
                                    int classes) {
  std::string mine;
  comm::together(study.world(), [&] {
    for (std::size_t i = 0; i < cases.size(); ++i)
      if (static_cast<int>(i) % study.world().size() == study.world().rank())
        mine += to_line(look_at(study.options(), cases[i], i, channels, classes));
  });
  std::vector<CaseReport> reports(cases.size());
  for (const std::string& part : comm::gather_texts(study.world(), mine)) {
    std::istringstream lines(part);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream fields(line);
      CaseReport report;
      fields >> report.index >> report.voxels >> report.image_hash;
      std::getline(fields >> std::ws, report.problem);
      reports[report.index] = report;
    }
  }
  return reports;
}

/// 0 where the first image, which the others are compared with, cannot be read: its report says
/// so.
int readable_channels(const StudyOptions& options, const datasets::Dataset& dataset) {
  try {
    return channels_of(options, dataset);
  } catch (const core::DataError&) {
    return 0;
  }
}

int complain(Study& study, const std::vector<CaseReport>& reports) {
  int problems = 0;
  for (const CaseReport& report : reports)
    if (!report.problem.empty()) {
      ++problems;
      if (study.world().is_root())
        study.log().warn(report.problem);
    }
  return problems;
}

std::vector<datasets::CaseIdentity> identities(const std::vector<datasets::Case>& cases,
                                               const std::vector<CaseReport>& reports) {
  std::vector<datasets::CaseIdentity> result;
  for (std::size_t i = 0; i < cases.size(); ++i)
    result.push_back({cases[i].id, cases[i].group, reports[i].image_hash});
  return result;
}

double windows_of(const StudyOptions& options, double voxels) {
  const auto& window = options.training.window;
  const double window_voxels = static_cast<double>(window[0]) * window[1] * window[2];
  const double step = std::pow(1.0 - options.training.overlap, 3);
  return std::max(1.0, std::ceil(voxels / (window_voxels * step)));
}

struct Sizes {
  int training = 0;
  int validation = 0;
};
Sizes sizes_of(const StudyOptions& options, const ArmOptions& arm, int cases) {
  if (arm.data != ArmData::all)
    return {arm.budget / 2, arm.budget / 2};
  const int held_out =
      options.data.validation_cases > 0 ? options.data.validation_cases : (cases + 4) / 5;
  return {cases - held_out, held_out};
}

/// Device seconds of one trial: steps, validations, external scoring.
struct Prediction {
  const StudyOptions& options;
  double internal_voxels = 0;  // mean of a case
  double external_voxels = 0;
  int external_cases = 0;
  std::map<std::string, training::StepCost> cost;  // by network

  double inference(const std::string& network, int cases, double voxels) const {
    const double batches =
        std::ceil(windows_of(options, voxels) / options.training.windows_per_step);
    return cases * batches * cost.at(network).inference_step_seconds;
  }
  double training_seconds(const std::string& network, const Sizes& sizes, int epochs) const {
    const training::TrainingOptions& t = options.training;
    const double steps = std::ceil(static_cast<double>(sizes.training) / t.cases_per_step);
    const double validations = std::ceil(static_cast<double>(epochs) / t.validate_every);
    return epochs * steps * cost.at(network).training_step_seconds +
           validations * inference(network, sizes.validation, internal_voxels);
  }
  double scoring_seconds(const std::string& network) const {
    return inference(network, external_cases, external_voxels);
  }
  double trial(const std::string& network, const Sizes& sizes) const {
    return training_seconds(network, sizes, options.training.epochs) + scoring_seconds(network);
  }
  /// A trial of a search, which may stop early, in the mean.
  double searched_trial(const ArmOptions& arm, int cases) const {
    double seconds = 0;
    for (const TrainingPart& part : training_parts(options)) {
      const ArmOptions& whose = part.arm.empty() ? arm : options.arm(part.arm);
      seconds +=
          part.share *
          (training_seconds(whose.network, sizes_of(options, whose, cases), part.epochs) +
           (part.last ? scoring_seconds(whose.network) : 0));
    }
    return seconds;
  }
};

std::size_t most_voxels(const std::vector<CaseReport>& internal,
                        const std::vector<CaseReport>& external) {
  double most = 0;
  for (const auto* reports : {&internal, &external})
    for (const CaseReport& report : *reports)
      most = std::max(most, report.voxels);
  return static_cast<std::size_t>(most);
}

double mean_voxels(const std::vector<CaseReport>& reports) {
  double sum = 0;
  for (const CaseReport& report : reports)
    sum += report.voxels;
  return reports.empty() ? 0 : sum / static_cast<double>(reports.size());
}

/// How many trials the arm's search will have, which may be fewer than search.trials: those of
/// a list or a lattice. Complains of what the search is to take from elsewhere. Collective.
int trials_of(Study& study, const std::string& arm) {
  search::SearchOptions resolved = resolved_search(study.options());
  resolved.first_points = first_points(study, arm, resolved);
  resolved.replay_points = replay_points(study, arm, resolved);
  return search::Sequence(resolved, {resolved.space}, study.random()).total();
}

/// How many times sooner ranks that share a trial end it: a step lasts as long as that of the
/// one with most of its parts.
double gain_of_team(const StudyOptions& options, int ranks) {
  const int parts = parts_of_step(options, ranks);
  const int most = parts / ranks + (parts % ranks > 0 ? 1 : 0);
  return static_cast<double>(parts) / most;
}

void say_hours(Study& study,
               const Prediction& prediction,
               const std::map<std::string, int>& trials,
               int cases,
               int trials_at_once) {
  const StudyOptions& options = study.options();
  const auto& grid = options.sweep.grid;
  const double points =
      static_cast<double>(grid.optimizers.size() * grid.learning_rates.size());
  double sweep = 0;
  for (const ArmOptions& arm : options.sweep_arms()) {
    const Sizes sizes = sizes_of(options, arm, cases);
    sweep += points * grid.repeats * prediction.trial(arm.network, sizes);
  }
  double search = 0;
  double final_training = 0;
  const Sizes all = sizes_of(options, ArmOptions{}, cases);
  for (const ArmOptions& arm : options.search_arms()) {
    search += trials.at(arm.name) * prediction.searched_trial(arm, cases);
    final_training +=
        options.final_training.repeats * prediction.trial(options.final_training.network, all);
  }
  double device_hours = 0;
  double hours = 0;
  const auto line = [&](const char* stage, double seconds, double at_once, int a_team) {
    const int ranks = std::min(a_team, study.world().size());
    const double teams = static_cast<double>(study.world().size()) / ranks;
    const double places = ranks > 1 ? teams : teams * trials_at_once;
    // A rank that waits for those with more parts is the trial's all the same.
    const double devices = seconds / 3600 / gain_of_team(options, ranks) * ranks;
    const double wall = devices / ranks / std::min(places, std::max(at_once, 1.0));
    device_hours += devices;
    hours += wall;
    study.log().info(fmt::format("check: {:<8} {:9.3f} device hours, {:9.3f} hours on {} ranks",
                                 stage,
                                 devices,
                                 wall,
                                 study.world().size()));
  };
  const auto sweep_arms = static_cast<double>(options.sweep_arms().size());
  const auto search_arms = static_cast<double>(options.search_arms().size());
  const int a_team = options.compute.ranks_per_trial;
  line("sweep", sweep, points * grid.repeats * sweep_arms, a_team);
  // An arm's search has at most so many trials open; arms search one after the other.
  line("search", search, options.search.options.concurrency, a_team);
  line("train",
       final_training,
       search_arms * options.final_training.repeats,
       options.final_ranks_per_trial());
  study.log().info(
      fmt::format("check: together {:9.3f} device hours, {:9.3f} hours", device_hours, hours));
}

}  // namespace

void check_study(app::Session& session) {
  Study study(session, Study::Folder::untouched);
  const StudyOptions& options = study.options();
  study.log().info(fmt::format("check: {}, {} ranks, {}",
                               session.request.subject,
                               study.world().size(),
                               comm::host_name()));
  const DataSets sets = read_datasets(study);
  const int cases = static_cast<int>(sets.internal.cases.size());
  const int classes = class_count(options, sets.internal);
  comm::together(study.world(), [&] { check_plan(study, sets); });
  std::map<std::string, int> searched_trials;  // by arm
  for (const ArmOptions& arm : options.search_arms())
    searched_trials[arm.name] = trials_of(study, arm.name);

  const int channels = readable_channels(options, sets.internal);
  const auto internal = look_at_all(study, sets.internal.cases, channels, classes);
  const auto external = look_at_all(study, sets.external.cases, channels, classes);
  const int problems = complain(study, internal) + complain(study, external);
  if (problems > 0)
    throw core::DataError(
        fmt::format("{} of {} cases cannot be used; the sentences above say why",
                    problems,
                    internal.size() + external.size()));
  datasets::refuse_divided_duplicates(identities(sets.internal.cases, internal));
  datasets::refuse_leaks(identities(sets.internal.cases, internal),
                         identities(sets.external.cases, external));
  study.log().info(
      fmt::format("check: {} internal and {} external cases, {} classes, all in order",
                  internal.size(),
                  external.size(),
                  classes));

  Prediction prediction{.options = options,
                        .internal_voxels = mean_voxels(internal),
                        .external_voxels = mean_voxels(external),
                        .external_cases = static_cast<int>(external.size()),
                        .cost = {}};
  for (const std::string& name : options.used_networks()) {
    const NetworkOptions& one = options.network(name);
    network::UNetOptions network = one.unet;
    network.in_channels = channels;
    network.out_channels = classes;
    const training::StepCost cost = training::measure_step(network,
                                                           options.training,
                                                           timed_steps,
                                                           study.numerics().precision,
                                                           most_voxels(internal, external));
    prediction.cost[one.name] = cost;
    study.log().info(fmt::format(
        "check: network {}: {} parameters, {:.3f} s a step of {} patches, {:.0f} MiB a "
        "trial",
        one.name,
        network::parameter_count(network),
        cost.training_step_seconds,
        training::patches_of_step(options.training),
        cost.memory_bytes / (1024.0 * 1024.0)));
  }
  double most = 0;
  for (const auto& [name, cost] : prediction.cost)
    most = std::max(most, cost.memory_bytes);
  const int ranks = study.world().size();
  const TrialsAtOnce trials =
      trials_at_once(study.world(), options.compute, [&] { return most; });
  study.log().info("check: " + text_of(trials));
  const int teams = ranks / std::min(options.compute.ranks_per_trial, ranks);
  study.log().info(
      fmt::format("check: {:.2f} GiB of memory for {} trials at once, beside the volumes; up "
                  "to {:.2f} GiB of similarity.memory while pairs are compared",
                  ranks * trials.count * most / (1024.0 * 1024.0 * 1024.0),
                  teams * trials.count,
                  ranks * options.similarity.memory / 1024.0));
  say_hours(study, prediction, searched_trials, cases, trials.count);
}

}  // namespace proxytune::jobs
