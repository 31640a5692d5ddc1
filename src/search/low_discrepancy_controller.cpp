#include "proxytune/core/hash.h"
#include "search/controllers.h"
#include "search/halton.h"

namespace proxytune::search {
namespace {

/// Evenly spread points: random search without its clumps and gaps.
class LowDiscrepancyController : public Controller {
 public:
  LowDiscrepancyController(const SearchSpace& space, const core::RandomKey& key)
      : choices_(choices_of(space)),
        halton_(static_cast<int>(choices_.size()), key.with("low-discrepancy search")) {}

  std::vector<double> propose(int index) override {
    return with_whole_choices(halton_.point(index), choices_);
  }

  void report(int, double) override {}
  std::string state_hash() const override { return core::content_hash("low_discrepancy"); }

 private:
  std::vector<int> choices_;
  Halton halton_;
};

}  // namespace

std::unique_ptr<Controller> make_low_discrepancy_controller(const SearchSpace& space,
                                                            const core::RandomKey& key) {
  return std::make_unique<LowDiscrepancyController>(space, key);
}

}  // namespace proxytune::search
