#pragma once

#include <filesystem>
#include <vector>

/// What the system lets this process have of its machine. `root` holds proc and sys.
namespace proxytune::core {

/// The processors that this process may run on, by number: its affinity.
std::vector<int> usable_processors();

/// How many processors' time its control groups (containers, batch systems) allow; infinite
/// without such a limit.
double processor_quota(const std::filesystem::path& root = "/");

/// Bytes of memory that may still be taken: what the kernel says it can give, or what the
/// control groups have left; infinite where nobody says.
double available_memory(const std::filesystem::path& root = "/");

}  // namespace proxytune::core
