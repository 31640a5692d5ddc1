#pragma once

#include <vector>

namespace proxytune::ops {

/// Adds up what the parts of a batch, whose forward and backward passes go side by side, have
/// to say of each channel. Every part asks for the same sums in the same order.
class BatchSums {
 public:
  virtual ~BatchSums() = default;
  /// The sums over all parts of equally long lists; waits for the other parts. Throws where
  /// another part has failed.
  virtual std::vector<double> sum(const std::vector<double>& mine) = 0;
};

}  // namespace proxytune::ops
