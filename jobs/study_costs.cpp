#include "jobs/study_costs.h"

#include <sstream>

#include "proxytune/comm/agree.h"
#include "proxytune/study/lock.h"

namespace proxytune::jobs {
namespace {

void add_costs_of(const std::filesystem::path& folder,
                  const std::string& study,
                  const std::string& shard,
                  std::vector<LaunchCost>& costs) {
  const bool live = study::live_holder(folder).has_value();
  // Torn lines were said when the launch began.
  const work::JournalContents journal =
      work::read_journal(folder / "journal", study, core::Log::silent());
  for (LaunchCost& cost : launch_costs(journal, shard, live ? journal.last_launch : ""))
    costs.push_back(std::move(cost));
}

LaunchCost cost_of_this_launch(Study& study) {
  const std::string shard = study.shard().whole() ? "" : study.folder().filename().string();
  work::LaunchAccounts accounts;
  for (const std::string& text :
       comm::gather_texts(study.world(), work::to_json(study.account().so_far())))
    accounts.emplace(static_cast<int>(accounts.size()), work::from_json(text));
  return launch_cost(study.launch(), accounts, shard, /*at_work=*/true);
}

}  // namespace

std::vector<LaunchCost> costs_on_disk(const std::filesystem::path& folder,
                                      const std::string& study) {
  std::vector<LaunchCost> costs;
  add_costs_of(folder, study, "", costs);
  for (const std::filesystem::path& shard : shard_folders(folder))
    add_costs_of(shard, study, shard.filename().string(), costs);
  return costs;
}

std::vector<LaunchCost> gather_costs(Study& study) {
  const std::string text = comm::from_root(study.world(), [&] {
    std::string lines;
    for (const LaunchCost& cost : costs_on_disk(study.folder(), study.options().name))
      if (cost.launch != study.launch())
        lines += work::to_json(to_record(cost)) + "\n";
    return lines;
  });
  std::vector<LaunchCost> costs;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    costs.push_back(cost_from_record(work::from_json(line)));
  costs.push_back(cost_of_this_launch(study));
  return costs;
}

void say_costs(Study& study) {
  study.log().info(costs_text({cost_of_this_launch(study)}));
}

}  // namespace proxytune::jobs
