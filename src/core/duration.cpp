#include "proxytune/core/duration.h"

#include <charconv>
#include <cstdint>

namespace proxytune::core {

std::optional<double> seconds_of(std::string_view text) {
  struct Unit {
    char letter;
    double seconds;
  };
  double plain = 0;
  const auto [plain_end, plain_error] =
      std::from_chars(text.data(), text.data() + text.size(), plain, std::chars_format::fixed);
  if (plain_error == std::errc() && plain_end == text.data() + text.size() && plain >= 0 &&
      plain < 4e9)
    return plain;
  constexpr Unit units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
  const Unit* next_unit = std::begin(units);
  double sum = 0;
  bool any = false;
  while (!text.empty()) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc())
      return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const Unit* unit = next_unit;
    while (unit != std::end(units) && (text.empty() || unit->letter != text.front()))
      ++unit;
    if (unit == std::end(units))
      return std::nullopt;
    text.remove_prefix(1);
    sum += number * unit->seconds;
    next_unit = unit + 1;
    any = true;
  }
  return any ? std::optional(sum) : std::nullopt;
}

}  // namespace proxytune::core
