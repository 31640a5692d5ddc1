#include <chrono>
#include <cstring>
#include <optional>
#include <set>
#include <thread>

#include "proxytune/app/app.h"
#include "proxytune/core/error.h"

namespace proxytune::app {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<std::byte> pack(int code, const std::string& complaint) {
  std::vector<std::byte> bytes(sizeof code + complaint.size());
  std::memcpy(bytes.data(), &code, sizeof code);
  if (!complaint.empty())
    std::memcpy(bytes.data() + sizeof code, complaint.data(), complaint.size());
  return bytes;
}

struct Ending {
  int code = 0;
  std::string complaint;
};

Ending unpack(const std::vector<std::byte>& bytes) {
  Ending ending;
  std::memcpy(&ending.code, bytes.data(), sizeof ending.code);
  ending.complaint.assign(reinterpret_cast<const char*>(bytes.data()) + sizeof ending.code,
                          bytes.size() - sizeof ending.code);
  return ending;
}

/// The worst of two codes: a bug hides nothing, a stop gives way to a real error.
int worse(int a, int b) {
  const auto weight = [](int code) {
    switch (static_cast<core::ExitCode>(code)) {
      case core::ExitCode::done:
        return 0;
      case core::ExitCode::stopped:
        return 1;
      case core::ExitCode::bug:
        return 3;
      default:
        return 2;
    }
  };
  return weight(b) > weight(a) ? b : a;
}

/// Waits without spinning; nothing after the deadline, if there is one.
std::optional<comm::Message> wait_for(comm::Communicator& channel,
                                      comm::Tag tag,
                                      const std::optional<Clock::time_point>& deadline) {
  for (;;) {
    if (auto message = channel.try_receive(tag))
      return message;
    if (deadline && Clock::now() > *deadline)
      return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

int farewell(comm::Communicator& channel,
             const core::Log& log,
             int exit_code,
             const std::string& complaint,
             double patience_seconds,
             const std::function<void(int)>& abort) {
  const auto patience = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(patience_seconds));
  // A rank that is done may wait as long as the others work; once one has failed, not.
  std::optional<Clock::time_point> deadline;
  if (exit_code != 0)
    deadline = Clock::now() + patience;

  if (!channel.is_root()) {
    channel.send(pack(exit_code, complaint), 0, comm::Tag::to_manager);
    if (deadline)
      *deadline += patience;  // the root decides first
    const auto verdict = wait_for(channel, comm::Tag::to_worker, deadline);
    if (!verdict) {
      log.error(complaint);
      abort(exit_code);
      return exit_code;
    }
    return unpack(verdict->bytes).code;
  }

  int code = exit_code;
  std::set<std::string> said;
  const auto say = [&](const std::string& sentence) {
    if (!sentence.empty() && said.insert(sentence).second)
      log.error(sentence);
  };
  say(complaint);
  for (int missing = channel.size() - 1; missing > 0; --missing) {
    const auto message = wait_for(channel, comm::Tag::to_manager, deadline);
    if (!message) {
      log.error(std::to_string(missing) + " of " + std::to_string(channel.size()) +
                " ranks did not come to the end after the failure above; ending them");
      abort(code);
      return code;
    }
    const Ending ending = unpack(message->bytes);
    say(ending.complaint);
    code = worse(code, ending.code);
    if (code != 0 && !deadline)
      deadline = Clock::now() + patience;
  }
  for (int rank = 1; rank < channel.size(); ++rank)
    channel.send(pack(code, ""), rank, comm::Tag::to_worker);
  return code;
}

}  // namespace proxytune::app
