#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "proxytune/comm/communicator.h"
#include "proxytune/config/node.h"
#include "proxytune/core/logging.h"

namespace proxytune::app {

/// What the user typed.
struct Request {
  std::string command;
  std::string subject;  // study file, results file or folder, as the command has it
  std::vector<std::string> overrides;  // --set KEY=VALUE, in order
  std::vector<std::string> inputs;     // --input
  std::string external;                // --external
  std::string output;                  // --output
  std::string arm;                     // --arm
  int repeat = 0;                      // --repeat
  std::string shard;                   // --shard
  std::string retry;                   // --retry
  bool accept_changes = false;
  bool accept_other_numerics = false;
};

/// What a job is handed. Equal on all ranks but for the communicator and the log.
struct Session {
  Request request;
  comm::Communicator& world;
  core::Log log;
  std::atomic<bool>& stop;  // set by TERM, INT, USR1, USR2 at this rank or another
  config::Node study;       // parsed, overrides applied; empty without a study file
  std::chrono::steady_clock::time_point begun;  // when the program started
};

/// Which subject a command takes.
enum class Subject { study, file, folder };

struct Command {
  std::string name;
  std::string summary;
  Subject subject = Subject::study;
  std::function<void(Session&)> run;
  std::vector<std::string>
      options;  // of "input", "external", "output", "arm", "repeat", "shard"
};

/// Runs the program: command line, MPI, signals, study file, the job, errors. Returns the exit
/// code (core::ExitCode). `stop` is what the signal handlers set.
int run(int argument_count,
        char** arguments,
        const std::vector<Command>& commands,
        std::atomic<bool>& stop);

/// Ends all ranks together: every rank says how its job ended; the root says each different
/// complaint once; a rank that does not answer within `patience_seconds` of a failure ends the
/// whole job (through `abort`), so that an error of one rank never leaves the others waiting.
/// Returns the exit code, the same on all ranks.
int farewell(comm::Communicator& channel,
             const core::Log& log,
             int exit_code,
             const std::string& complaint,
             double patience_seconds,
             const std::function<void(int)>& abort);

}  // namespace proxytune::app
