#include "proxytune/comm/agree.h"

#include <optional>

#include "proxytune/comm/bytes.h"
#include "proxytune/comm/failure.h"

namespace proxytune::comm {
namespace {

std::optional<Failure> failure_of(const std::function<void()>& local) {
  try {
    local();
    return std::nullopt;
  } catch (...) {
    return current_failure();
  }
}

/// Nothing for success; else the exit code in one byte, then the sentence.
std::vector<std::byte> encode(const std::optional<Failure>& failure) {
  if (!failure)
    return {};
  std::vector<std::byte> bytes{static_cast<std::byte>(failure->code)};
  const std::vector<std::byte> sentence = bytes_of(failure->sentence);
  bytes.insert(bytes.end(), sentence.begin(), sentence.end());
  return bytes;
}

Failure decode(std::span<const std::byte> bytes) {
  return {static_cast<core::ExitCode>(bytes.front()), text_of(bytes.subspan(1))};
}

}  // namespace

void together(Communicator& communicator, const std::function<void()>& local) {
  const auto outcomes = communicator.all_gather(encode(failure_of(local)));
  for (const std::vector<std::byte>& outcome : outcomes)
    if (!outcome.empty())
      throw_failure(decode(outcome));
}

std::string from_root(Communicator& communicator, const std::function<std::string()>& make) {
  constexpr std::byte made{0};
  std::vector<std::byte> bytes;
  if (communicator.is_root()) {
    const auto failure = failure_of([&] { bytes = bytes_of(make()); });
    if (failure) {
      bytes = encode(failure);
    } else {
      bytes.insert(bytes.begin(), made);
    }
  }
  communicator.broadcast(bytes, 0);
  if (bytes.front() != made)
    throw_failure(decode(bytes));
  return text_of(std::span(bytes).subspan(1));
}

std::vector<std::string> gather_texts(Communicator& communicator, const std::string& mine) {
  std::vector<std::string> texts;
  for (const std::vector<std::byte>& bytes : communicator.all_gather(bytes_of(mine)))
    texts.push_back(text_of(bytes));
  return texts;
}

bool any(Communicator& communicator, bool mine) {
  const std::byte flag{mine};
  for (const std::vector<std::byte>& other : communicator.all_gather(std::span(&flag, 1)))
    if (other.front() != std::byte{0})
      return true;
  return false;
}

}  // namespace proxytune::comm
