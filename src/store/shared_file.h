#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>

#include "proxytune/comm/communicator.h"
#include "store/hdf5_calls.h"

namespace proxytune::store {

/// One HDF5 file written by all ranks in phases; after each phase the ranks agree on success.
/// All members are collective. Unless it is published, the temporary file is removed and its
/// identifier left open: closing is collective inside HDF5 and may wait for a rank that failed.
class SharedFile {
 public:
  /// `bytes` is what will be written, all headers included.
  SharedFile(comm::Communicator& communicator,
             const std::filesystem::path& file,
             std::uint64_t bytes,
             std::uint64_t alignment);
  ~SharedFile();
  SharedFile(const SharedFile&) = delete;
  SharedFile& operator=(const SharedFile&) = delete;

  /// More than one rank, hence MPI-IO.
  bool parallel() const { return communicator_.size() > 1; }
  /// Runs `body`, collective calls of HDF5, on every rank; throws on every rank if one failed.
  /// Where the others do not come to that agreement, since they wait inside HDF5 for the rank
  /// that failed, the job ends.
  void phase(const std::function<void(hid_t file)>& body);
  /// The same for calls in which no rank waits for another.
  void independent_phase(const std::function<void(hid_t file)>& body);
  /// Flush, close, sync, rename.
  void publish();

 private:
  void collective(const std::function<void()>& body);
  void agreed(const std::function<void()>& body);
  comm::Communicator& communicator_;
  std::filesystem::path file_;
  std::filesystem::path temporary_;
  std::chrono::seconds patience_;
  h5::Handle handle_;
  bool published_ = false;
};

}  // namespace proxytune::store
