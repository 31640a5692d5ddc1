#include "store/shared_file.h"

#include <optional>

#include "proxytune/comm/agree.h"
#include "proxytune/comm/mpi_native.h"
#include "proxytune/comm/observed.h"
#include "proxytune/core/error.h"
#include "store/agreement_deadline.h"
#include "store/files.h"

namespace proxytune::store {

SharedFile::SharedFile(comm::Communicator& communicator,
                       const std::filesystem::path& file,
                       std::uint64_t bytes,
                       std::uint64_t alignment)
    : communicator_(communicator),
      file_(file),
      temporary_(file.string() + ".tmp"),
      patience_(io_patience(bytes)) {
  comm::together(communicator_, [&] {
    if (communicator_.is_root())
      make_room(temporary_, bytes);
  });
  try {
    collective([&] {
      const MPI_Comm raw = parallel() ? comm::native(communicator_) : MPI_COMM_NULL;
      handle_ = h5::create_file(temporary_, raw, alignment);
    });
    comm::together(communicator_, [&] {
      if (communicator_.is_root())
        reserve(temporary_, bytes);
    });
  } catch (...) {
    handle_.abandon();
    if (communicator_.is_root())
      discard(temporary_);
    throw;
  }
}

SharedFile::~SharedFile() {
  if (published_)
    return;
  if (parallel())
    handle_.abandon();
  if (communicator_.is_root())
    discard(temporary_);
}

void SharedFile::phase(const std::function<void(hid_t file)>& body) {
  collective([&] { body(handle_); });
}

void SharedFile::independent_phase(const std::function<void(hid_t file)>& body) {
  agreed([&] { body(handle_); });
}

void SharedFile::collective(const std::function<void()>& body) {
  agreed([&] {
    const comm::LibraryCollective inside(communicator_, "a collective of HDF5");
    body();
  });
}

void SharedFile::agreed(const std::function<void()>& body) {
  std::optional<AgreementDeadline> deadline;
  if (parallel())
    deadline.emplace(patience_, temporary_);
  comm::together(communicator_, [&] {
    try {
      body();
    } catch (const std::exception& error) {
      if (deadline)
        deadline->failed(error.what());
      throw;
    }
  });
}

void SharedFile::publish() {
  phase(h5::flush);
  collective([&] { h5::close_file(handle_); });
  comm::together(communicator_, [&] {
    if (communicator_.is_root())
      store::publish(temporary_, file_);
  });
  published_ = true;
}

}  // namespace proxytune::store
