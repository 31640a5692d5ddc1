#pragma once

#include <memory>
#include <vector>

#include "proxytune/search/controller.h"

namespace proxytune::search {

/// Proposes these points first; then the other's proposals, which observes what came of them.
std::unique_ptr<Controller> make_warm_controller(std::vector<std::vector<double>> first,
                                                 std::unique_ptr<Controller> controller);

}  // namespace proxytune::search
