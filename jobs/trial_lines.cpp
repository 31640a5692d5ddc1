#include "jobs/trial_lines.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "jobs/searched_options.h"
#include "proxytune/trials/trial.h"

namespace proxytune::jobs {
namespace {

/// Between two outlooks in the journal, which is to stay small.
constexpr std::chrono::seconds outlook_interval(10);

std::string outcome(const trials::TrialResult& result) {
  if (result.status == trials::TrialStatus::completed)
    return fmt::format("validation Dice {:.4f}", result.best_validation_dice);
  if (result.status == trials::TrialStatus::stopped_early)
    return fmt::format(
        "validation Dice {:.4f}, {}", result.best_validation_dice, result.reason);
  return fmt::format("{}, {}", core::to_string(result.status), result.reason);
}

}  // namespace

TrialLines::TrialLines(Study& study,
                       core::ProgressBar& bar,
                       std::string label,
                       std::size_t total,
                       TrialCosts& costs,
                       std::map<std::string, double> units,
                       Fidelity fidelity,
                       int places)
    : study_(study),
      bar_(bar),
      label_(std::move(label)),
      total_(total),
      costs_(costs),
      units_left_(std::move(units)),
      fidelity_(std::move(fidelity)),
      places_(static_cast<std::size_t>(places)) {}

void TrialLines::operator()(const work::Progress& progress) {
  const trials::TrialResult result = trials::result_from_record(*progress.result);
  costs_.learn(*progress.item, result);
  units_left_[progress.item->what.text("network")] -= progress.item->expected_cost;
  if (improves(*progress.item, result)) {
    best_said_ = said_of(*progress.item);
    bar_.best(best_);
    next_outlook_ = Clock::now();
  }
  if (progress.rank < 0) {  // from an earlier launch or stage, or a shard
    if (progress.done >= total_ && !best_is_noted())
      note_outlook(progress.done);
    return;
  }
  ++done_here_;
  study_.log().info(
      fmt::format("{} [{}/{}] {}: {} (best {:.4f}), {:.1f} s on rank {}, {} left",
                  label_,
                  progress.done,
                  total_,
                  said_of(*progress.item),
                  outcome(result),
                  best_,
                  result.seconds,
                  progress.rank,
                  core::duration_text(seconds_left(total_ - std::min(total_, progress.done)))));
  note_outlook(progress.done);
}

/// Where there are fidelities, a trial that came further counts, whatever its score.
bool TrialLines::improves(const work::Item& item, const trials::TrialResult& result) {
  const double dice = result.best_validation_dice;
  if (!trials::succeeded(result.status) || !std::isfinite(dice))
    return false;
  const int fidelity = fidelity_ ? fidelity_(item) : 0;
  if (std::pair(fidelity, dice) <= std::pair(best_fidelity_, best_))
    return false;
  best_fidelity_ = fidelity;
  best_ = dice;
  return true;
}

bool TrialLines::best_is_noted() const {
  const auto& events = study_.journal().past().events;
  return std::any_of(events.begin(), events.end(), [&](const work::Event& event) {
    return event.kind == "outlook" && event.key == label_ && event.data.has("best_is") &&
           event.data.number("best") == best_ && event.data.text("best_is") == best_said_;
  });
}

std::string TrialLines::said_of(const work::Item& item) const {
  return said(hyper_parameters_of(study_.options(), trials::spec_from_record(item.what)));
}

double TrialLines::seconds_left(std::size_t trials_left) const {
  if (trials_left == 0)
    return 0;
  double seconds = 0;
  for (const auto& [network, units] : units_left_)
    seconds += costs_.expected(network, std::max(units, 0.0));
  if (seconds > 0 && costs_.knows_seconds())
    return seconds / static_cast<double>(std::min(trials_left, places_));
  const std::chrono::duration<double> elapsed = Clock::now() - start_;
  return elapsed.count() / static_cast<double>(done_here_) * static_cast<double>(trials_left);
}

void TrialLines::note_outlook(std::size_t done) {
  if (Clock::now() < next_outlook_ && done < total_)
    return;
  next_outlook_ = Clock::now() + outlook_interval;
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  work::Record outlook;
  outlook.set("done", static_cast<std::int64_t>(done));
  outlook.set("total", static_cast<std::int64_t>(total_));
  outlook.set("seconds_left", seconds_left(total_ - std::min(total_, done)));
  outlook.set("at", now.count());
  outlook.set("best", best_);
  outlook.set("best_is", best_said_);
  study_.journal().note({"outlook", "trial", label_, outlook});
}

}  // namespace proxytune::jobs
