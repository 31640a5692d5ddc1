#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "proxytune/config/node.h"
#include "proxytune/core/error.h"
#include "proxytune/core/names.h"

// Options structs are plain aggregates with, in their own namespace,
//   template <class Fields> void describe(Fields&, Options&);  // fields("name", member,
//   "what") void validate(const Options&);                             // optional; throws
//   FieldError
// From that come the strict reader, the printed configuration, the list of fields that a
// changed study is compared by, and docs/configuration.md.
namespace proxytune::config {

struct AnyFields {
  template <class T>
  void operator()(const char*, T&, const char*) {}
};
template <class T>
concept Described = std::is_class_v<T> && requires(AnyFields fields, T options) {
  describe(fields, options);
};
template <class T>
concept Validated = requires(const T options) {
  validate(options);
};

// --- One value <-> text
// -----------------------------------------------------------------------

/// What a value of this type is called in a sentence.
std::string kind_of(const bool&);
std::string kind_of(const int&);
std::string kind_of(const std::int64_t&);
std::string kind_of(const std::uint64_t&);
std::string kind_of(const double&);
std::string kind_of(const std::string&);

/// What is needed in the place of a text that is no such value: its kind, with the range where
/// the text is a whole number beyond it.
template <class T>
std::string needed(const std::string& text, const T& value) {
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
    if (is_whole_number(text))
      return "a whole number from " + std::to_string(std::numeric_limits<T>::min()) + " to " +
             std::to_string(std::numeric_limits<T>::max());
  return kind_of(value);
}

/// False where the text is no such value.
bool from_text(const std::string& text, bool& value);
bool from_text(const std::string& text, int& value);
bool from_text(const std::string& text, std::int64_t& value);
bool from_text(const std::string& text, std::uint64_t& value);
bool from_text(const std::string& text, double& value);
bool from_text(const std::string& text, std::string& value);

/// As YAML; numbers exact, texts quoted where YAML needs it.
std::string to_text(bool value);
std::string to_text(int value);
std::string to_text(std::int64_t value);
std::string to_text(std::uint64_t value);
std::string to_text(double value);
std::string to_text(const std::string& value);
template <core::NamedEnum Enum>
std::string to_text(Enum value) {
  return core::to_string(value);
}
template <class T>
std::string to_text(const std::vector<T>& values);
template <class T, std::size_t n>
std::string to_text(const std::array<T, n>& values);
std::string to_text(const std::map<int, int>& values);

namespace detail {
template <class Values>
std::string list_text(const Values& values) {
  std::string text = "[";
  for (const auto& value : values)
    text += (text.size() > 1 ? ", " : "") + to_text(value);
  return text + "]";
}
std::string join(const std::vector<std::string>& words);
/// A text that is no value of its field.
class RefusedValue : public core::ConfigurationError {
 public:
  RefusedValue(const std::string& subject, std::string sentence)
      : ConfigurationError(subject + " " + sentence), sentence_(std::move(sentence)) {}
  const std::string& sentence() const { return sentence_; }  // without the subject

 private:
  std::string sentence_;
};
/// Throws RefusedValue, "WHERE: PATH is VALUE, but WANTED".
[[noreturn]] void refuse(const Node& node, const std::string& path, const std::string& wanted);
[[noreturn]] void refuse_unknown(const Node::Entry& entry,
                                 const std::string& path,
                                 const std::vector<std::string>& known);
std::string child(const std::string& path, const std::string& name);
void need_sequence(const Node& node, const std::string& path);
void need_mapping(const Node& node, const std::string& path);
}  // namespace detail

template <class T>
std::string to_text(const std::vector<T>& values) {
  return detail::list_text(values);
}
template <class T, std::size_t n>
std::string to_text(const std::array<T, n>& values) {
  return detail::list_text(values);
}

// --- Reading
// ----------------------------------------------------------------------------------

template <class T>
void read_value(const Node& node, const std::string& path, T& value);

/// Reads a mapping into an options struct; unknown keys, wrong types and refused values throw
/// core::ConfigurationError with file, line and column.
template <Described Options>
void read(const Node& node, const std::string& path, Options& options);

template <class T>
void read_value(const Node& node, const std::string& path, std::vector<T>& values) {
  detail::need_sequence(node, path);
  values.clear();
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    T value{};
    read_value(node.items[i], detail::child(path, std::to_string(i)), value);
    values.push_back(std::move(value));
  }
}

