#include "proxytune/analysis/trial_record.h"

#include <cstdint>

namespace proxytune::analysis {

void add_external(work::Record& record, const ExternalScores& external) {
  record.set("external_dice", external.scores.dice);
  record.set("external_classes", std::int64_t{external.scores.classes});
}

TrialRecord trial_record(const std::string& key,
                         const trials::TrialSpec& spec,
                         const work::Record& result) {
  TrialRecord trial;
  trial.key = key;
  trial.spec = spec;
  trial.result = trials::result_from_record(result);
  if (result.has("external_classes")) {
    trial.external.scores.classes = static_cast<int>(result.integer("external_classes"));
    if (result.has("external_dice"))
      trial.external.scores.dice = result.numbers("external_dice");
  }
  return trial;
}

}  // namespace proxytune::analysis
