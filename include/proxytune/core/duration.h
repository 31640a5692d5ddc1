#pragma once

#include <optional>
#include <string_view>

namespace proxytune::core {

/// Seconds of "5400", "0.5", "90m", "1h30m" or "1d12h": a number of seconds, or whole numbers
/// of d, h, m and s, larger units first and each at most once; nothing for another text.
std::optional<double> seconds_of(std::string_view text);

}  // namespace proxytune::core
