#include "proxytune/search/early_stopping.h"

#include <limits>
#include <set>

#include "proxytune/core/error.h"

namespace proxytune::search {

int HalvingOptions::bracket() const {
  int trials = 1;
  for (std::size_t rung = 0; rung < rungs.size(); ++rung) {
    if (trials > std::numeric_limits<int>::max() / reduction)
      return std::numeric_limits<int>::max();
    trials *= reduction;
  }
  return trials;
}

std::string HalvingOptions::arm_of(int rung) const {
  return rung < std::ssize(rungs) ? rungs[static_cast<std::size_t>(rung)].arm : "";
}

void validate(const HalvingOptions& options) {
  if (options.reduction < 2)
    throw core::FieldError("reduction",
                           "is " + std::to_string(options.reduction) +
                               ", but where all trials go on nothing is saved. Use 2 or more.");
  if (options.rungs.empty())
    throw core::FieldError("rungs",
                           "is missing. Say after how many epochs trials are compared, as "
                           "[{epochs: 5}, {epochs: 10}].");
  std::set<std::string> done;
  for (std::size_t i = 1; i < options.rungs.size(); ++i) {
    const std::string& before = options.rungs[i - 1].arm;
    const std::string& arm = options.rungs[i].arm;
    if (arm == before)
      continue;
    done.insert(before);
    if (before.empty() || done.contains(arm))
      throw core::FieldError("rungs." + std::to_string(i) + ".arm",
                             "is \"" + arm + "\" after \"" + before +
                                 "\", but trials go from arm to arm and come to their own, the "
                                 "empty name, in the end. Give each arm's rungs one after the "
                                 "other, those without an arm last.");
  }
  for (std::size_t i = 0; i < options.rungs.size(); ++i) {
    const bool first = i == 0 || options.rungs[i].arm != options.rungs[i - 1].arm;
    const int least = first ? 1 : options.rungs[i - 1].epochs + 1;
    if (options.rungs[i].epochs < least)
      throw core::FieldError(
          "rungs." + std::to_string(i) + ".epochs",
          "is " + std::to_string(options.rungs[i].epochs) + ", but " +
              (first ? "a trial is compared after some epochs" : "rungs rise") + ". Use " +
              std::to_string(least) + " or more.");
  }
}

void validate(const MedianStoppingOptions& options) {
  const auto at_least_one = [](const char* field, int value, const char* why) {
    if (value < 1)
      throw core::FieldError(
          field, "is " + std::to_string(value) + ", but " + why + ". Use 1 or more.");
  };
  at_least_one("from_epoch", options.from_epoch, "a trial is compared after some epochs");
  at_least_one("earlier_trials", options.earlier_trials, "a median is of some trials");
}

}  // namespace proxytune::search
