#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxytune/core/nearest.h"

namespace proxytune::config {

/// A study file as a tree, each part knowing where it was written.
struct Node {
  enum class Kind { nothing, scalar, sequence, mapping };
  struct Entry;

  Kind kind = Kind::nothing;
  std::string where;           // "study.yaml:14:11", or "--set training.epochs=5"
  std::string scalar;          // of a scalar, unquoted
  std::vector<Node> items;     // of a sequence
  std::vector<Entry> entries;  // of a mapping, in the order written

  const Node* find(std::string_view key) const;
};

struct Node::Entry {
  std::string key;
  std::string where;
  Node value;
};

/// Parses YAML. `name` is the file's name for the sentences. Throws core::ConfigurationError
/// for text that is no YAML, for a key written twice, and where the top is no mapping.
Node parse(const std::string& text, const std::string& name);

/// Puts "a.b.2.c=VALUE" over the tree, VALUE being YAML; what the path names is made where it
/// is missing. A mapping of fields changes just those; a list or a mapping of whole numbers
/// replaces what was there. Throws core::ConfigurationError for a form it does not understand.
void override_field(Node& root, const std::string& assignment);

/// Where the field `path` ("arms.2.budget") was written, or the nearest part above it.
std::string where_of(const Node& root, std::string_view path);

/// Whether a text is a whole number, of whatever size.
bool is_whole_number(std::string_view text);

using core::nearest;

}  // namespace proxytune::config
