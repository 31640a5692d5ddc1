#include "proxytune/study/lock.h"

#include <atomic>
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lock_holder.h"
#include "proxytune/core/error.h"
#include "proxytune/core/files.h"

namespace proxytune::study {
namespace {

constexpr std::string_view prefix = "lock.";

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& what) {
  const std::string reason = std::strerror(errno);
  throw core::SystemError(file.string() + ": cannot " + what + ": " + reason);
}

std::filesystem::path file_of(const std::filesystem::path& folder, long number) {
  return folder / (std::string(prefix) + std::to_string(number));
}

/// Lock files by number.
std::map<long, std::filesystem::path> locks_in(const std::filesystem::path& folder) {
  std::map<long, std::filesystem::path> locks;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix))
      continue;
    const std::string digits = name.substr(prefix.size());
    long number = 0;
    const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    if (end == digits.data() + digits.size() && number > 0)
      locks[number] = entry.path();
  }
  if (error)
    throw core::SystemError(folder.string() + ": cannot list: " + error.message());
  return locks;
}

/// Time of change by the file server's clock; opening first makes NFS ask the server.
std::chrono::nanoseconds changed_at(int descriptor) {
  struct stat state {};
  ::fstat(descriptor, &state);
  return std::chrono::seconds(state.st_mtim.tv_sec) +
         std::chrono::nanoseconds(state.st_mtim.tv_nsec);
}

/// The file server's present time: that of a file changed just now.
std::chrono::nanoseconds now_in(const std::filesystem::path& folder) {
  std::string name = (folder / ".clock.XXXXXX").string();
  const int descriptor = ::mkstemp(name.data());
  if (descriptor < 0)
    fail(folder, "write in the folder");
  ::futimens(descriptor, nullptr);
  const auto now = changed_at(descriptor);
  ::close(descriptor);
  ::unlink(name.c_str());
  return now;
}

struct Seen {
  LockHolder holder;
  std::chrono::nanoseconds silent_for{};
  bool gone = false;
};

Seen look_at(const std::filesystem::path& file) {
  Seen seen;
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    seen.gone = errno == ENOENT;
    if (seen.gone)
      return seen;
    fail(file, "read the lock");
  }
  const auto changed = changed_at(descriptor);
  ::close(descriptor);
  seen.silent_for = now_in(file.parent_path()) - changed;
  try {
    seen.holder = holder_from(core::read_file(file));
  } catch (const core::DataError&) {
    seen.gone = true;  // removed meanwhile by the job that follows
  }
  return seen;
}

[[noreturn]] void refuse(const std::filesystem::path& file,
                         const Seen& seen,
                         const LockOptions& options) {
  const auto seconds = [](auto duration) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count());
  };
  throw core::ConfigurationError("output.folder " + file.parent_path().string() +
                                 " is in use by " + name_of(seen.holder) +
                                 ", whose last sign of life is " + seconds(seen.silent_for) +
                                 " s old: wait for it, stop it, or choose another folder (a "
                                 "lock counts as abandoned after " +
                                 seconds(options.stale_after) + " s of silence)");
}

/// Creates the file for this process; false if it is there already.
bool create(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0 && errno == EEXIST)
    return false;
  if (descriptor < 0)
    fail(file, "create the lock");
  const std::string text = to_text(this_process());
  const bool written =
      ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(descriptor) == 0;
  if (!written) {
    const int error = errno;
    ::unlink(file.c_str());
    ::close(descriptor);
    errno = error;
    fail(file, "write the lock");
  }
  ::close(descriptor);
  return true;
}

bool is_free(const Seen& seen, const LockOptions& options) {
  return seen.holder.released || is_dead_here(seen.holder) ||
         seen.silent_for > options.stale_after;
}

/// The number of the lock now held.
long acquire(const std::filesystem::path& folder, const LockOptions& options) {
  while (true) {
    const auto locks = locks_in(folder);
    const long newest = locks.empty() ? 0 : locks.rbegin()->first;
    if (newest > 0) {
      const std::filesystem::path& file = locks.rbegin()->second;
      const Seen seen = look_at(file);
      if (seen.gone)
        continue;
      if (!is_free(seen, options))
        refuse(file, seen, options);
    }
    if (!create(file_of(folder, newest + 1)))
      continue;  // another was quicker: look at it
    const auto after = locks_in(folder);
    if (!after.empty() && after.rbegin()->first == newest + 1)
      return newest + 1;
    ::unlink(file_of(folder, newest + 1).c_str());  // came late, to a number long followed
  }
}

}  // namespace

struct StudyLock::State {
  std::filesystem::path folder;
  long number = 0;
  LockOptions options;
  std::atomic<bool> lost{false};
  std::mutex mutex;
  std::condition_variable wake;
  bool ending = false;
  std::thread heart;

  std::filesystem::path file() const { return file_of(folder, number); }

  void beat() {
    std::unique_lock lock(mutex);
    while (!wake.wait_for(lock, options.heartbeat, [&] { return ending; })) {
      ::utimensat(AT_FDCWD, file().c_str(), nullptr, 0);
      try {
        const auto locks = locks_in(folder);
        if (!locks.contains(number) || locks.rbegin()->first != number)
          lost = true;
      } catch (const core::SystemError&) {
        // A folder that cannot be listed for a moment says nothing about the lock.
      }
    }
  }

  /// The file stays and says so: were it removed, its number could be taken a second time.
  void release() noexcept {
    try {
      LockHolder holder = this_process();
      holder.released = true;
      if (!lost)
        core::write_file_atomically(file(), to_text(holder));
    } catch (const std::exception&) {
      // It grows stale by itself.
    }
  }
};

StudyLock::StudyLock(const std::filesystem::path& folder, LockOptions options)
    : state_(std::make_unique<State>()) {
  state_->folder = folder;
  state_->options = options;
  state_->number = acquire(folder, options);
  for (const auto& [number, file] : locks_in(folder))
    if (number < state_->number)
      ::unlink(file.c_str());
  state_->heart = std::thread([state = state_.get()] { state->beat(); });
}

StudyLock::StudyLock(StudyLock&&) noexcept = default;

StudyLock::~StudyLock() {
  if (!state_)
    return;
  {
    const std::scoped_lock lock(state_->mutex);
    state_->ending = true;
  }
  state_->wake.notify_all();
  state_->heart.join();
  state_->release();
}

bool StudyLock::lost() const {
  return state_->lost;
}

std::optional<std::string> live_holder(const std::filesystem::path& folder,
                                       const LockOptions& options) {
  const auto locks = locks_in(folder);
  if (locks.empty())
    return std::nullopt;
  const Seen seen = look_at(locks.rbegin()->second);
  return seen.gone || is_free(seen, options) ? std::nullopt
                                             : std::optional(name_of(seen.holder));
}

}  // namespace proxytune::study
