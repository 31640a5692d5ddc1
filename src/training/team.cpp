#include "proxytune/training/team.h"

#include <cstring>
#include <exception>

#include "proxytune/comm/bytes.h"
#include "proxytune/comm/failure.h"
#include "proxytune/training/trial_failure.h"
#include "training/bytes.h"

namespace proxytune::training {
namespace {

/// First byte of what ranks tell each other.
enum class Kind : char { numbers, trial_failed, program_failed };

std::vector<std::byte> encode(const Team::Numbers& numbers) {
  BlockWriter writer;
  const Kind kind = Kind::numbers;
  writer.add(&kind, sizeof kind);
  writer.add(numbers.data(), numbers.size() * sizeof(double));
  return comm::bytes_of(writer.take());
}

/// Of the exception being handled.
std::vector<std::byte> encoded_failure() {
  BlockWriter writer;
  const auto add = [&](Kind kind, int code, const std::string& text) {
    writer.add(&kind, sizeof kind);
    writer.add(&code, sizeof code);
    writer.add(text);
  };
  if (const std::optional<TrialFailure> failure = failure_of_trial()) {
    add(Kind::trial_failed, static_cast<int>(failure->status()), failure->what());
  } else {
    const comm::Failure of_program = comm::current_failure();
    add(Kind::program_failed, static_cast<int>(of_program.code), of_program.sentence);
  }
  return comm::bytes_of(writer.take());
}

struct Told {
  Kind kind = Kind::numbers;
  Team::Numbers numbers;
  int code = 0;
  std::string text;
};

Told decode(std::span<const std::byte> bytes) {
  const std::string text = comm::text_of(bytes);
  BlockReader reader(text);
  Told told;
  reader.next(&told.kind, sizeof told.kind);
  if (told.kind == Kind::numbers) {
    const std::string_view block = reader.next();
    told.numbers.resize(block.size() / sizeof(double));
    if (!block.empty())
      std::memcpy(told.numbers.data(), block.data(), block.size());
  } else {
    reader.next(&told.code, sizeof told.code);
    told.text = reader.next();
  }
  return told;
}

[[noreturn]] void throw_failure_of(int rank, int size, const Told& told) {
  if (told.kind == Kind::program_failed)
    comm::throw_failure({static_cast<core::ExitCode>(told.code), told.text});
  // All ranks of a trial have the same to say of the batch; of memory and errors it matters
  // who.
  const auto status = static_cast<trials::TrialStatus>(told.code);
  const bool names_rank = rank > 0 && status != trials::TrialStatus::diverged &&
                          status != trials::TrialStatus::timed_out;
  throw TrialFailure(status,
                     (names_rank ? "rank " + std::to_string(rank) + " of the trial's " +
                                       std::to_string(size) + ": "
                                 : std::string()) +
                         told.text);
}

}  // namespace

Team::Team(comm::Communicator& ranks, Reduction reduction)
    : ranks_(ranks.size() > 1 ? &ranks : nullptr), reduction_(reduction) {
  if (ranks_ != nullptr)
    collectives_ = comm::host_collectives(ranks);
}

std::vector<Team::Numbers> Team::share(const std::function<Numbers()>& local) {
  if (ranks_ == nullptr)
    return {local()};
  std::vector<std::byte> mine;
  std::exception_ptr failed;
  try {
    mine = encode(local());
  } catch (...) {
    if (all_know_)
      throw;
    mine = encoded_failure();
    failed = std::current_exception();
  }
  return tell(mine, failed);
}

std::vector<Team::Numbers> Team::tell(const std::vector<std::byte>& mine,
                                      const std::exception_ptr& mine_failed) {
  const std::vector<std::vector<std::byte>> all = ranks_->all_gather(mine);
  std::vector<Numbers> numbers;
  for (std::size_t r = 0; r < all.size(); ++r) {
    Told told = decode(all[r]);
    if (told.kind != Kind::numbers) {
      all_know_ = true;
      if (static_cast<int>(r) == rank() && mine_failed)
        std::rethrow_exception(mine_failed);
      throw_failure_of(static_cast<int>(r), size(), told);
    }
    numbers.push_back(std::move(told.numbers));
  }
  return numbers;
}

void Team::together(const std::function<void()>& local) {
  share([&] {
    local();
    return Numbers();
  });
}

std::string Team::from_leader(const std::function<std::string()>& make) {
  std::string text;
  const auto lengths = share([&] {
    if (leads())
      text = make();
    return Numbers{static_cast<double>(text.size())};
  });
  if (ranks_ == nullptr)
    return text;
  // Whoever gets no memory says so before the others wait in the broadcast.
  std::vector<std::byte> bytes;
  together([&] {
    if (leads())
      bytes = comm::bytes_of(text);
    else
      bytes.resize(static_cast<std::size_t>(lengths.front().front()));
  });
  ranks_->broadcast(bytes, 0);
  return comm::text_of(bytes);
}

}  // namespace proxytune::training
