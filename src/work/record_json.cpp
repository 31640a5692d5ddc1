#include "record_json.h"

#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "proxytune/core/error.h"

namespace proxytune::work {
namespace {

using nlohmann::json;

// JSON knows no NaN and no infinity, and an empty list has no type, so these are objects of one
// name: {"number": "nan"}, {"integers": []}.
constexpr const char* number_name = "number";
constexpr const char* integers_name = "integers";
constexpr const char* numbers_name = "numbers";
constexpr const char* texts_name = "texts";

json json_of_number(double number) {
  if (std::isfinite(number))
    return number;
  if (std::isnan(number))
    return {{number_name, "nan"}};
  return {{number_name, number > 0 ? "inf" : "-inf"}};
}

struct ToJson {
  json operator()(bool value) const { return value; }
  json operator()(std::int64_t value) const { return value; }
  json operator()(double value) const { return json_of_number(value); }
  json operator()(const std::string& value) const { return value; }
  json operator()(const std::vector<std::int64_t>& values) const {
    return list(values, integers_name);
  }
  json operator()(const std::vector<std::string>& values) const {
    return list(values, texts_name);
  }
  json operator()(const std::vector<double>& values) const {
    if (values.empty())
      return {{numbers_name, json::array()}};
    json array = json::array();
    for (const double value : values)
      array.push_back(json_of_number(value));
    return array;
  }

  template <class Element>
  static json list(const std::vector<Element>& values, const char* name) {
    if (values.empty())
      return {{name, json::array()}};
    return json(values);
  }
};

[[noreturn]] void refuse(const json& value) {
  throw core::DataError("a record cannot hold the value " + one_line(value));
}

/// The only member of an object of one name, or null.
const json* only_member(const json& value, const char* name) {
  if (!value.is_object() || value.size() != 1 || value.begin().key() != name)
    return nullptr;
  return &value.begin().value();
}

bool is_number(const json& value) {
  return value.is_number_float() || only_member(value, number_name) != nullptr;
}

double number_of(const json& value) {
  if (value.is_number_float())
    return value.get<double>();
  if (const json* special = only_member(value, number_name)) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (*special == "nan")
      return std::numeric_limits<double>::quiet_NaN();
    if (*special == "inf")
      return infinity;
    if (*special == "-inf")
      return -infinity;
  }
  refuse(value);
}

std::int64_t integer_of(const json& value) {
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!value.is_number_integer())
    refuse(value);
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > largest)
    refuse(value);
  return value.get<std::int64_t>();
}

std::string text_of(const json& value) {
  if (!value.is_string())
    refuse(value);
  return value.get<std::string>();
}

template <class Element>
std::vector<Element> list_of(const json& array, Element (*element_of)(const json&)) {
  std::vector<Element> list;
  for (const json& value : array)
    list.push_back(element_of(value));
  return list;
}

Record::Value value_of(const json& value) {
  if (value.is_boolean())
    return value.get<bool>();
  if (value.is_string())
    return text_of(value);
  if (value.is_number_integer())
    return integer_of(value);
  if (is_number(value))
    return number_of(value);
  if (value.is_array() && !value.empty()) {
    if (value.front().is_string())
      return list_of<std::string>(value, text_of);
    if (value.front().is_number_integer())
      return list_of<std::int64_t>(value, integer_of);
    return list_of<double>(value, number_of);
  }
  const json none = json::array();
  for (const auto& [name, empty] :
       {std::pair<const char*, Record::Value>{integers_name, std::vector<std::int64_t>{}},
        {numbers_name, std::vector<double>{}},
        {texts_name, std::vector<std::string>{}}})
    if (const json* member = only_member(value, name); member != nullptr && *member == none)
      return empty;
  refuse(value);
}

}  // namespace

json json_of(const Record& record) {
  json object = json::object();
  for (const auto& [name, value] : record.values())
    object[name] = std::visit(ToJson{}, value);
  return object;
}

Record record_of(const json& object) {
  if (!object.is_object())
    refuse(object);
  Record record;
  for (const auto& [name, value] : object.items())
    record.set(name, value_of(value));
  return record;
}

std::string one_line(const json& value) {
  try {
    return value.dump();
  } catch (const json::exception&) {
    throw core::DataError("a text is not UTF-8, so it cannot be kept as JSON: " +
                          value.dump(-1, ' ', true, json::error_handler_t::replace));
  }
}

json parse_line(std::string_view text) {
  std::set<std::pair<int, std::string>> seen;  // names of the objects that are open, by depth
  const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_end)
      std::erase_if(seen, [&](const auto& name) { return name.first > depth; });
    if (event == json::parse_event_t::key && !seen.emplace(depth, parsed).second)
      throw core::DataError("a JSON object has the name " + parsed.dump() + " twice");
    return true;
  };
  try {
    return json::parse(text, check);
  } catch (const json::exception& error) {
    throw core::DataError(std::string("this is no JSON object of ours: ") + error.what());
  }
}

std::string to_json(const Record& record) {
  return one_line(json_of(record));
}
Record from_json(std::string_view text) {
  return record_of(parse_line(text));
}

}  // namespace proxytune::work
