#pragma once

#include <span>
#include <string>

#include "proxytune/core/names.h"

namespace proxytune::selection {

/// What a volume's row of the pair matrix is reduced to.
enum class Statistic { mean, median, quantile };
inline constexpr core::Name<Statistic> names_of_statistic[] = {
    {Statistic::mean, "mean"},
    {Statistic::median, "median"},
    {Statistic::quantile, "quantile"},
};
constexpr std::span<const core::Name<Statistic>> names(Statistic) {
  return names_of_statistic;
}

/// How a volume's importance follows from its similarities; said by each arm.
struct ImportanceOptions {
  Statistic importance = Statistic::mean;
  double quantile = 0.1;
};
template <class Fields>
void describe(Fields& fields, ImportanceOptions& options) {
  fields("importance",
         options.importance,
         "of proxy data: what a volume's similarities to all volumes are reduced to; mean is "
         "the paper's");
  fields("quantile",
         options.quantile,
         "of importance quantile, which one: 0 (lowest similarity) to 1 (highest), linear "
         "between neighbours");
}
/// Throws core::FieldError.
void validate(const ImportanceOptions& options);

/// Who of all volumes becomes proxy data (see selectors.h).
enum class Selector { least_similar, farthest_point, facility_location };
inline constexpr core::Name<Selector> names_of_selector[] = {
    {Selector::least_similar, "least_similar"},
    {Selector::farthest_point, "farthest_point"},
    {Selector::facility_location, "facility_location"},
};
constexpr std::span<const core::Name<Selector>> names(Selector) {
  return names_of_selector;
}

/// "mean", "median" or, say, "quantile_0.1": equal for options that mean the same.
std::string name_of(const ImportanceOptions& options);

}  // namespace proxytune::selection
