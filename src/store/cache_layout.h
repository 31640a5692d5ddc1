#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace proxytune::store {

inline constexpr std::string_view cache_format = "proxytune volume cache";
inline constexpr std::string_view cache_version = "1.0";
inline constexpr std::string_view round_prefix = "round-";
inline constexpr std::string_view round_suffix = ".h5";
inline constexpr std::string_view cases_group = "cases";

inline std::string group_of_case(std::size_t index) {
  return std::string(cases_group) + "/" + std::to_string(index);
}

}  // namespace proxytune::store
