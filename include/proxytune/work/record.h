#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace proxytune::work {

/// A flat set of named values: what a piece of work is and what came of it. Its text form is
/// one JSON object on one line, names sorted, doubles exact (NaN and infinities as the strings
/// "nan", "inf", "-inf" inside {"number": ...}); equal records have equal texts.
class Record {
 public:
  using Value = std::variant<bool,
                             std::int64_t,
                             double,
                             std::string,
                             std::vector<std::int64_t>,
                             std::vector<double>,
                             std::vector<std::string>>;

  Record& set(const std::string& name, Value value);
  bool has(const std::string& name) const { return values_.contains(name); }
  /// Throw core::DataError where the name is missing or the type another.
  bool boolean(const std::string& name) const;
  std::int64_t integer(const std::string& name) const;
  double number(const std::string& name) const;  // takes an integer as well
  const std::string& text(const std::string& name) const;
  const std::vector<std::int64_t>& integers(const std::string& name) const;
  const std::vector<double>& numbers(const std::string& name) const;
  const std::vector<std::string>& texts(const std::string& name) const;
  const std::map<std::string, Value>& values() const { return values_; }
  bool operator==(const Record&) const = default;

 private:
  std::map<std::string, Value> values_;
};

std::string to_json(const Record& record);
/// Throws core::DataError for anything that to_json does not write.
Record from_json(std::string_view json);

}  // namespace proxytune::work
