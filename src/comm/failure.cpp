#include "proxytune/comm/failure.h"

#include <exception>
#include <filesystem>
#include <new>

namespace proxytune::comm {
namespace {

std::string sentence_of(const std::filesystem::filesystem_error& error) {
  std::string paths = error.path1().string();
  if (!error.path2().empty())
    paths += " and " + error.path2().string();
  return "the file system refused " + (paths.empty() ? error.what() : paths) + ": " +
         error.code().message() + "; check that the path exists, its rights and its disk";
}

}  // namespace

Failure current_failure() {
  try {
    throw;
  } catch (const core::Error& error) {
    const bool failed = error.code() != core::ExitCode::done;
    return {failed ? error.code() : core::ExitCode::bug, error.what()};
  } catch (const std::bad_alloc&) {
    return {core::ExitCode::system,
            "out of memory; use fewer ranks on this node or smaller patches"};
  } catch (const std::filesystem::filesystem_error& error) {
    return {core::ExitCode::system, sentence_of(error)};
  } catch (const std::exception& error) {
    return {core::ExitCode::bug, error.what()};
  } catch (...) {
    return {core::ExitCode::bug, "an exception of an unknown type"};
  }
}

void throw_failure(const Failure& failure) {
  switch (failure.code) {
    case core::ExitCode::configuration:
      throw core::ConfigurationError(failure.sentence);
    case core::ExitCode::data:
      throw core::DataError(failure.sentence);
    case core::ExitCode::system:
      throw core::SystemError(failure.sentence);
    case core::ExitCode::stopped:
      throw core::Stopped(failure.sentence);
    default:
      throw core::Error(failure.code, failure.sentence);
  }
}

}  // namespace proxytune::comm
