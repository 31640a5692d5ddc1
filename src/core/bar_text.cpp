#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "proxytune/core/progress_bar.h"

namespace proxytune::core {
namespace {

/// What is shown of a state.
struct Layout {
  std::size_t cells = 0;
  bool elapsed = false;
  bool running = false;
  bool best = false;
  bool left = false;
};

/// From all to almost nothing.
constexpr std::array layouts{Layout{20, true, true, true, true},
                             Layout{20, false, true, true, true},
                             Layout{20, false, false, true, true},
                             Layout{10, false, false, true, true},
                             Layout{0, false, false, true, true},
                             Layout{0, false, false, false, true},
                             Layout{0, false, false, false, false}};

/// Full only when all is done.
std::string cells_text(const BarState& state, std::size_t cells) {
  const std::size_t done = std::min(state.done, state.total);
  const std::size_t filled = state.total == 0 ? 0 : cells * done / state.total;
  return "[" + std::string(filled, '#') + std::string(cells - filled, '-') + "] ";
}

std::string laid_out(const BarState& state, const Layout& layout) {
  std::string text = state.label + " ";
  if (layout.cells > 0)
    text += cells_text(state, layout.cells);
  text += fmt::format("{}/{}", state.done, state.total);
  if (layout.running && state.running > 0)
    text += fmt::format(", {} running", state.running);
  if (layout.best && !std::isnan(state.best))
    text += fmt::format("  best {:.4f}", state.best);
  const bool left = layout.left && !std::isnan(state.seconds_left);
  if (layout.elapsed)
    text += fmt::format("  {} elapsed", duration_text(state.seconds_elapsed));
  if (left)
    text += fmt::format(
        "{}{} left", layout.elapsed ? ", " : "  ", duration_text(state.seconds_left));
  return text;
}

}  // namespace

std::string duration_text(double seconds) {
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 60)
    return fmt::format("{} s", whole);
  if (whole < 3600)
    return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string bar_text(const BarState& state, int columns) {
  const auto room = static_cast<std::size_t>(std::max(columns, 0));
  std::string text;
  for (const Layout& layout : layouts) {
    text = laid_out(state, layout);
    if (text.size() <= room)
      break;
  }
  text.resize(std::min(text.size(), room));
  // An arm's name may be anything that YAML can write, and half a character is none.
  std::replace_if(
      text.begin(), text.end(), [](char byte) { return byte < ' ' || byte > '~'; }, '?');
  return text;
}

}  // namespace proxytune::core
