#pragma once

#include <string>
#include <vector>

#include "proxytune/search/space.h"

namespace proxytune::search {

/// Of its field; the optimizer's whether or not the space was resolved.
ValueKind kind_of(const Dimension& dimension);
/// Equal, whole numbers and others alike.
bool same_value(const trials::FieldValue& one, const trials::FieldValue& other);
/// Sets a field by name or path. Throws core::FieldError where there is no such field, or the
/// value is none of it.
void set_value(trials::HyperParameters& hyper,
               const std::string& field,
               const trials::FieldValue& value);
/// Of the dimension of this field; the number of dimensions where there is none.
std::size_t position_of(const std::vector<Dimension>& space, const std::string& field);
std::string shortest(double value);
std::string listed(const std::vector<std::string>& words);

}  // namespace proxytune::search
