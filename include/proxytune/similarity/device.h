#pragma once

#include <memory>
#include <string>

#include "proxytune/similarity/options.h"

namespace proxytune::similarity {

class Gpu;

/// A rank among those of its node.
struct NodePlace {
  int rank = 0;
  int ranks = 1;
};

/// Throws core::ConfigurationError where similarity.device asks for a GPU and there is none.
void require_device(const SimilarityOptions& options);

/// The GPU that this rank compares pairs on, or null: its processor. Ranks of a node take its
/// GPUs in turn; more ranks than GPUs share them. Throws as require_device(), and
/// core::SystemError where a GPU fails.
std::shared_ptr<Gpu> choose_gpu(const SimilarityOptions& options, const NodePlace& place);

/// "GPU 1 (NVIDIA H100 80GB HBM3)", or "the processor" for null.
std::string name_of(const std::shared_ptr<Gpu>& gpu);

}  // namespace proxytune::similarity
