#include "proxytune/work/record.h"

#include <array>
#include <utility>

#include "proxytune/core/error.h"

namespace proxytune::work {
namespace {

constexpr std::array<const char*, 7> type_names = {"a truth value",
                                                   "an integer",
                                                   "a number",
                                                   "a text",
                                                   "a list of integers",
                                                   "a list of numbers",
                                                   "a list of texts"};

const Record::Value& find(const Record& record, const std::string& name) {
  const auto found = record.values().find(name);
  if (found == record.values().end())
    throw core::DataError("the record has no value \"" + name + "\"; it has " +
                          to_json(record));
  return found->second;
}

template <class Type>
const Type& get(const Record& record, const std::string& name) {
  const Record::Value& value = find(record, name);
  if (const Type* typed = std::get_if<Type>(&value))
    return *typed;
  throw core::DataError("the record's \"" + name + "\" is " + type_names[value.index()] +
                        ", not " + type_names[Record::Value(Type{}).index()]);
}

}  // namespace

Record& Record::set(const std::string& name, Value value) {
  values_[name] = std::move(value);
  return *this;
}

bool Record::boolean(const std::string& name) const {
  return get<bool>(*this, name);
}
std::int64_t Record::integer(const std::string& name) const {
  return get<std::int64_t>(*this, name);
}
double Record::number(const std::string& name) const {
  if (const auto* integer = std::get_if<std::int64_t>(&find(*this, name)))
    return static_cast<double>(*integer);
  return get<double>(*this, name);
}
const std::string& Record::text(const std::string& name) const {
  return get<std::string>(*this, name);
}
const std::vector<std::int64_t>& Record::integers(const std::string& name) const {
  return get<std::vector<std::int64_t>>(*this, name);
}
const std::vector<double>& Record::numbers(const std::string& name) const {
  return get<std::vector<double>>(*this, name);
}
const std::vector<std::string>& Record::texts(const std::string& name) const {
  return get<std::vector<std::string>>(*this, name);
}

}  // namespace proxytune::work
