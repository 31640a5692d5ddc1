#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace proxytune::core {

/// What decides whether rank 0 draws a progress bar.
struct OutputFacts {
  std::string wish;                // PROXYTUNE_PROGRESS; empty: unset
  std::string term;                // TERM; empty: unset
  bool terminal = false;           // standard output is one
  bool launched = false;           // a launcher (mpirun, srun) started this process
  bool launcher_terminal = false;  // the launcher's own standard output is known to be one
  bool rewritten = false;          // the launcher tags lines, or copies them into files
};

/// Of this process. To be called before MPI starts: Open MPI gives a process that nobody
/// launched the variables of a launcher.
OutputFacts read_output_facts();

/// Whether a bar may be drawn. Throws ConfigurationError for a wish that is no choice.
bool draws_bar(const OutputFacts& facts);

/// Where a rank's lines are seen. The default is no terminal: lines and nothing else.
struct Terminal {
  bool bar = false;           // this rank draws bars
  bool shows_errors = false;  // a bar is drawn where the ranks' standard error is seen
  std::function<int()> columns = [] { return 80; };  // at this moment
  std::chrono::milliseconds redraw{100};  // how often a changed bar is drawn anew; 0: never
  std::function<double()> seconds = {};   // a clock; empty: the steady one
};

/// Of this process. Throws as draws_bar does.
Terminal terminal_of(const OutputFacts& facts);

}  // namespace proxytune::core
