#include "store/failure_deadline.h"

#include <chrono>
#include <cstdio>
#include <utility>

#include "proxytune/comm/communicator.h"
#include "proxytune/core/error.h"
#include "store/files.h"

namespace proxytune::store {

FailureDeadline::FailureDeadline(std::string sentence, std::filesystem::path file)
    : sentence_(std::move(sentence)), file_(std::move(file)) {
  clock_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, std::chrono::seconds(5), [this] { return agreed_; }))
      return;
    std::fprintf(stderr, "proxytune: %s\n", sentence_.c_str());
    std::fflush(stderr);
    discard(file_);
    comm::MpiEnvironment::abort(static_cast<int>(core::ExitCode::system));
  });
}

FailureDeadline::~FailureDeadline() {
  {
    const std::scoped_lock lock(mutex_);
    agreed_ = true;
  }
  wake_.notify_all();
  clock_.join();
}

}  // namespace proxytune::store
