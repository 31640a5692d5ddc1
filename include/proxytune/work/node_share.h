#pragma once

#include <cstddef>
#include <vector>

#include "proxytune/comm/communicator.h"

namespace proxytune::work {

/// What a rank may use of its node when all ranks there take equal parts.
struct NodeShare {
  double processors = 1;
  double memory = 0;  // bytes that are free now
};

/// The least that any rank has, so that all ranks may count on it. Collective.
NodeShare least_share(comm::Communicator& world);

/// One rank's share of processors, of which each rank of a node may use those listed, by
/// number: one that several may use is divided among them.
double share_of_processors(const std::vector<std::vector<int>>& usable, std::size_t rank);

}  // namespace proxytune::work
