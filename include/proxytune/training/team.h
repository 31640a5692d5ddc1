#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "proxytune/comm/device_collectives.h"
#include "proxytune/core/names.h"

namespace proxytune::training {

/// How the gradients of a batch's granules are added up.
enum class Reduction {
  ordered,  // in a tree that knows granules and not ranks: the same bits on any number of them
  fastest,  // a rank's patches at once, then as the transport adds
};
inline constexpr core::Name<Reduction> names_of_reduction[] = {{Reduction::ordered, "ordered"},
                                                               {Reduction::fastest, "fastest"}};
constexpr std::span<const core::Name<Reduction>> names(Reduction) {
  return names_of_reduction;
}

/// The ranks that train one model together. All of them go through the same steps in the same
/// order; what happens to one of them happens to all. One a training: after a failure that all
/// have heard of, nothing more is shared. What is done with collectives() comes after a
/// share() in which all memory for it was taken: a rank that throws there is not waited for.
/// Not thread-safe.
class Team {
 public:
  using Numbers = std::vector<double>;

  /// One rank alone.
  Team() = default;
  /// `ranks` outlives it.
  Team(comm::Communicator& ranks, Reduction reduction);

  int rank() const { return ranks_ == nullptr ? 0 : ranks_->rank(); }
  int size() const { return ranks_ == nullptr ? 1 : ranks_->size(); }
  bool leads() const { return rank() == 0; }
  Reduction reduction() const { return reduction_; }
  /// Only of two ranks or more.
  comm::DeviceCollectives& collectives() { return *collectives_; }

  /// Runs `local` on each rank; afterwards every rank has what each of them gave, by rank.
  /// Where one throws all throw, the others a TrialFailure of the same status that names it, or
  /// the same core::Error where it is not the trial's. `local` may share() itself. Collective.
  std::vector<Numbers> share(const std::function<Numbers()>& local);
  /// The same without numbers.
  void together(const std::function<void()>& local);
  /// The leader's text on every rank. Collective.
  std::string from_leader(const std::function<std::string()>& make);

 private:
  std::vector<Numbers> tell(const std::vector<std::byte>& mine,
                            const std::exception_ptr& mine_failed);

  comm::Communicator* ranks_ = nullptr;
  Reduction reduction_ = Reduction::ordered;
  std::unique_ptr<comm::DeviceCollectives> collectives_;
  bool all_know_ = false;  // of a failure
};

}  // namespace proxytune::training
