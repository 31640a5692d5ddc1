#include <algorithm>
#include <charconv>
#include <sstream>

#include <fmt/format.h>

#include "jobs/study.h"
#include "proxytune/comm/agree.h"
#include "proxytune/core/error.h"

// Of a study: which cases it was computed from.
namespace proxytune::jobs {
namespace {

int batch_number(const study::StudyFolder& folder, const std::string& text) {
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0)
    throw core::DataError(fmt::format(
        "{}: \"{}\" is no number of a batch; remove the file, and the pair matrix is "
        "computed again",
        (folder.path() / "batches.json").string(),
        text));
  return number;
}

}  // namespace

void Study::require_same_cases(const study::Fields& keys) {
  comm::from_root(world(), [&] {
    const study::StudyFolder folder = study::StudyFolder::open(base_path_, options_.name);
    study::Fields known = folder.fields("cases").value_or(study::Fields{});
    for (const auto& [id, key] : keys) {
      const auto before = known.find(id);
      if (before != known.end() && before->second != key && !journal_.empty() &&
          !session_.request.accept_changes)
        throw core::ConfigurationError(fmt::format(
            "the files of {} have changed since this study began, which makes all that "
            "was computed from them useless: restore them, repeat with --accept-changes, "
            "or choose another output.folder",
            id));
      known[id] = key;
    }
    if (shard_.whole())
      folder.save_fields("cases", known);
    return std::string();
  });
}

std::vector<int> Study::batches(const std::vector<std::string>& keys) {
  const std::string text = comm::from_root(world(), [&] {
    const study::StudyFolder folder = study::StudyFolder::open(base_path_, options_.name);
    study::Fields known = folder.fields("batches").value_or(study::Fields{});
    int next = 0;
    for (const auto& [key, batch] : known)
      next = std::max(next, batch_number(folder, batch) + 1);
    bool grown = false;
    std::string lines;
    for (const std::string& key : keys) {
      const auto [place, is_new] = known.try_emplace(key, std::to_string(next));
      grown = grown || is_new;
      lines += place->second + "\n";
    }
    if (grown) {
      require_not_shard();
      folder.save_fields("batches", known);
    }
    return lines;
  });
  std::vector<int> batches;
  std::istringstream lines(text);
  for (int batch = 0; lines >> batch;)
    batches.push_back(batch);
  return batches;
}

}  // namespace proxytune::jobs
