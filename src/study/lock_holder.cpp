#include "lock_holder.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <signal.h>
#include <unistd.h>

namespace proxytune::study {
namespace {

std::string first_line_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

/// The fields of /proc/<pid>/stat from the 3rd on (the name in the 2nd may hold anything up to
/// its last ')'); empty where there is no such process.
std::vector<std::string> status_of(const std::string& process) {
  const std::string line = first_line_of("/proc/" + process + "/stat");
  const std::size_t end_of_name = line.rfind(')');
  if (end_of_name == std::string::npos)
    return {};
  std::istringstream rest(line.substr(end_of_name + 1));
  return {std::istream_iterator<std::string>(rest), {}};
}

/// The 22nd field: when the process started, in ticks since the machine did.
std::string start_in(const std::vector<std::string>& status) {
  constexpr std::size_t start = 22 - 3;
  return status.size() > start ? status[start] : std::string();
}

/// A zombie is dead: only its parent has not asked yet.
bool is_dead_in(const std::vector<std::string>& status) {
  return !status.empty() && (status[0] == "Z" || status[0] == "X");
}

std::string this_machine() {
  std::error_code ignored;
  return first_line_of("/proc/sys/kernel/random/boot_id") + " " +
         std::filesystem::read_symlink("/proc/self/ns/pid", ignored).string();
}

}  // namespace

LockHolder this_process() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  const char* job = std::getenv("SLURM_JOB_ID");
  LockHolder holder;
  holder.host = host.data();
  holder.machine = this_machine();
  holder.process = std::to_string(::getpid());
  holder.process_start = start_in(status_of(holder.process));
  holder.job = job == nullptr ? "" : job;
  return holder;
}

std::string to_text(const LockHolder& holder) {
  const nlohmann::json value = {{"host", holder.host},
                                {"machine", holder.machine},
                                {"process", holder.process},
                                {"process_start", holder.process_start},
                                {"job", holder.job},
                                {"released", holder.released}};
  return value.dump() + "\n";
}

LockHolder holder_from(std::string_view text) {
  const nlohmann::json value = nlohmann::json::parse(text, nullptr, false);
  LockHolder holder;
  if (!value.is_object())
    return holder;
  const auto text_of = [&](const char* name) {
    const auto found = value.find(name);
    return found != value.end() && found->is_string() ? found->get<std::string>() : "";
  };
  holder.host = text_of("host");
  holder.machine = text_of("machine");
  holder.process = text_of("process");
  holder.process_start = text_of("process_start");
  holder.job = text_of("job");
  const auto released = value.find("released");
  holder.released = released != value.end() && *released == true;
  return holder;
}

bool is_dead_here(const LockHolder& holder) {
  if (holder.machine.empty() || holder.machine != this_machine())
    return false;
  const int process = std::atoi(holder.process.c_str());
  if (process <= 0)
    return false;
  if (::kill(process, 0) != 0 && errno == ESRCH)
    return true;
  const std::vector<std::string> status = status_of(holder.process);
  const std::string start = start_in(status);
  return is_dead_in(status) || (!start.empty() && start != holder.process_start);
}

std::string name_of(const LockHolder& holder) {
  if (holder.host.empty())
    return "a job that is just starting";
  return "process " + holder.process + " on host " + holder.host +
         (holder.job.empty() ? "" : " (job " + holder.job + ")");
}

}  // namespace proxytune::study
