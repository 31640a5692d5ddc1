#include "imaging/room.h"

#include <limits>
#include <sstream>

#include <unistd.h>

#include "proxytune/core/error.h"

namespace proxytune::imaging {

namespace {

constexpr double gigabyte = 1e9;

double memory_bytes() {
  return static_cast<double>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<double>(sysconf(_SC_PAGE_SIZE));
}

}  // namespace

void need_room(const Extents& extents,
               int channels,
               const std::string& field,
               const std::string& cause,
               const std::string& remedy) {
  const double voxels = static_cast<double>(extents[0]) * extents[1] * extents[2];
  const double bytes = voxels * (channels * sizeof(float) + 1.0);  // and one of the label
  const bool countable = voxels <= std::numeric_limits<int>::max();
  if (countable && bytes <= memory_bytes())
    return;
  std::ostringstream text;
  text << cause << ", which makes " << to_text(shape_of(extents)) << " voxels of the volume";
  if (countable)
    text << ", " << bytes / gigabyte << " GB, but this machine has "
         << memory_bytes() / gigabyte << " GB of memory";
  else
    text << ", but 2147483647 voxels are the most";
  text << "; " << remedy;
  throw core::FieldError(field, text.str());
}

}  // namespace proxytune::imaging
