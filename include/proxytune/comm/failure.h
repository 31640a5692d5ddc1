#pragma once

#include <string>

#include "proxytune/core/error.h"

namespace proxytune::comm {

/// An exception as it travels between ranks: what the user will read, and the exit code.
struct Failure {
  core::ExitCode code = core::ExitCode::bug;
  std::string sentence;
};

/// The exception being handled; call it inside a catch block only. Memory that ran out and what
/// the file system refused are failures of the system (code 4); what else is no core::Error
/// becomes a failure of code 1.
Failure current_failure();

/// Throws the core error type that belongs to the code: DataError, SystemError, ...
[[noreturn]] void throw_failure(const Failure& failure);

}  // namespace proxytune::comm
