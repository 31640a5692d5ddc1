#include "proxytune/search/warm_start.h"

#include <algorithm>

#include "proxytune/core/error.h"
#include "search/space_fields.h"

namespace proxytune::search {
namespace {

using trials::FieldValue;
using trials::HyperParameters;

/// A field's value in a sentence.
std::string said(const HyperParameters& hyper, const std::string& field) {
  const std::optional<FieldValue> value = trials::value_of(hyper, field);
  return value ? trials::text_of(*value) : "unknown";
}

bool same_field(const HyperParameters& one,
                const HyperParameters& other,
                const std::string& field) {
  const std::optional<FieldValue> value = trials::value_of(one, field);
  const std::optional<FieldValue> other_value = trials::value_of(other, field);
  return value && other_value ? same_value(*value, *other_value) : value == other_value;
}

/// An earlier point seen from this space.
struct Placed {
  std::vector<double> unit_point;
  HyperParameters hyper_parameters;
  bool clipped = false;
  std::string why_outside;  // empty: it is inside
};

/// Own fields and those that the earlier study searched: in these the points are compared.
std::set<std::string> compared_fields(const std::set<std::string>& varied) {
  std::set<std::string> fields = varied;
  for (const SearchableField& own : own_fields())
    fields.insert(own.field);
  return fields;
}

void compare(Placed& placed,
             const HyperParameters& there,
             const SearchSpace& space,
             const std::set<std::string>& varied) {
  const std::vector<bool> is_active = active(space, placed.hyper_parameters);
  for (const std::string& field : compared_fields(varied)) {
    const std::size_t i = position_of(space.dimensions, field);
    if (i < space.dimensions.size() && is_active[i])
      continue;
    if (!same_field(placed.hyper_parameters, there, field)) {
      placed.why_outside = field + " is " + said(there, field) + " there and " +
                           said(placed.hyper_parameters, field) +
                           " here, where it is not searched";
      return;
    }
  }
}

Placed place(const EarlierPoint& point,
             const SearchSpace& space,
             const HyperParameters& base,
             const std::set<std::string>& varied) {
  Placed placed;
  std::vector<bool> known;
  for (const Dimension& dimension : space.dimensions) {
    const auto value = trials::value_of(point.hyper_parameters, dimension.field);
    const auto unit = value ? unit_of(dimension, *value) : std::nullopt;
    known.push_back(unit.has_value());
    placed.unit_point.push_back(unit.value_or(0.5));
  }
  placed.hyper_parameters = at(space, base, placed.unit_point);
  const std::vector<bool> is_active = active(space, placed.hyper_parameters);
  for (std::size_t i = 0; i < known.size(); ++i) {
    const Dimension& dimension = space.dimensions[i];
    if (!is_active[i])
      continue;
    if (!known[i]) {
      placed.why_outside = dimension.field + " is " +
                           said(point.hyper_parameters, dimension.field) +
                           " there, but is chosen here from " + listed(dimension.choices);
      return placed;
    }
    const auto number = trials::number_of(point.hyper_parameters, dimension.field);
    placed.clipped = placed.clipped || (dimension.choices.empty() && number &&
                                        (*number < dimension.low || *number > dimension.high));
  }
  compare(placed, point.hyper_parameters, space, varied);
  return placed;
}

}  // namespace

void validate(const WarmStart& options) {
  if (options.results.empty())
    throw core::FieldError("results", "is missing. Name the results.h5 of the earlier study.");
  if (options.best < 1)
    throw core::FieldError(
        "best",
        "is " + std::to_string(options.best) + ", but a warm start has points. Use 1 or more.");
}

FirstProposals first_proposals(const EarlierPoints& earlier,
                               const SearchSpace& space,
                               const HyperParameters& base,
                               int count) {
  FirstProposals first;
  std::vector<HyperParameters> taken;
  for (const EarlierPoint& point : earlier.points) {
    if (std::ssize(taken) == count)
      break;
    const Placed placed = place(point, space, base, earlier.varied);
    if (!placed.why_outside.empty()) {
      if (first.outside++ == 0)
        first.why_outside = placed.why_outside;
      continue;
    }
    if (std::find(taken.begin(), taken.end(), placed.hyper_parameters) != taken.end())
      continue;
    taken.push_back(placed.hyper_parameters);
    first.unit_points.push_back(placed.unit_point);
    first.clipped += placed.clipped ? 1 : 0;
  }
  if (taken.empty())
    throw core::DataError(earlier.points.empty()
                              ? "none of its trials was scored"
                              : "none of its points is of this search space: " +
                                    first.why_outside);
  return first;
}

}  // namespace proxytune::search
