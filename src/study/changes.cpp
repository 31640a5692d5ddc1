#include "proxytune/study/changes.h"

#include <algorithm>
#include <set>
#include <utility>

#include "proxytune/core/error.h"

namespace proxytune::study {
namespace {

constexpr std::size_t changes_in_full = 3;  // the sentence names these, then counts

std::string value_of(const std::string& text) {
  return text.empty() ? "empty" : text;
}

std::string said(const Change& change) {
  if (!change.before)
    return change.field + " is new (" + value_of(*change.after) + ")";
  if (!change.after)
    return change.field + " was " + value_of(*change.before) + " and is gone";
  return change.field + " was " + value_of(*change.before) + " and is " +
         value_of(*change.after);
}

std::string said(const std::vector<Change>& changes) {
  std::string sentence;
  for (std::size_t i = 0; i < std::min(changes_in_full, changes.size()); ++i)
    sentence.append(i == 0 ? "" : ", ").append(said(changes[i]));
  if (changes.size() > changes_in_full)
    sentence +=
        ", and " + std::to_string(changes.size() - changes_in_full) + " more fields changed";
  return sentence;
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i)
    text.append(i == 0 ? "" : i + 1 == words.size() ? " and " : ", ").append(words[i]);
  return text;
}

std::vector<Change> differences(const Fields& before, const Fields& after) {
  std::vector<Change> changes;
  std::set<std::string> fields;
  for (const auto& entry : before)
    fields.insert(entry.first);
  for (const auto& entry : after)
    fields.insert(entry.first);
  const auto text_in = [](const Fields& all, const std::string& field) {
    const auto found = all.find(field);
    return found == all.end() ? std::nullopt : std::optional(found->second);
  };
  for (const std::string& field : fields) {
    Change change{field, text_in(before, field), text_in(after, field), {}};
    if (change.before != change.after)
      changes.push_back(std::move(change));
  }
  return changes;
}

}  // namespace

FieldClasses::FieldClasses(std::map<std::string, FieldClass> by_prefix,
                           std::vector<std::string> all_stages)
    : by_prefix_(std::move(by_prefix)),
      otherwise_{Effect::invalidates, std::move(all_stages)} {}

FieldClass FieldClasses::of(const std::string& field) const {
  for (std::string prefix = field; true; prefix.resize(prefix.rfind('.'))) {
    const auto found = by_prefix_.find(prefix);
    if (found != by_prefix_.end())
      return found->second;
    if (prefix.find('.') == std::string::npos)
      return otherwise_;
  }
}

std::vector<Change> compare(const Fields& before,
                            const Fields& after,
                            const FieldClasses& classes) {
  std::vector<Change> changes = differences(before, after);
  for (Change& change : changes)
    change.meaning = classes.of(change.field);
  return changes;
}

std::vector<std::string> invalidated_stages(const std::vector<Change>& changes,
                                            const std::vector<std::string>& all_stages) {
  std::vector<std::string> stages;
  for (const std::string& stage : all_stages) {
    const bool hit = std::ranges::any_of(changes, [&](const Change& change) {
      return change.meaning.effect == Effect::invalidates &&
             std::ranges::find(change.meaning.stages, stage) != change.meaning.stages.end();
    });
    if (hit)
      stages.push_back(stage);
  }
  return stages;
}

void require_accepted(const std::vector<Change>& changes,
                      const std::vector<std::string>& all_stages,
                      bool accepted) {
  std::vector<Change> invalidating;
  std::ranges::copy_if(changes, std::back_inserter(invalidating), [](const Change& change) {
    return change.meaning.effect == Effect::invalidates;
  });
  if (accepted || invalidating.empty())
    return;
  const std::vector<std::string> stages = invalidated_stages(invalidating, all_stages);
  throw core::ConfigurationError(
      said(invalidating) + ", which invalidates " +
      (stages.empty() ? "what the output folder holds" : listed(stages)) +
      ": repeat the command with --accept-changes to do that again, or choose another "
      "output.folder");
}

std::vector<Change> require_same_numerics(const Fields& frozen,
                                          const Fields& present,
                                          bool accepted) {
  std::vector<Change> changes = differences(frozen, present);
  if (changes.empty() || accepted)
    return changes;
  throw core::ConfigurationError(
      said(changes) +
      ", but equal results are promised only under the numerics with which the "
      "study began: go on where these hold, choose another output.folder, or "
      "repeat the command with --accept-other-numerics, which marks the results");
}

}  // namespace proxytune::study
