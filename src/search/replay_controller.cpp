#include <utility>

#include "proxytune/core/hash.h"
#include "search/controllers.h"

namespace proxytune::search {
namespace {

/// The points of a list, in its order.
class ReplayController : public Controller {
 public:
  explicit ReplayController(std::vector<std::vector<double>> points)
      : points_(std::move(points)) {}

  std::vector<double> propose(int index) override {
    return points_.at(static_cast<std::size_t>(index));
  }

  void report(int, double) override {}
  int limit() const override { return static_cast<int>(points_.size()); }
  std::string state_hash() const override { return core::content_hash("replay"); }

 private:
  std::vector<std::vector<double>> points_;
};

}  // namespace

std::unique_ptr<Controller> make_replay_controller(const SearchOptions& options) {
  return std::make_unique<ReplayController>(options.replay_points);
}

}  // namespace proxytune::search
