#include "proxytune/core/hash.h"
#include "search/controllers.h"

namespace proxytune::search {
namespace {

/// Uniform, each proposal keyed by its index: the baseline that a search has to beat.
class RandomController : public Controller {
 public:
  RandomController(const SearchSpace& space, const core::RandomKey& key)
      : choices_(choices_of(space)), key_(key.with("random search")) {}

  std::vector<double> propose(int index) override {
    core::Random random(key_.with(static_cast<std::uint64_t>(index)));
    std::vector<double> point;
    for (std::size_t i = 0; i < choices_.size(); ++i)
      point.push_back(random.uniform());
    return with_whole_choices(point, choices_);
  }

  void report(int, double) override {}
  std::string state_hash() const override { return core::content_hash("random"); }

 private:
  std::vector<int> choices_;
  core::RandomKey key_;
};

}  // namespace

std::unique_ptr<Controller> make_random_controller(const SearchSpace& space,
                                                   const core::RandomKey& key) {
  return std::make_unique<RandomController>(space, key);
}

}  // namespace proxytune::search
