#include <algorithm>
#include <limits>
#include <numeric>

#include "proxytune/core/hash.h"
#include "search/controllers.h"

namespace proxytune::search {
namespace {

constexpr int most_points = std::numeric_limits<int>::max();

/// The product, or most_points where that is more.
int lattice_size(const std::vector<int>& counts) {
  std::int64_t size = 1;
  for (const int count : counts)
    size = std::min<std::int64_t>(size * count, most_points);
  return static_cast<int>(size);
}

std::vector<int> lattice(const std::vector<int>& choices, int points_of_a_range) {
  std::vector<int> counts = choices;
  for (int& count : counts)
    if (count == 0)
      count = points_of_a_range;
  return counts;
}

/// Every point of a lattice once, both ends of each range included, in an order of strides: a
/// grid that is stopped early, or larger than the trials, has not only seen one edge.
class GridController : public Controller {
 public:
  GridController(const SearchOptions& options,
                 const SearchSpace& space,
                 const core::RandomKey& key)
      : choices_(choices_of(space)),
        counts_(lattice(choices_, options.grid_points)),
        size_(lattice_size(counts_)),
        first_(0),
        stride_(1) {
    core::Random random(key.with("grid search"));
    const auto size = static_cast<std::uint64_t>(size_);
    first_ = random.index(size);
    do
      stride_ = 1 + random.index(size);
    while (std::gcd(stride_, size) != 1);
  }

  std::vector<double> propose(int index) override {
    std::uint64_t cell = (first_ + stride_ * static_cast<std::uint64_t>(index)) %
                         static_cast<std::uint64_t>(size_);
    std::vector<double> point;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      const auto count = static_cast<std::uint64_t>(counts_[i]);
      const int step = static_cast<int>(cell % count);
      cell /= count;
      point.push_back(choices_[i] > 0 ? unit_of_choice(step, choices_[i])
                                      : static_cast<double>(step) / (counts_[i] - 1));
    }
    return point;
  }

  void report(int, double) override {}
  int limit() const override { return size_; }
  std::string state_hash() const override { return core::content_hash("grid"); }

 private:
  std::vector<int> choices_;
  std::vector<int> counts_;
  int size_;
  std::uint64_t first_;
  std::uint64_t stride_;  // coprime to the size: each point comes once
};

}  // namespace

std::unique_ptr<Controller> make_grid_controller(const SearchOptions& options,
                                                 const SearchSpace& space,
                                                 const core::RandomKey& key) {
  return std::make_unique<GridController>(options, space, key);
}

}  // namespace proxytune::search