template <class T, std::size_t n>
void read_value(const Node& node, const std::string& path, std::array<T, n>& values) {
  detail::need_sequence(node, path);
  if (node.items.size() != n)
    detail::refuse(node,
                   path,
                   "it needs " + std::to_string(n) + " values and has " +
                       std::to_string(node.items.size()));
  for (std::size_t i = 0; i < n; ++i)
    read_value(node.items[i], detail::child(path, std::to_string(i)), values[i]);
}

/// A section that may be left out.
template <Described T>
void read_value(const Node& node, const std::string& path, std::optional<T>& value) {
  if (node.kind == Node::Kind::nothing)
    return;
  value.emplace();
  read(node, path, *value);
}

/// A mapping of whole numbers, e.g. raw label value -> class.
void read_value(const Node& node, const std::string& path, std::map<int, int>& values);

template <class T>
void read_value(const Node& node, const std::string& path, T& value) {
  if constexpr (Described<T>) {
    read(node, path, value);
  } else if constexpr (core::NamedEnum<T>) {
    for (const auto& name : names(T{}))
      if (node.kind == Node::Kind::scalar && name.text == node.scalar) {
        value = name.value;
        return;
      }
    detail::refuse(node, path, "the choices are: " + detail::join(core::choices<T>()));
  } else {
    if constexpr (std::is_same_v<T, std::string>) {
      if (node.kind == Node::Kind::nothing) {
        value.clear();
        return;
      }
    }
    if (node.kind != Node::Kind::scalar || !from_text(node.scalar, value))
      detail::refuse(node, path, needed(node.scalar, value) + " is needed");
  }
}

class Reader {
 public:
  Reader(const Node& node, std::string path) : node_(node), path_(std::move(path)) {}
  template <class T>
  void operator()(const char* name, T& value, const char*) {
    known_.emplace_back(name);
    if (const Node* found = node_.find(name))
      read_value(*found, detail::child(path_, name), value);
  }
  void refuse_unknown_keys() const;

 private:
  const Node& node_;
  std::string path_;
  std::vector<std::string> known_;
};

template <Described Options>
void read(const Node& node, const std::string& path, Options& options) {
  if (node.kind == Node::Kind::nothing)
    return;  // "section:" with nothing under it
  detail::need_mapping(node, path);
  Reader reader(node, path);
  describe(reader, options);
  reader.refuse_unknown_keys();
  if constexpr (Validated<Options>) {
    try {
      validate(options);
    } catch (const core::FieldError& error) {
      throw core::ConfigurationError(where_of(node, error.field()) + ": " +
                                     detail::child(path, error.field()) + " " +
                                     error.sentence());
    }
  }
}

// --- Writing
// ----------------------------------------------------------------------------------

class Writer {
 public:
  explicit Writer(int depth) : depth_(depth) {}
  template <Described T>
  void operator()(const char* name, std::optional<T>& value, const char* what) {
    if (value)
      (*this)(name, *value, what);
  }
  template <class T>
  void operator()(const char* name, T& value, const char*) {
    text_ += std::string(static_cast<std::size_t>(2 * depth_), ' ') + name + ":";
    write(value);
  }
  const std::string& text() const { return text_; }

 private:
  template <class T>
  void write(T& value) {
    if constexpr (Described<T>) {
      Writer inner(depth_ + 1);
      describe(inner, value);
      text_ += "\n" + inner.text();
    } else {
      text_ += " " + to_text(value) + "\n";
    }
  }
  template <Described T>
  void write(std::vector<T>& values) {
    text_ += values.empty() ? " []\n" : "\n";
    for (T& value : values) {
      Writer inner(depth_ + 2);
      describe(inner, value);
      std::string item = inner.text();
      item[2 * static_cast<std::size_t>(depth_) + 2] = '-';
      text_ += item;
    }
  }

