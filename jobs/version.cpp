#include "jobs/version.h"

namespace proxytune::jobs {

std::string version() {
  return PROXYTUNE_VERSION;
}

std::string numerics_version() {
  return "7";
}

}  // namespace proxytune::jobs
