#include "jobs/version.h"

namespace proxytune::jobs {

std::string version() {
  return PROXYTUNE_VERSION;
}

std::string numerics_version() {
  return "6";
}

}  // namespace proxytune::jobs
