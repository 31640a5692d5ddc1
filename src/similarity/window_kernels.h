#pragma once

// The loops over windows for the window edge at hand.

#include "window_loops.h"
#include "windows_of_nine.h"

namespace proxytune::similarity {
namespace {

/// Calls use.template operator()<Window>() for the window at hand; similarity.window allows
/// these.
template <class Use>
void with_window(int window, const Use& use) {
  switch (window) {
    case 3:
      return use.template operator()<3>();
    case 5:
      return use.template operator()<5>();
    case 7:
      return use.template operator()<7>();
    case 9:
      return use.template operator()<9>();
    case 11:
      return use.template operator()<11>();
    case 13:
      return use.template operator()<13>();
    case 15:
      return use.template operator()<15>();
    case 17:
      return use.template operator()<17>();
    case 19:
      return use.template operator()<19>();
    default:
      return use.template operator()<21>();
  }
}

void keep_moments(const PlaneMoments& work) {
  with_window(work.window, [&]<int Window>() { keep<Window>(work); });
}

void add_correlations(const PlaneCorrelations& work) {
  with_window(work.window, [&]<int Window>() { correlate<Window>(work); });
}

}  // namespace
}  // namespace proxytune::similarity
