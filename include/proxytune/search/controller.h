#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxytune/core/random.h"
#include "proxytune/search/search_options.h"
#include "proxytune/search/space.h"

namespace proxytune::search {

/// Proposes points of [0,1]^d and learns from what came of them. Equal calls in equal order
/// give equal proposals, bit for bit; nothing depends on how many trials there will be.
class Controller {
 public:
  virtual ~Controller() = default;
  /// The point of trial `index`; asked for 0, 1, 2, ... in this order.
  virtual std::vector<double> propose(int index) = 0;
  /// What came of it, a finite number, larger is better; told for 0, 1, 2, ... in this order,
  /// each after its proposal.
  virtual void report(int index, double reward) = 0;
  /// What came of a point that was not its proposal. Nothing to those that do not learn.
  virtual void observe(const std::vector<double>& /*unit_point*/, double /*reward*/) {}
  /// How many proposals it has.
  virtual int limit() const { return std::numeric_limits<int>::max(); }
  /// Where it would go without exploring; none for those that do not learn.
  virtual std::optional<std::vector<double>> policy_mean() const { return std::nullopt; }
  /// Content hash of all that decides its next proposals, besides its key and options.
  virtual std::string state_hash() const = 0;
};

std::unique_ptr<Controller> make_controller(const SearchOptions& options,
                                            const SearchSpace& space,
                                            const core::RandomKey& key);

}  // namespace proxytune::search
