#include "proxytune/search/controller.h"

#include <stdexcept>

#include "search/controllers.h"
#include "search/warm_controller.h"

namespace proxytune::search {

std::vector<int> choices_of(const SearchSpace& space) {
  std::vector<int> choices;
  for (const Dimension& dimension : space.dimensions)
    choices.push_back(static_cast<int>(dimension.choices.size()));
  return choices;
}

std::vector<double> with_whole_choices(std::vector<double> point,
                                       const std::vector<int>& choices) {
  for (std::size_t i = 0; i < choices.size(); ++i)
    if (choices[i] > 0)
      point[i] = unit_of_choice(choice_at(point[i], choices[i]), choices[i]);
  return point;
}

std::unique_ptr<Controller> make_controller(const SearchOptions& options,
                                            const SearchSpace& space,
                                            const core::RandomKey& key) {
  if (!options.first_points.empty()) {
    SearchOptions rest = options;
    rest.first_points.clear();
    return make_warm_controller(options.first_points, make_controller(rest, space, key));
  }
  switch (options.method) {
    case Method::reinforcement:
      return make_reinforcement_controller(options, space, key);
    case Method::random:
      return make_random_controller(space, key);
    case Method::low_discrepancy:
      return make_low_discrepancy_controller(space, key);
    case Method::bayesian:
      return make_bayesian_controller(space, key);
    case Method::grid:
      return make_grid_controller(options, space, key);
    case Method::replay:
      return make_replay_controller(options);
  }
  throw std::logic_error("a search method without a controller");
}

}  // namespace proxytune::search
