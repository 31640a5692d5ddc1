#pragma once

#include <string>
#include <type_traits>
#include <vector>

#include "proxytune/config/options.h"

// Single fields of an options struct, by path.
namespace proxytune::config {

enum class FieldKind { whole_number, number, truth, choice, text, list };

/// A field: its path, what its values are, and the choices of those that have some.
struct FieldFacts {
  std::string path;
  FieldKind kind = FieldKind::text;
  std::vector<std::string> choices;
};

class FieldLister {
 public:
  FieldLister(std::vector<FieldFacts>& fields, std::string path)
      : fields_(fields), path_(std::move(path)) {}
  template <class T>
  void operator()(const char* name, T& value, const char*) {
    const std::string path = detail::child(path_, name);
    if constexpr (Described<T>) {
      FieldLister inner(fields_, path);
      describe(inner, value);
    } else if constexpr (core::NamedEnum<T>) {
      fields_.push_back({path, FieldKind::choice, core::choices<T>()});
    } else if constexpr (std::is_same_v<T, bool>) {
      fields_.push_back({path, FieldKind::truth, {"true", "false"}});
    } else if constexpr (std::is_integral_v<T>) {
      fields_.push_back({path, FieldKind::whole_number, {}});
    } else if constexpr (std::is_floating_point_v<T>) {
      fields_.push_back({path, FieldKind::number, {}});
    } else if constexpr (std::is_same_v<T, std::string>) {
      fields_.push_back({path, FieldKind::text, {}});
    } else {
      fields_.push_back({path, FieldKind::list, {}});
    }
  }

 private:
  std::vector<FieldFacts>& fields_;
  std::string path_;
};

/// Every field, those of sections by their whole paths, in the order described.
template <Described Options>
std::vector<FieldFacts> fields_of() {
  std::vector<FieldFacts> fields;
  Options options{};
  FieldLister lister(fields, "");
  describe(lister, options);
  return fields;
}

class FieldSetter {
 public:
  FieldSetter(std::string wanted, const Node& value, std::string path)
      : wanted_(std::move(wanted)), value_(value), path_(std::move(path)) {}
  template <class T>
  void operator()(const char* name, T& value, const char*) {
    const std::string path = detail::child(path_, name);
    if constexpr (Described<T>) {
      FieldSetter inner(wanted_, value_, path);
      describe(inner, value);
      found_ = found_ || inner.found_;
    } else if (path == wanted_) {
      read_value(value_, path, value);
      found_ = true;
    }
  }
  bool found() const { return found_; }

 private:
  std::string wanted_;
  const Node& value_;
  std::string path_;
  bool found_ = false;
};

/// A value as YAML has it after "field:".
Node parse_value(const std::string& text);

/// Sets one field from such a text. Throws core::FieldError, naming the path, where there is no
/// such field or the text is no value of it; validates nothing else.
template <Described Options>
void set_field(Options& options, const std::string& path, const std::string& text) {
  const Node value = parse_value(text);
  FieldSetter setter(path, value, "");
  try {
    describe(setter, options);
  } catch (const detail::RefusedValue& error) {
    throw core::FieldError(path, error.sentence());
  }
  if (!setter.found())
    throw core::FieldError(path, "is not a field.");
}

/// The field's value as text; throws std::out_of_range where there is none.
template <Described Options>
std::string field_text(const Options& options, const std::string& path) {
  return flatten(options).at(path);
}

}  // namespace proxytune::config
