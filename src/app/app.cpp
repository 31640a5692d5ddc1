#include "proxytune/app/app.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <utility>

#include <CLI/CLI.hpp>

#include "proxytune/comm/agree.h"
#include "proxytune/comm/failure.h"
#include "proxytune/core/error.h"
#include "proxytune/core/terminal.h"

namespace proxytune::app {
namespace {

constexpr double patience_seconds = 20;

struct Parsed {
  Request request;
  const Command* command = nullptr;
  bool help = false;
  std::string text;  // of the help, or of the complaint
};

const char* subject_word(Subject subject) {
  switch (subject) {
    case Subject::study:
      return "STUDY.yaml";
    case Subject::file:
      return "FILE";
    default:
      return "FOLDER";
  }
}

/// The phantom's options are set like a study's, but have no file.
bool has_fields(const Command& command) {
  return command.subject == Subject::study || command.name == "phantom";
}

void declare_options(CLI::App& sub, const Command& command, Request& request) {
  sub.add_option(subject_word(command.subject), request.subject)->required();
  const auto has = [&](const char* name) {
    return std::find(command.options.begin(), command.options.end(), name) !=
           command.options.end();
  };
  if (has_fields(command)) {
    // Every occurrence takes one value, so that a study file may follow it.
    sub.add_option("--set", request.overrides, "override a field: --set section.field=value")
        ->allow_extra_args(false);
  }
  if (command.subject == Subject::study) {
    sub.add_flag("--accept-changes",
                 request.accept_changes,
                 "go on although a changed field makes finished work useless");
    sub.add_flag("--accept-other-numerics",
                 request.accept_other_numerics,
                 "go on with another library, instruction set or thread count than before");
    sub.add_option("--retry",
                   request.retry,
                   "trials that did not complete run again: failed (all but diverged ones), or "
                   "those of one status")
        ->check(CLI::IsMember({"failed", "diverged", "out_of_memory", "timed_out", "lost"}));
  }
  if (has("input"))
    sub.add_option("--input",
                   request.inputs,
                   "images: one file, or one file a channel separated by commas")
        ->required();
  if (has("external"))
    sub.add_option("--external", request.external, "dataset.json of the withheld volumes")
        ->required();
  if (has("output"))
    sub.add_option("--output", request.output, "where to write")->required();
  if (has("arm"))
    sub.add_option("--arm", request.arm, "arm whose final model is used");
  if (has("repeat"))
    sub.add_option("--repeat", request.repeat, "repeat of the final training");
  if (has("shard"))
    sub.add_option("--shard",
                   request.shard,
                   "one part of the trials, INDEX/COUNT from 1 on, in a folder of its own");
}

Parsed parse_command_line(int argument_count,
                          char** arguments,
                          const std::vector<Command>& commands) {
  Parsed parsed;
  CLI::App cli(
      "proxytune: hyper-parameters of a 3-D segmentation network from proxy data and proxy "
      "networks");
  cli.require_subcommand(1);
  cli.footer(
      "Exit codes: 0 done, 2 configuration, 3 data, 4 MPI, HDF5 or file system, 64 usage, "
      "85 stopped early and resumable with the same command, 1 a bug.");
  for (const Command& command : commands) {
    CLI::App* sub = cli.add_subcommand(command.name, command.summary);
    declare_options(*sub, command, parsed.request);
    sub->callback([&parsed, &command] { parsed.command = &command; });
  }
  try {
    cli.parse(argument_count, arguments);
    parsed.request.command = parsed.command->name;
  } catch (const CLI::CallForHelp&) {
    parsed.help = true;
    parsed.text = cli.help();
    for (const CLI::App* sub : cli.get_subcommands())
      parsed.text = sub->help();
  } catch (const CLI::ParseError& error) {
    parsed.command = nullptr;
    parsed.text = std::string(error.what()) + ". Try: proxytune --help";
  }
  return parsed;
}

std::string read_study_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::error_code ignored;
  if (!file || std::filesystem::is_directory(path, ignored))
    throw core::ConfigurationError(
        path + " cannot be read (" + (file ? "it is a folder" : std::strerror(errno)) +
        "); give the path of a study file such as configs/phantom/study.yaml");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

config::Node load_study(comm::Communicator& world, const Request& request) {
  const std::string text =
      comm::from_root(world, [&] { return read_study_file(request.subject); });
  config::Node root = config::parse(text, request.subject);
  for (const std::string& assignment : request.overrides)
    config::override_field(root, assignment);
  return root;
}

/// Rank 0 draws bars, if anybody; the others know whether their complaints meet one.
/// Collective.
core::Terminal agreed_terminal(comm::Communicator& world, const core::OutputFacts& facts) {
  core::Terminal terminal;
  const std::string shows_errors = comm::from_root(world, [&] {
    terminal = core::terminal_of(facts);
    return std::string(terminal.shows_errors ? "yes" : "no");
  });
  terminal.shows_errors = shows_errors == "yes";
  return terminal;
}

struct Outcome {
  int code = 0;
  std::string complaint;
};

Outcome outcome_of(const std::function<void()>& job) {
  try {
    job();
    return {};
  } catch (...) {
    comm::Failure failure = comm::current_failure();
    if (failure.code == core::ExitCode::bug)
      failure.sentence.insert(0, "this is a bug in proxytune: ");
    return {static_cast<int>(failure.code), std::move(failure.sentence)};
  }
}

/// MPI, alive as long as this. `channel` is the ranks' own for their farewell.
struct Ranks {
  std::optional<comm::MpiEnvironment> mpi;
  std::unique_ptr<comm::Communicator> world;
  std::unique_ptr<comm::Communicator> channel;
};

/// False, with one sentence said, where MPI refuses: then there is nobody to agree with.
bool start(Ranks& ranks, int& argument_count, char**& arguments) {
  try {
    ranks.mpi.emplace(argument_count, arguments);
    ranks.world = comm::world_communicator();
    ranks.channel = ranks.world->duplicate();
    return true;
  } catch (...) {
    core::Log::for_rank(0, 1).error(comm::current_failure().sentence);
    return false;
  }
}

}  // namespace

int run(int argument_count,
        char** arguments,
        const std::vector<Command>& commands,
        std::atomic<bool>& stop) {
  const auto begun = std::chrono::steady_clock::now();
  const Parsed parsed = parse_command_line(argument_count, arguments, commands);
  const auto abort = [](int code) { comm::MpiEnvironment::abort(code); };
  const core::OutputFacts facts = core::read_output_facts();
  Ranks ranks;
  if (!start(ranks, argument_count, arguments)) {
    if (ranks.mpi)
      abort(static_cast<int>(core::ExitCode::system));
    return static_cast<int>(core::ExitCode::system);
  }
  comm::Communicator* const world = ranks.world.get();
  core::Log log = core::Log::for_rank(world->rank(), world->size());
  if (parsed.help) {
    log.info(parsed.text);
    return 0;
  }
  if (parsed.command == nullptr) {
    if (world->is_root())
      log.error(parsed.text);
    return static_cast<int>(core::ExitCode::usage);
  }
  const Outcome outcome = outcome_of([&] {
    log.show_on(agreed_terminal(*world, facts));
    Session session{parsed.request, *world, log, stop, {}, begun};
    if (parsed.command->subject == Subject::study)
      session.study = load_study(*world, parsed.request);
    parsed.command->run(session);
  });
  const int code =
      farewell(*ranks.channel, log, outcome.code, outcome.complaint, patience_seconds, abort);
  // A shared file that failed stays open, since closing it is collective: MPI's own end would
  // wait for it.
  if (code == static_cast<int>(core::ExitCode::system) && world->size() > 1)
    abort(code);
  return code;
}

}  // namespace proxytune::app
