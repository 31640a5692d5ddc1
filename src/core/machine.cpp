#include "proxytune/core/machine.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>

#include <sched.h>

#include "proxytune/core/error.h"

namespace proxytune::core {
namespace {

namespace fs = std::filesystem;

constexpr double unlimited = std::numeric_limits<double>::infinity();

/// The file's numbers; "max" is none.
std::vector<double> numbers_in(const fs::path& file) {
  std::ifstream stream(file);
  std::vector<double> numbers;
  for (double number = 0; stream >> number;)
    numbers.push_back(number);
  return numbers;
}

std::optional<double> number_in(const fs::path& file) {
  const std::vector<double> numbers = numbers_in(file);
  return numbers.empty() ? std::nullopt : std::optional(numbers.front());
}

/// What follows this word at a line's beginning.
std::optional<double> number_after(const fs::path& file, const std::string& word) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    std::istringstream fields(line);
    std::string first;
    double number = 0;
    if (fields >> first && first == word && fields >> number)
      return number;
  }
  return std::nullopt;
}

bool holds(const std::string& list, const std::string& word) {
  return ("," + list + ",").find("," + word + ",") != std::string::npos;
}

/// This process's control group for the controller and those around it. In a container the
/// kernel may name groups that only the host sees; the mount's own group is always among them.
std::vector<fs::path> groups(const fs::path& root, const std::string& controller) {
  std::vector<fs::path> found;
  std::ifstream stream(root / "proc/self/cgroup");
  for (std::string line; std::getline(stream, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos)
      continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && !holds(controllers, controller))
      continue;
    const fs::path mount = root / "sys/fs/cgroup" / (controllers.empty() ? "" : controller);
    fs::path group = fs::path(line.substr(second + 1)).relative_path().lexically_normal();
    for (; !group.empty() && group != "."; group = group.parent_path())
      found.push_back(mount / group);
    found.push_back(mount);
  }
  return found;
}

double quota_of(const fs::path& group) {
  const std::vector<double> second_version = numbers_in(group / "cpu.max");
  if (second_version.size() == 2 && second_version[1] > 0)
    return second_version[0] / second_version[1];
  const auto quota = number_in(group / "cpu.cfs_quota_us");
  const auto period = number_in(group / "cpu.cfs_period_us");
  return quota && period && *quota > 0 && *period > 0 ? *quota / *period : unlimited;
}

/// What it may still take; the files it has read can be dropped.
double memory_left_in(const fs::path& group) {
  const auto left = [&](const char* limit, const char* used, const char* files) {
    const auto most = number_in(group / limit);
    const auto taken = number_in(group / used);
    return most && taken
               ? *most - *taken + number_after(group / "memory.stat", files).value_or(0)
               : unlimited;
  };
  return std::min(
      left("memory.max", "memory.current", "inactive_file"),
      left("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"));
}

}  // namespace

std::vector<int> usable_processors() {
  std::array<cpu_set_t, 16> sets{};  // one holds 1,024, which large machines exceed
  if (sched_getaffinity(0, sizeof sets, sets.data()) != 0)
    throw SystemError(std::string("cannot find out which processors may be used: ") +
                      std::strerror(errno));
  std::vector<int> processors;
  for (int processor = 0; processor < static_cast<int>(sets.size()) * CPU_SETSIZE; ++processor)
    if (CPU_ISSET_S(processor, sizeof sets, sets.data()))
      processors.push_back(processor);
  return processors;
}

double processor_quota(const fs::path& root) {
  double quota = unlimited;
  for (const fs::path& group : groups(root, "cpu"))
    quota = std::min(quota, quota_of(group));
  return quota;
}

double available_memory(const fs::path& root) {
  const auto kibibytes = number_after(root / "proc/meminfo", "MemAvailable:");
  double bytes = kibibytes ? *kibibytes * 1024 : unlimited;
  for (const fs::path& group : groups(root, "memory"))
    bytes = std::min(bytes, memory_left_in(group));
  return std::max(0.0, bytes);
}

}  // namespace proxytune::core
