#include "search/warm_controller.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace proxytune::search {
namespace {

class WarmController : public Controller {
 public:
  WarmController(std::vector<std::vector<double>> first, std::unique_ptr<Controller> controller)
      : first_(std::move(first)), controller_(std::move(controller)) {}

  std::vector<double> propose(int index) override {
    return index < given() ? first_[static_cast<std::size_t>(index)]
                           : controller_->propose(index - given());
  }
  void report(int index, double reward) override {
    if (index < given())
      controller_->observe(first_[static_cast<std::size_t>(index)], reward);
    else
      controller_->report(index - given(), reward);
  }
  void observe(const std::vector<double>& unit_point, double reward) override {
    controller_->observe(unit_point, reward);
  }
  int limit() const override {
    return std::min(controller_->limit(), std::numeric_limits<int>::max() - given()) + given();
  }
  std::optional<std::vector<double>> policy_mean() const override {
    return controller_->policy_mean();
  }
  std::string state_hash() const override { return controller_->state_hash(); }

 private:
  int given() const { return static_cast<int>(first_.size()); }

  std::vector<std::vector<double>> first_;
  std::unique_ptr<Controller> controller_;
};

}  // namespace

std::unique_ptr<Controller> make_warm_controller(std::vector<std::vector<double>> first,
                                                 std::unique_ptr<Controller> controller) {
  return std::make_unique<WarmController>(std::move(first), std::move(controller));
}

}  // namespace proxytune::search
