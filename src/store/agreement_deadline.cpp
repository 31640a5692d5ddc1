#include "store/agreement_deadline.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "proxytune/comm/communicator.h"
#include "proxytune/core/error.h"
#include "store/files.h"

namespace proxytune::store {
namespace {

constexpr std::chrono::seconds patience_after_a_failure{5};
constexpr std::uint64_t slowest_bytes_a_second = 1'000'000;

}  // namespace

std::chrono::seconds io_patience(std::uint64_t bytes) {
  long seconds = 120;
  if (const char* text = std::getenv("PROXYTUNE_IO_PATIENCE")) {
    char* end = nullptr;
    seconds = std::strtol(text, &end, 10);
    if (end == text || *end != '\0' || seconds < 1 || seconds > 1'000'000)
      throw core::ConfigurationError(std::string("PROXYTUNE_IO_PATIENCE is \"") + text +
                                     "\", but must be a whole number of seconds from 1 to "
                                     "1000000: correct or unset it");
  }
  return std::chrono::seconds(seconds + static_cast<long>(bytes / slowest_bytes_a_second));
}

AgreementDeadline::AgreementDeadline(std::chrono::seconds patience, std::filesystem::path file)
    : sentence_("writing " + file.string() + ": the ranks did not all end one step within " +
                std::to_string(patience.count()) +
                " s, so one of them failed inside MPI-IO, or its disk hangs: see the messages "
                "above, then repeat the command; on a slow file system set "
                "PROXYTUNE_IO_PATIENCE to more seconds"),
      file_(std::move(file)),
      end_(Clock::now() + patience),
      clock_([this] {
        std::unique_lock lock(mutex_);
        while (!agreed_ && Clock::now() < end_)
          wake_.wait_until(lock, end_);
        if (agreed_)
          return;
        std::fprintf(stderr, "proxytune: %s\n", sentence_.c_str());
        std::fflush(stderr);
        discard(file_);
        comm::MpiEnvironment::abort(static_cast<int>(core::ExitCode::system));
      }) {}

void AgreementDeadline::failed(const std::string& sentence) {
  {
    const std::scoped_lock lock(mutex_);
    sentence_ = sentence;
    end_ = Clock::now() + patience_after_a_failure;
  }
  wake_.notify_all();
}

AgreementDeadline::~AgreementDeadline() {
  {
    const std::scoped_lock lock(mutex_);
    agreed_ = true;
  }
  wake_.notify_all();
  clock_.join();
}

}  // namespace proxytune::store
