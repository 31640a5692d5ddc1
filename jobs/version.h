#pragma once

#include <string>

namespace proxytune::jobs {

/// Version of the program and, where it was built from a checkout, the commit.
std::string version();

/// Changes whenever equal studies would get other numbers from this program than before; part
/// of the numerics fingerprint.
std::string numerics_version();

}  // namespace proxytune::jobs
