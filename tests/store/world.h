#pragma once

#include <filesystem>
#include <string>

#include "proxytune/comm/communicator.h"

namespace proxytune::store {

/// MPI's world, alive while the tests run.
comm::Communicator& world();

/// A folder that all ranks share, empty at the start and removed at the end. Collective.
class SharedFolder {
 public:
  SharedFolder();
  ~SharedFolder();
  SharedFolder(const SharedFolder&) = delete;
  SharedFolder& operator=(const SharedFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace proxytune::store
