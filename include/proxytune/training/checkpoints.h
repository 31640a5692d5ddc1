#pragma once

#include <optional>
#include <string>

namespace proxytune::training {

/// Where a training keeps its state, so that another process goes on with it to the same bits.
/// Called by the thread that trains.
class Checkpoints {
 public:
  virtual ~Checkpoints() = default;
  /// What an earlier attempt kept; none: the training begins.
  virtual std::optional<std::string> load() = 0;
  /// Asked between two steps, and between two cases that are scored.
  virtual bool due() = 0;
  virtual void save(const std::string& state) = 0;
  /// What load() gave is no state of this training, which therefore begins anew.
  virtual void refuse(const std::string& why) = 0;
};

}  // namespace proxytune::training
