#include "proxytune/training/trial_failure.h"

#include <new>

#include <c10/util/Exception.h>

#include "proxytune/core/error.h"

namespace proxytune::training {
namespace {

using trials::TrialStatus;

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

std::optional<TrialFailure> failure_of_trial() {
  try {
    throw;
  } catch (const TrialFailure& failure) {
    return failure;
  } catch (const std::bad_alloc&) {
    return TrialFailure(TrialStatus::out_of_memory, "the process got no more memory");
  } catch (const c10::OutOfMemoryError& error) {
    return TrialFailure(TrialStatus::out_of_memory, first_line(error.what_without_backtrace()));
  } catch (const c10::Error& error) {
    const std::string reason = first_line(error.what_without_backtrace());
    const bool memory = reason.find("allocate memory") != std::string::npos;
    return TrialFailure(memory ? TrialStatus::out_of_memory : TrialStatus::failed, reason);
  } catch (const core::Stopped&) {
    return std::nullopt;
  } catch (const core::SystemError&) {
    return std::nullopt;
  } catch (const std::exception& error) {
    return TrialFailure(TrialStatus::failed, first_line(error.what()));
  }
}

}  // namespace proxytune::training
