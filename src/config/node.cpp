#include "proxytune/config/node.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <yaml-cpp/yaml.h>

#include "proxytune/core/error.h"

namespace proxytune::config {
namespace {

std::string place(const std::string& name, const YAML::Mark& mark) {
  if (mark.is_null())
    return name;
  return name + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1);
}

Node convert(const YAML::Node& yaml, const std::string& name);

Node convert_mapping(const YAML::Node& yaml, const std::string& name) {
  Node node;
  node.kind = Node::Kind::mapping;
  std::set<std::string> seen;
  for (const auto& pair : yaml) {
    const std::string where = place(name, pair.first.Mark());
    if (!pair.first.IsScalar())
      throw core::ConfigurationError(where + ": a key must be a plain word or number");
    const std::string& key = pair.first.Scalar();
    if (!seen.insert(key).second)
      throw core::ConfigurationError(where + ": " + key + " is written twice here; keep one");
    node.entries.push_back({key, where, convert(pair.second, name)});
  }
  return node;
}

Node convert(const YAML::Node& yaml, const std::string& name) {
  Node node;
  if (yaml.IsMap()) {
    node = convert_mapping(yaml, name);
  } else if (yaml.IsSequence()) {
    node.kind = Node::Kind::sequence;
    for (const auto& item : yaml)
      node.items.push_back(convert(item, name));
  } else if (yaml.IsScalar()) {
    node.kind = Node::Kind::scalar;
    node.scalar = yaml.Scalar();
  }
  node.where = place(name, yaml.Mark());
  return node;
}

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts(1);
  for (const char c : path) {
    if (c == '.')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

/// The position that `part` names in a sequence of `size` items, or -1.
int position(std::string_view part, std::size_t size) {
  int index = -1;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
  if (error != std::errc() || end != part.data() + part.size())
    return -1;
  return index >= 0 && static_cast<std::size_t>(index) < size ? index : -1;
}

Node parse_value(const std::string& text, const std::string& name) {
  try {
    return convert(YAML::Load(text), name);
  } catch (const YAML::Exception& error) {
    throw core::ConfigurationError(place(name, error.mark) +
                                   ": this is not YAML: " + error.msg);
  }
}

void relocate(Node& node, const std::string& where) {
  node.where = where;
  for (Node& item : node.items)
    relocate(item, where);
  for (Node::Entry& entry : node.entries) {
    entry.where = where;
    relocate(entry.value, where);
  }
}

Node& descend(Node& node, const std::string& part, const std::string& where) {
  if (node.kind == Node::Kind::sequence) {
    const int index = position(part, node.items.size());
    if (index < 0)
      throw core::ConfigurationError(where + ": there is no item " + part + " in a list of " +
                                     std::to_string(node.items.size()) + ", counted from 0");
    return node.items[static_cast<std::size_t>(index)];
  }
  if (node.kind != Node::Kind::mapping) {
    node = Node{};
    node.kind = Node::Kind::mapping;
    node.where = where;
  }
  for (Node::Entry& entry : node.entries)
    if (entry.key == part)
      return entry.value;
  node.entries.push_back({part, where, Node{}});
  return node.entries.back().value;
}

/// A mapping of fields, and not one of values such as {1: 1, 2: 1}, which is a value itself.
bool is_section(const Node& node) {
  return std::any_of(node.entries.begin(), node.entries.end(), [](const Node::Entry& entry) {
    return !is_whole_number(entry.key);
  });
}

/// Fields that `given` does not name stay as they are. `path` is for the sentence.
void put_over(Node& node, Node given, const std::string& path) {
  const bool empty = given.kind == Node::Kind::nothing ||
                     (given.kind == Node::Kind::mapping && given.entries.empty());
  if (is_section(node) && empty)
    throw core::ConfigurationError(given.where + ": " + path +
                                   " is a section, which cannot be emptied; set its fields, as "
                                   "in --set " +
                                   path + "." + node.entries.front().key + "=VALUE");
  if (!is_section(node) || !is_section(given)) {
    node = std::move(given);
    return;
  }
  for (Node::Entry& entry : given.entries)
    put_over(
        descend(node, entry.key, given.where), std::move(entry.value), path + "." + entry.key);
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const Entry& entry : entries)
    if (entry.key == key)
      return &entry.value;
  return nullptr;
}

Node parse(const std::string& text, const std::string& name) {
  Node root = parse_value(text, name);
  if (root.kind != Node::Kind::mapping)
    throw core::ConfigurationError(
        name + ": a study file is a mapping of sections such as data and training");
  return root;
}

void override_field(Node& root, const std::string& assignment) {
  const std::string where = "--set " + assignment;
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0)
    throw core::ConfigurationError(where + ": write --set section.field=value");
  const std::string path = assignment.substr(0, equals);
  Node* node = &root;
  for (const std::string& part : split(path))
    node = &descend(*node, part, where);
  Node given = parse_value(assignment.substr(equals + 1), where);
  relocate(given, where);
  put_over(*node, std::move(given), path);
}

bool is_whole_number(std::string_view text) {
  const std::size_t begin = text.starts_with('-') ? 1 : 0;
  return text.size() > begin &&
         text.find_first_not_of("0123456789", begin) == std::string_view::npos;
}

std::string where_of(const Node& root, std::string_view path) {
  const Node* node = &root;
  std::string where = root.where;
  for (const std::string& part : split(path)) {
    const Node* next = nullptr;
    if (node->kind == Node::Kind::sequence) {
      const int index = position(part, node->items.size());
      if (index >= 0)
        next = &node->items[static_cast<std::size_t>(index)];
    } else {
      next = node->find(part);
    }
    if (next == nullptr)
      break;
    node = next;
    where = node->where;
  }
  return where;
}

}  // namespace proxytune::config
