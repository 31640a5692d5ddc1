#include <array>
#include <exception>
#include <stdexcept>
#include <thread>

#include <unistd.h>

#include "thread_communicator.h"

namespace proxytune::comm {
namespace {

struct Ending {
  std::exception_ptr error;
  bool woken = false;  // by another rank's failure: a consequence, not a cause
};

Ending ending_of(Communicator& communicator, const std::function<void(Communicator&)>& body) {
  try {
    body(communicator);
    return {};
  } catch (const PeerFailed&) {
    return {std::current_exception(), true};
  } catch (...) {
    return {std::current_exception(), false};
  }
}

void wake_all(ThreadFamily& family) {
  const std::scoped_lock lock(family.mutex);
  family.failed = true;
  family.changed.notify_all();
}

}  // namespace

void run_as_threads(int ranks, const std::function<void(Communicator&)>& body) {
  if (ranks < 1)
    throw std::invalid_argument("run_as_threads needs a rank or more");
  auto family = std::make_shared<ThreadFamily>();
  auto group = std::make_shared<ThreadGroup>(family, ranks);
  std::vector<Ending> endings(static_cast<std::size_t>(ranks));
  {
    std::vector<std::jthread> threads;
    threads.reserve(static_cast<std::size_t>(ranks));
    for (int rank = 0; rank < ranks; ++rank) {
      threads.emplace_back([&, rank] {
        ThreadCommunicator communicator(group, rank);
        Ending ending = ending_of(communicator, body);
        if (ending.error)
          wake_all(*family);
        endings[static_cast<std::size_t>(rank)] = std::move(ending);
      });
    }
  }
  for (const bool woken : {false, true})
    for (const Ending& ending : endings)
      if (ending.error && ending.woken == woken)
        std::rethrow_exception(ending.error);
}

std::unique_ptr<Communicator> self_communicator() {
  auto family = std::make_shared<ThreadFamily>();
  family->one_process = true;
  return std::make_unique<ThreadCommunicator>(std::make_shared<ThreadGroup>(family, 1), 0);
}

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0)
    return "unknown host";
  return name.data();
}

}  // namespace proxytune::comm
