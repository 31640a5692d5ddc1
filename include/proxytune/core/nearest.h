#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace proxytune::core {

/// The known name most like `name`, or "" if none is near (Damerau-Levenshtein); for "did you
/// mean ...?".
std::string nearest(std::string_view name, const std::vector<std::string>& known);

}  // namespace proxytune::core