  int depth_;
  std::string text_;
};

/// The options as YAML that read() takes back to equal options.
template <Described Options>
std::string to_yaml(Options options) {
  Writer writer(0);
  describe(writer, options);
  return writer.text();
}

class Flattener {
 public:
  Flattener(std::map<std::string, std::string>& fields, std::string path)
      : fields_(fields), path_(std::move(path)) {}
  template <class T>
  void operator()(const char* name, T& value, const char*) {
    flatten(detail::child(path_, name), value);
  }

 private:
  template <class T>
  void flatten(const std::string& path, T& value) {
    if constexpr (Described<T>) {
      Flattener inner(fields_, path);
      describe(inner, value);
    } else {
      fields_[path] = to_text(value);
    }
  }
  template <Described T>
  void flatten(const std::string& path, std::optional<T>& value) {
    if (value)
      flatten(path, *value);
  }
  template <Described T>
  void flatten(const std::string& path, std::vector<T>& values) {
    for (std::size_t i = 0; i < values.size(); ++i)
      flatten(detail::child(path, std::to_string(i)), values[i]);
  }

  std::map<std::string, std::string>& fields_;
  std::string path_;
};

/// Every field by its path, as text.
template <Described Options>
std::map<std::string, std::string> flatten(Options options) {
  std::map<std::string, std::string> fields;
  Flattener flattener(fields, "");
  describe(flattener, options);
  return fields;
}

/// One row of docs/configuration.md.
struct FieldDescription {
  std::string path;
  std::string kind;
  std::string default_text;
  std::string what;
};

class Documenter {
 public:
  Documenter(std::vector<FieldDescription>& rows, std::string path)
      : rows_(rows), path_(std::move(path)) {}
  template <class T>
  void operator()(const char* name, T& value, const char* what) {
    document(detail::child(path_, name), value, what);
  }

 private:
  template <class T>
  static std::string kind(const T& value) {
    if constexpr (core::NamedEnum<T>)
      return "one of: " + detail::join(core::choices<T>());
    else
      return kind_of(value);
  }
  static std::string kind(const std::map<int, int>&) { return "mapping of whole numbers"; }
  template <class T>
  static std::string kind(const std::vector<T>&) {
    return "list, each " + kind(T{});
  }
  template <class T, std::size_t n>
  static std::string kind(const std::array<T, n>&) {
    return std::to_string(n) + " values, each " + kind(T{});
  }
  template <class T>
  void document(const std::string& path, T& value, const char* what) {
    if constexpr (Described<T>) {
      rows_.push_back({path, "section", "", what});
      Documenter inner(rows_, path);
      describe(inner, value);
    } else {
      rows_.push_back({path, kind(value), to_text(value), what});
    }
  }
  template <Described T>
  void document(const std::string& path, std::optional<T>&, const char* what) {
    rows_.push_back({path, "optional section", "", what});
    T value{};
    Documenter inner(rows_, path);
    describe(inner, value);
  }
  template <Described T>
  void document(const std::string& path, std::vector<T>& values, const char* what) {
    rows_.push_back({path, "list of sections", values.empty() ? "[]" : "", what});
    T value{};
    Documenter inner(rows_, path + "[]");
    describe(inner, value);
  }

  std::vector<FieldDescription>& rows_;
  std::string path_;
};

/// Every field with its kind, default and meaning.
template <Described Options>
std::vector<FieldDescription> describe_fields() {
  std::vector<FieldDescription> rows;
  Options options{};
  Documenter documenter(rows, "");
  describe(documenter, options);
  return rows;
}

/// The rows as the Markdown page docs/configuration.md.
std::string to_markdown(const std::vector<FieldDescription>& rows);

}  // namespace proxytune::config
