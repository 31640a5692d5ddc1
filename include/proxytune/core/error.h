#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace proxytune::core {

/// What the program returns to the shell; documented in the README.
enum class ExitCode {
  done = 0,
  bug = 1,
  configuration = 2,
  data = 3,
  system = 4,  // MPI, HDF5, CUDA, NCCL, file system
  usage = 64,
  stopped = 85,  // early, and resumable with the same command
};

/// An error whose sentence is meant for the user: what, why, what to do.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& sentence)
      : std::runtime_error(sentence), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

struct ConfigurationError : Error {
  explicit ConfigurationError(const std::string& sentence)
      : Error(ExitCode::configuration, sentence) {}
};
struct DataError : Error {
  explicit DataError(const std::string& sentence) : Error(ExitCode::data, sentence) {}
};
struct SystemError : Error {
  explicit SystemError(const std::string& sentence) : Error(ExitCode::system, sentence) {}
};
/// The work was asked to stop (signal, time limit) and can be resumed.
struct Stopped : Error {
  explicit Stopped(const std::string& sentence) : Error(ExitCode::stopped, sentence) {}
};

/// A field of an options struct has a value that cannot work. `field` is its name relative to
/// that struct ("window", "arms.2.budget"); the reader of the study file adds file, line,
/// column.
class FieldError : public ConfigurationError {
 public:
  FieldError(std::string field, const std::string& sentence)
      : ConfigurationError(field + " " + sentence),
        field_(std::move(field)),
        sentence_(sentence) {}
  const std::string& field() const { return field_; }
  const std::string& sentence() const { return sentence_; }

 private:
  std::string field_;
  std::string sentence_;
};

}  // namespace proxytune::core
