#pragma once

#include <string>

#include "proxytune/imaging/grid.h"

namespace proxytune::imaging {

/// Throws core::FieldError, of the preprocessing field that asks for a volume of these extents,
/// where it has 2^31 voxels or more or does not fit into the machine's memory. `cause` begins
/// the sentence: "is [0.01, 0.01, 0.01]"; `remedy` ends it.
void need_room(const Extents& extents,
               int channels,
               const std::string& field,
               const std::string& cause,
               const std::string& remedy);

}  // namespace proxytune::imaging
