#include "proxytune/search/replay.h"

#include <stdexcept>
#include <utility>

#include "proxytune/core/error.h"
#include "search/space_fields.h"

namespace proxytune::search {
namespace {

using trials::FieldValue;
using trials::HyperParameters;

/// An empty cell says nothing.
const std::string* text_of_field(const ListedPoint& point, const std::string& field) {
  for (const std::string& name : {field, trials::column_of(field)})
    if (const auto found = point.find(name); found != point.end() && !found->second.empty())
      return &found->second;
  return nullptr;
}

void set(HyperParameters& hyper,
         const std::string& field,
         const std::string& text,
         ValueKind kind) {
  try {
    set_value(hyper, field, value_from(text, kind));
  } catch (const std::invalid_argument&) {
    throw core::DataError(field + " is \"" + text + "\", which is no number");
  } catch (const core::FieldError& error) {
    throw core::DataError(field + " " + error.sentence());
  }
}

std::string said(const HyperParameters& hyper, const std::string& field) {
  return trials::text_of(trials::value_of(hyper, field).value());
}

bool same(const HyperParameters& one, const HyperParameters& other, const std::string& field) {
  const auto value = trials::value_of(one, field);
  const auto other_value = trials::value_of(other, field);
  return value && other_value && same_value(*value, *other_value);
}

/// The kind of a value that the study has already.
ValueKind kind_of(const FieldValue& value) {
  return std::holds_alternative<double>(value)         ? ValueKind::number
         : std::holds_alternative<std::int64_t>(value) ? ValueKind::whole_number
                                                       : ValueKind::text;
}

/// One point of the list, seen from the space.
class Placing {
 public:
  Placing(const ListedPoint& point, const SearchSpace& space, const HyperParameters& base)
      : point_(point), space_(space), base_(base), wanted_(base) {
    for (const Dimension& dimension : space.dimensions)
      if (const std::string* text = text_of_field(point, dimension.field))
        set(wanted_, dimension.field, *text, search::kind_of(dimension));
    active_ = active(space, wanted_);
  }

  std::vector<double> unit_point() const {
    std::vector<double> point;
    for (std::size_t i = 0; i < active_.size(); ++i)
      point.push_back(unit(i));
    require_what_is_not_searched();
    const HyperParameters proposed = at(space_, base_, point);
    for (std::size_t i = 0; i < active_.size(); ++i)
      if (active_[i] && !same(proposed, wanted_, space_.dimensions[i].field))
        refuse_value(space_.dimensions[i]);
    return point;
  }

 private:
  double unit(std::size_t i) const {
    const Dimension& dimension = space_.dimensions[i];
    if (!active_[i])
      return 0.5;
    if (text_of_field(point_, dimension.field) == nullptr)
      throw core::DataError("it has no " + dimension.field + ", which this study searches");
    const auto found = unit_of(dimension, trials::value_of(wanted_, dimension.field).value());
    if (!found)
      refuse_value(dimension);
    return *found;
  }

  /// Of fields that this space does not search, or not at this point.
  void require_what_is_not_searched() const {
    std::vector<std::string> fields;
    for (const SearchableField& own : own_fields())
      fields.push_back(own.field);
    for (const auto& [path, value] : base_.options)
      fields.push_back(path);
    for (const std::string& field : fields) {
      const std::size_t i = position_of(space_.dimensions, field);
      const std::string* text = text_of_field(point_, field);
      if (text == nullptr || (i < active_.size() && active_[i]))
        continue;
      HyperParameters listed = base_;
      set(listed, field, *text, kind_of(trials::value_of(base_, field).value()));
      if (!same(listed, base_, field))
        throw core::DataError(field + " is " + *text + " there and " + said(base_, field) +
                              " here, where it is not searched");
    }
  }

  [[noreturn]] void refuse_value(const Dimension& dimension) const {
    const std::string is = dimension.field + " is " + said(wanted_, dimension.field);
    if (!dimension.choices.empty())
      throw core::DataError(is + ", but is chosen here from " + listed(dimension.choices));
    const auto number = trials::number_of(wanted_, dimension.field);
    if (number && (*number < dimension.low || *number > dimension.high))
      throw core::DataError(is + ", but is searched here from " + shortest(dimension.low) +
                            " to " + shortest(dimension.high));
    throw core::DataError(is + ", but a search's numbers have six significant digits");
  }

  const ListedPoint& point_;
  const SearchSpace& space_;
  const HyperParameters& base_;
  HyperParameters wanted_;
  std::vector<bool> active_;
};

}  // namespace

void validate(const ReplayOptions& options) {
  if (options.points.empty())
    throw core::FieldError("points",
                           "is missing. Name the list whose points are to be proposed: "
                           "results.h5, CSV or YAML.");
}

std::vector<std::vector<double>> replayed(const std::vector<ListedPoint>& points,
                                          const SearchSpace& space,
                                          const HyperParameters& base) {
  if (points.empty())
    throw core::DataError("it holds no point");
  std::vector<std::vector<double>> unit_points;
  for (const ListedPoint& point : points) {
    try {
      unit_points.push_back(Placing(point, space, base).unit_point());
    } catch (const core::DataError& error) {
      throw core::DataError("point " + std::to_string(unit_points.size()) +
                            " (counted from 0) is not of this search space: " + error.what());
    }
  }
  return unit_points;
}

}  // namespace proxytune::search
