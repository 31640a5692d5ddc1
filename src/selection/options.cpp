#include "proxytune/selection/options.h"

#include <array>
#include <charconv>

#include "proxytune/core/error.h"

namespace proxytune::selection {
namespace {

/// The shortest text that reads back as the same number.
std::string text_of(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

}  // namespace

void validate(const ImportanceOptions& options) {
  if (!(options.quantile >= 0 && options.quantile <= 1))
    throw core::FieldError("quantile",
                           "is " + text_of(options.quantile) +
                               ", but a quantile lies between 0 (the lowest similarity) and 1 "
                               "(the highest); the default is 0.1");
}

std::string name_of(const ImportanceOptions& options) {
  const std::string statistic = core::to_string(options.importance);
  return options.importance == Statistic::quantile ? statistic + "_" + text_of(options.quantile)
                                                   : statistic;
}

}  // namespace proxytune::selection
