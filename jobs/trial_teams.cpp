#include "jobs/trial_teams.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "proxytune/comm/bytes.h"
#include "proxytune/core/error.h"
#include "proxytune/work/record.h"

namespace proxytune::jobs {
namespace {

/// How often a rank that waits for its leader looks: a trial takes seconds at least.
constexpr std::chrono::microseconds patience(500);

std::string said(int ranks, int a_team) {
  const int whole = ranks / a_team;
  const int rest = ranks % a_team;
  std::string text = fmt::format("{} team{} of {} ranks", whole, whole == 1 ? "" : "s", a_team);
  if (rest > 0)
    text += fmt::format(" and one of {}", rest);
  return text;
}

}  // namespace

TrialTeams::TrialTeams(comm::Communicator& world,
                       int ranks_per_trial,
                       training::Reduction reduction)
    : reduction_(reduction) {
  const int a_team = std::min(ranks_per_trial, world.size());
  largest_ = a_team;
  count_ = (world.size() + a_team - 1) / a_team;
  text_ = said(world.size(), a_team);
  ranks_ = world.split(world.rank() / a_team);
  control_ = ranks_->duplicate();
}

training::Team TrialTeams::team() {
  if (size() == 1)
    return {};
  return {*ranks_, reduction_};
}

void TrialTeams::tell(const std::string& text) {
  for (int rank = 1; rank < size(); ++rank)
    control_->send(comm::bytes_of(text), rank, comm::Tag::user);
}

void TrialTeams::call(const work::Item& piece) {
  tell(work::to_json(work::Record()
                         .set("key", piece.key)
                         .set("attempt", std::int64_t{piece.attempt})
                         .set("what", work::to_json(piece.what))));
}

void TrialTeams::dismiss() {
  tell("");
}

void TrialTeams::serve(const std::function<void(const work::Item&)>& piece) {
  for (;;) {
    const std::optional<comm::Message> message = control_->try_receive(comm::Tag::user);
    if (!message) {
      std::this_thread::sleep_for(patience);
      continue;
    }
    const std::string text = comm::text_of(message->bytes);
    if (text.empty())
      return;
    const work::Record record = work::from_json(text);
    work::Item item;
    item.key = record.text("key");
    item.attempt = static_cast<int>(record.integer("attempt"));
    item.what = work::from_json(record.text("what"));
    piece(item);
  }
}

void require_whole_teams(int ranks, const StudyOptions& options) {
  if (options.compute.reduction == training::Reduction::ordered)
    return;
  for (const int a_team : {options.compute.ranks_per_trial, options.final_ranks_per_trial()})
    if (ranks % a_team != 0)
      throw core::ConfigurationError(fmt::format(
          "{} rank{} cannot be divided into teams of {}, and by compute.reduction: fastest a "
          "trial's last digits depend on the number of ranks that share it. Start a multiple "
          "of "
          "{} ranks; a new study may use compute.reduction: ordered, which gives the same bits "
          "on any number",
          ranks,
          ranks == 1 ? "" : "s",
          a_team,
          a_team));
}

int parts_of_step(const StudyOptions& options, int ranks) {
  const int patches = training::patches_of_step(options.training);
  if (options.compute.reduction == training::Reduction::fastest)
    return std::min(patches, ranks);
  const int granule = std::min(patches, training::patches_of_granule(options.training));
  return patches / granule + (patches % granule > 0 ? 1 : 0);
}

}  // namespace proxytune::jobs
