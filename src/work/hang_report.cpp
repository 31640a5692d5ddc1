#include <algorithm>
#include <cmath>

#include "proxytune/work/hang_watch.h"

namespace proxytune::work {
namespace {

/// Of those that wait, which are alike.
constexpr std::size_t most_waiting_lines = 32;

std::string seconds_text(double seconds) {
  return std::to_string(std::lround(seconds)) + " s";
}

std::string line_of(std::size_t rank, const Sign& sign, double timeout) {
  const std::string host = sign.at.host.empty() ? "an unknown host" : sign.at.host;
  std::string text = "\n  rank " + std::to_string(rank) + " on " + host + ": ";
  if (sign.silent > timeout)
    text += "HANGS, no sign of life for " + seconds_text(sign.silent) + "; last at ";
  else if (sign.at.waits_for.empty())
    text += std::string(sign.still > timeout ? "HANGS" : "at work") + ", came no further for " +
            seconds_text(sign.still) + "; at ";
  else
    text += "waits in " + sign.at.waits_for + " for " + seconds_text(sign.still) + "; at ";
  return text + (sign.at.doing.empty() ? "its start" : sign.at.doing);
}

}  // namespace

std::string hang_report(const std::vector<Sign>& ranks, double timeout) {
  std::string blamed;
  std::string others;
  std::size_t other_lines = 0;
  bool all_wait = true;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    const Sign& sign = ranks[rank];
    const bool waits = !sign.at.waits_for.empty();
    all_wait = all_wait && waits && sign.still > timeout;
    const std::string line = line_of(rank, sign, timeout);
    if (sign.silent > timeout || (!waits && sign.still > timeout))
      blamed += line;
    else if (++other_lines <= most_waiting_lines)
      others += line;
  }
  if (blamed.empty() && !all_wait)
    return "";
  if (other_lines > most_waiting_lines)
    others += "\n  and " + std::to_string(other_lines - most_waiting_lines) + " more";
  return (blamed.empty() ? "all ranks wait for each other, none has come further for "
                         : "a rank hangs: nothing has come from it for ") +
         seconds_text(timeout) + blamed + others;
}

}  // namespace proxytune::work
