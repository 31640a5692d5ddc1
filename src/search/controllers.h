#pragma once

#include <memory>

#include "proxytune/search/controller.h"

namespace proxytune::search {

/// Choices of each dimension; 0 for a range.
std::vector<int> choices_of(const SearchSpace& space);

/// The point with each choice's coordinate in the middle of the choice's interval.
std::vector<double> with_whole_choices(std::vector<double> point,
                                       const std::vector<int>& choices);

std::unique_ptr<Controller> make_random_controller(const SearchSpace& space,
                                                   const core::RandomKey& key);
std::unique_ptr<Controller> make_low_discrepancy_controller(const SearchSpace& space,
                                                            const core::RandomKey& key);
std::unique_ptr<Controller> make_grid_controller(const SearchOptions& options,
                                                 const SearchSpace& space,
                                                 const core::RandomKey& key);
std::unique_ptr<Controller> make_replay_controller(const SearchOptions& options);
std::unique_ptr<Controller> make_bayesian_controller(const SearchSpace& space,
                                                     const core::RandomKey& key);
std::unique_ptr<Controller> make_reinforcement_controller(const SearchOptions& options,
                                                          const SearchSpace& space,
                                                          const core::RandomKey& key);

}  // namespace proxytune::search
