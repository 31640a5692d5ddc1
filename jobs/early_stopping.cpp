#include "jobs/early_stopping.h"

#include <algorithm>

#include <fmt/format.h>

#include "proxytune/config/options.h"
#include "proxytune/core/error.h"

namespace proxytune::jobs {
namespace {

/// Trials that are compared after the same number of epochs differ in what comes after it.
void refuse_searched_epochs(const StudyOptions& options, const std::string& field) {
  for (const search::Dimension& dimension : options.search.options.space)
    if (dimension.field == "training.epochs")
      throw core::FieldError(
          field, "and a search of training.epochs exclude each other: give one of them");
}

/// What its trials are trained on and with, whatever it is called.
std::string meaning_of(const StudyOptions& options, const ArmOptions& arm) {
  const NetworkOptions& network = options.network(arm.network);
  ArmOptions data{.name = "", .data = arm.data, .network = ""};
  if (arm.data == ArmData::random)
    data.budget = arm.budget;
  if (arm.data == ArmData::proxy) {
    data = arm;
    data.name = data.network = "";
  }
  return config::to_yaml(data) + config::to_yaml(network.unet) + network.start_weights;
}

/// An arm that is to compare at a lower fidelity than those that search.
void check_arm(const StudyOptions& options, const std::string& name, const std::string& field) {
  for (const ArmOptions& arm : options.search_arms()) {
    if (arm.name == name)
      throw core::FieldError(
          field,
          fmt::format(
              "is \"{}\", which searches by itself, and would be its own lower fidelity. "
              "Name the arms that search in search.arms, without it.",
              name));
    if (meaning_of(options, arm) == meaning_of(options, options.arm(name)))
      throw core::FieldError(
          field,
          fmt::format(
              "is \"{}\", which has the same data and network as {}, which searches, so "
              "that its trials are the same and save nothing. Name an arm with a "
              "smaller budget or network, or leave the rung's arm out.",
              name,
              arm.name));
  }
}

void check_rung(const StudyOptions& options,
                const search::Rung& rung,
                const std::string& field) {
  const training::TrainingOptions& training = options.training;
  // What another arm has trained to its end may be compared too.
  const int most = rung.arm.empty() ? training.epochs - 1 : training.epochs;
  if (rung.epochs > most)
    throw core::FieldError(
        field + ".epochs",
        fmt::format("is {}, but trials end after {} epochs (training.epochs). Use {} or fewer.",
                    rung.epochs,
                    training.epochs,
                    most));
  if (rung.epochs % training.validate_every != 0 && rung.epochs != training.epochs)
    throw core::FieldError(
        field + ".epochs",
        fmt::format("is {}, but there is no validation after so many epochs: "
                    "training.validate_every is {}. Use a multiple of that.",
                    rung.epochs,
                    training.validate_every));
  if (!rung.arm.empty())
    check_arm(options, rung.arm, field + ".arm");
}

}  // namespace

void check_early_stopping(const StudyOptions& options) {
  const auto& median = options.search.options.median_stopping;
  if (median) {
    refuse_searched_epochs(options, "search.median_stopping");
    const int last_looked_at = (options.training.epochs - 1) / options.training.validate_every *
                               options.training.validate_every;
    if (median->from_epoch > last_looked_at)
      throw core::FieldError(
          "search.median_stopping.from_epoch",
          fmt::format(
              "is {}, but trials of {} epochs (training.epochs) that are validated every {} "
              "(training.validate_every) are looked at for the last time after {}, so "
              "that none would be stopped. Use fewer, or validate more often.",
              median->from_epoch,
              options.training.epochs,
              options.training.validate_every,
              last_looked_at));
  }
  const auto& halving = options.search.options.halving;
  if (!halving)
    return;
  refuse_searched_epochs(options, "search.halving");
  for (std::size_t i = 0; i < halving->rungs.size(); ++i)
    check_rung(options, halving->rungs[i], fmt::format("search.halving.rungs.{}", i));
}

std::vector<TrainingPart> training_parts(const StudyOptions& options) {
  std::vector<TrainingPart> parts;
  const auto& halving = options.search.options.halving;
  search::Rung before;
  double share = 1;
  const auto add = [&](const search::Rung& rung) {
    const int done = rung.arm == before.arm ? before.epochs : 0;
    parts.push_back({.epochs = rung.epochs - done, .arm = rung.arm, .share = share});
    before = rung;
  };
  for (const search::Rung& rung : halving ? halving->rungs : std::vector<search::Rung>{}) {
    add(rung);
    share /= halving->reduction;
  }
  add({.epochs = options.training.epochs});
  parts.back().last = true;
  return parts;
}

}  // namespace proxytune::jobs
