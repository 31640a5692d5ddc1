#include "proxytune/config/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace proxytune::config {
namespace {

template <class Number>
bool parse_number(const std::string& text, Number& value) {
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stopped == end && !text.empty();
}

bool needs_quotes(const std::string& text) {
  if (text.empty())
    return true;
  double number = 0;
  bool truth = false;
  if (parse_number(text, number) || from_text(text, truth) || text == "null" || text == "~")
    return true;
  return text.find_first_of(":#[]{},&*!|>'\"%@`\n\\") != std::string::npos ||
         text.front() == ' ' || text.back() == ' ' || text.front() == '-' ||
         text.front() == '?';
}

}  // namespace

std::string kind_of(const bool&) {
  return "true or false";
}
std::string kind_of(const int&) {
  return "a whole number";
}
std::string kind_of(const std::int64_t&) {
  return "a whole number";
}
std::string kind_of(const std::uint64_t&) {
  return "a whole number, 0 or more";
}
std::string kind_of(const double&) {
  return "a number";
}
std::string kind_of(const std::string&) {
  return "a text";
}

bool from_text(const std::string& text, bool& value) {
  if (text != "true" && text != "false")
    return false;
  value = text == "true";
  return true;
}
bool from_text(const std::string& text, int& value) {
  return parse_number(text, value);
}
bool from_text(const std::string& text, std::int64_t& value) {
  return parse_number(text, value);
}
bool from_text(const std::string& text, std::uint64_t& value) {
  return parse_number(text, value);
}
bool from_text(const std::string& text, double& value) {
  return parse_number(text, value) && std::isfinite(value);
}
bool from_text(const std::string& text, std::string& value) {
  value = text;
  return true;
}

std::string to_text(bool value) {
  return value ? "true" : "false";
}
std::string to_text(int value) {
  return std::to_string(value);
}
std::string to_text(std::int64_t value) {
  return std::to_string(value);
}
std::string to_text(std::uint64_t value) {
  return std::to_string(value);
}
std::string to_text(double value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? std::string(text.data(), end) : std::string("0");
}
std::string to_text(const std::string& value) {
  if (!needs_quotes(value))
    return value;
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\')
      quoted += '\\';
    if (c == '\n')
      quoted += "\\n";
    else
      quoted += c;
  }
  return quoted + "\"";
}
std::string to_text(const std::map<int, int>& values) {
  std::string text = "{";
  for (const auto& [key, value] : values)
    text += (text.size() > 1 ? ", " : "") + to_text(key) + ": " + to_text(value);
  return text + "}";
}

void read_value(const Node& node, const std::string& path, std::map<int, int>& values) {
  detail::need_mapping(node, path);
  values.clear();
  for (const Node::Entry& entry : node.entries) {
    int key = 0;
    if (!from_text(entry.key, key))
      throw core::ConfigurationError(entry.where + ": " + path + " has the key \"" + entry.key +
                                     "\", but " + needed(entry.key, key) + " is needed");
    read_value(entry.value, detail::child(path, entry.key), values[key]);
  }
}

void Reader::refuse_unknown_keys() const {
  for (const Node::Entry& entry : node_.entries)
    if (std::find(known_.begin(), known_.end(), entry.key) == known_.end())
      detail::refuse_unknown(entry, path_, known_);
}

std::string to_markdown(const std::vector<FieldDescription>& rows) {
  std::string text;
  bool in_table = false;
  for (const FieldDescription& row : rows) {
    const bool optional = row.kind == "optional section";
    const bool section = optional || row.kind == "section" || row.kind == "list of sections";
    if (section) {
      text += "\n## `" + row.path + "`\n\n" + row.what + "." +
              (optional                ? " May be left out."
               : row.kind == "section" ? ""
                                       : " A list; each item has the fields below.") +
              "\n";
      in_table = false;
      continue;
    }
    if (!in_table)
      text += "\n| field | value | default | meaning |\n| --- | --- | --- | --- |\n";
    in_table = true;
    text += "| `" + row.path + "` | " + row.kind + " | `" + row.default_text + "` | " +
            row.what + " |\n";
  }
  return text;
}

namespace detail {

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string child(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "." + name;
}

void refuse(const Node& node, const std::string& path, const std::string& wanted) {
  std::string value = "\"" + node.scalar + "\"";
  if (node.kind == Node::Kind::sequence)
    value = "a list";
  if (node.kind == Node::Kind::mapping)
    value = "a mapping";
  if (node.kind == Node::Kind::nothing)
    value = "empty";
  throw RefusedValue(node.where + ": " + path, "is " + value + ", but " + wanted);
}

void refuse_unknown(const Node::Entry& entry,
                    const std::string& path,
                    const std::vector<std::string>& known) {
  const std::string near = nearest(entry.key, known);
  throw core::ConfigurationError(entry.where + ": " + child(path, entry.key) +
                                 " is not a field; " +
                                 (near.empty() ? "" : "did you mean \"" + near + "\"? ") +
                                 "The fields here are: " + join(known));
}

void need_sequence(const Node& node, const std::string& path) {
  if (node.kind != Node::Kind::sequence)
    refuse(node, path, "a list such as [1, 2] is needed");
}

void need_mapping(const Node& node, const std::string& path) {
  if (node.kind != Node::Kind::mapping)
    refuse(node, path.empty() ? "the study" : path, "a mapping of fields is needed");
}

}  // namespace detail
}  // namespace proxytune::config
