#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "proxytune/imaging/io.h"

namespace proxytune::imaging {

/// Slices put on top of each other.
struct SliceStack {
  ImageHeader header;              // of the volume
  std::vector<std::size_t> order;  // positions of the slices in the list, first to last
};

/// From the headers of a folder's slices, in any order. Throws core::DataError where they make
/// no regular grid: unequal extents or directions, a missing slice, two at one place, slices
/// that are shifted against each other.
SliceStack stack_slices(const std::vector<ImageHeader>& slices,
                        const std::filesystem::path& folder);

}  // namespace proxytune::imaging
