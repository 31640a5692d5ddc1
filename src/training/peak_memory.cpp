#include "training/peak_memory.h"

#include <algorithm>
#include <fstream>
#include <string>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace proxytune::training {
namespace {

/// A line of /proc/self/status such as VmHWM, in bytes; 0 where there is none.
double status_bytes(const std::string& name) {
  std::ifstream status("/proc/self/status");
  std::string word;
  double kibibytes = 0;
  while (status >> word)
    if (word == name + ":" && status >> kibibytes)
      return kibibytes * 1024;
  return 0;
}

}  // namespace

PeakMemory::PeakMemory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  std::ofstream("/proc/self/clear_refs") << 5;  // forget the peak so far, where we may
  before_ = status_bytes("VmRSS");
}

double PeakMemory::bytes() const {
  return std::max(0.0, status_bytes("VmHWM") - before_);
}

}  // namespace proxytune::training
