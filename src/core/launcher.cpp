#include "launcher.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace proxytune::core {
namespace {

std::string in_proc(pid_t process, const std::string& name) {
  return "/proc/" + std::to_string(process) + "/" + name;
}

std::optional<struct stat> status_of(pid_t process, int descriptor) {
  struct stat status {};
  if (stat(in_proc(process, "fd/" + std::to_string(descriptor)).c_str(), &status) != 0)
    return std::nullopt;
  return status;
}

/// 0: unknown. The name in parentheses may hold spaces and parentheses of its own.
pid_t parent_of(pid_t process) {
  std::ifstream file(in_proc(process, "stat"));
  std::string text;
  std::getline(file, text);
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos)
    return 0;
  std::istringstream fields(text.substr(name_end + 1));
  std::string state;
  pid_t parent = 0;
  fields >> state >> parent;
  return parent;
}

bool asks_to_rewrite(std::string_view argument) {
  if (!argument.starts_with('-'))
    return false;
  argument.remove_prefix(std::min(argument.find_first_not_of('-'), argument.size()));
  // Open MPI 4's options, and Open MPI 5's "--output tag,file=..." with its older spellings.
  constexpr std::array names{
      "tag-output", "timestamp-output", "output-filename", "output-directory", "xml", "output"};
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    return argument == name || argument.starts_with(std::string(name) + "=");
  });
}

}  // namespace

TerminalDevice::~TerminalDevice() {
  if (descriptor_ >= 0)
    close(descriptor_);
}

bool same_file(pid_t one, int one_descriptor, pid_t other, int other_descriptor) {
  const auto first = status_of(one, one_descriptor);
  const auto second = status_of(other, other_descriptor);
  if (!first || !second)
    return false;
  // A terminal's device may be reached through two file systems (containers).
  if (S_ISCHR(first->st_mode) && S_ISCHR(second->st_mode))
    return first->st_rdev == second->st_rdev;
  return first->st_dev == second->st_dev && first->st_ino == second->st_ino;
}

std::optional<pid_t> process_behind_output() {
  pid_t process = getppid();
  while (process > 0 && status_of(process, STDOUT_FILENO)) {
    if (!same_file(getpid(), STDOUT_FILENO, process, STDOUT_FILENO))
      return process;
    process = parent_of(process);
  }
  return std::nullopt;
}

std::optional<TerminalDevice> terminal_of_process(pid_t process, int descriptor) {
  // Opening anything else might wait, or take something from a pipe's other readers.
  const auto status = status_of(process, descriptor);
  if (!status || !S_ISCHR(status->st_mode))
    return std::nullopt;
  const int opened = open(in_proc(process, "fd/" + std::to_string(descriptor)).c_str(),
                          O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (opened < 0)
    return std::nullopt;
  TerminalDevice device(opened);
  if (isatty(opened) == 0)
    return std::nullopt;
  return device;
}

bool rewrites_lines(pid_t launcher) {
  // As Open MPI 4's mpirun tells its ranks, whether by option, environment or parameter file.
  for (const char* const variable : {"OMPI_MCA_orte_tag_output",
                                     "OMPI_MCA_orte_timestamp_output",
                                     "OMPI_MCA_orte_output_filename",
                                     "OMPI_MCA_orte_xml_output"})
    if (std::getenv(variable) != nullptr)
      return true;
  std::error_code unknown;
  const std::filesystem::path program =
      std::filesystem::read_symlink("/proc/self/exe", unknown);
  std::ifstream arguments(in_proc(launcher, "cmdline"), std::ios::binary);
  for (std::string argument; std::getline(arguments, argument, '\0');) {
    if (std::filesystem::path(argument).filename() == program.filename())
      return false;  // what follows is for us
    if (asks_to_rewrite(argument))
      return true;
  }
  return false;
}

}  // namespace proxytune::core
