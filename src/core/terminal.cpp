#include "proxytune/core/terminal.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include <sys/ioctl.h>
#include <unistd.h>

#include "launcher.h"
#include "proxytune/core/error.h"

namespace proxytune::core {
namespace {

std::string variable(const char* name) {
  const char* const text = std::getenv(name);
  return text == nullptr ? "" : text;
}

/// Set for every rank by Open MPI, PMIx launchers, MPICH's and Intel's Hydra, Slurm and Flux.
bool was_launched() {
  constexpr std::array names{
      "OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID", "FLUX_TASK_RANK"};
  return std::any_of(
      names.begin(), names.end(), [](const char* name) { return !variable(name).empty(); });
}

/// 0: not told.
int columns_of(int descriptor) {
  winsize size{};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace

OutputFacts read_output_facts() {
  OutputFacts facts;
  facts.wish = variable("PROXYTUNE_PROGRESS");
  facts.term = variable("TERM");
  facts.terminal = isatty(STDOUT_FILENO) != 0;
  facts.launched = was_launched();
  if (!facts.launched)
    return facts;
  if (const auto launcher = process_behind_output()) {
    facts.launcher_terminal = terminal_of_process(*launcher, STDOUT_FILENO).has_value();
    facts.rewritten = rewrites_lines(*launcher);
  }
  return facts;
}

// A carriage return in a file is a nuisance for ever, a missing bar is none: where it cannot be
// known who reads, there is no bar.
//   * What is no terminal gets lines, and so does one that cannot erase (TERM).
//   * Under a launcher our own standard output says nothing: Open MPI gives each rank a
//     pseudo-terminal even where mpirun itself writes into a file or a pipe. The launcher's own
//     standard output counts. Where the process above is a daemon on another node (orted,
//     prted, slurmstepd), its output is no terminal, and where mpirun writes to is not to be
//     found out.
//   * A launcher that tags each line, or copies lines into files, would tag and copy the bar.
bool draws_bar(const OutputFacts& facts) {
  if (facts.wish == "bar" || facts.wish == "lines")
    return facts.wish == "bar";
  if (!facts.wish.empty() && facts.wish != "auto")
    throw ConfigurationError("PROXYTUNE_PROGRESS is \"" + facts.wish +
                             "\", but must be auto, bar or lines: correct or unset it");
  if (!facts.terminal || facts.term.empty() || facts.term == "dumb")
    return false;
  return !facts.launched || (facts.launcher_terminal && !facts.rewritten);
}

Terminal terminal_of(const OutputFacts& facts) {
  Terminal terminal;
  terminal.bar = draws_bar(facts);
  if (!terminal.bar)
    return terminal;
  pid_t writer = getpid();
  if (facts.launched)
    writer = process_behind_output().value_or(writer);
  std::shared_ptr<TerminalDevice> device;
  if (auto found = terminal_of_process(writer, STDOUT_FILENO))
    device = std::make_shared<TerminalDevice>(std::move(*found));
  terminal.shows_errors = device && same_file(writer, STDOUT_FILENO, writer, STDERR_FILENO);
  terminal.columns = [device] {
    const int columns = device ? columns_of(device->descriptor()) : 0;
    return columns > 0 ? columns : 80;
  };
  return terminal;
}

}  // namespace proxytune::core
