#include "proxytune/config/fields.h"

namespace proxytune::config {

Node parse_value(const std::string& text) {
  const Node root = parse("value: " + text, "value");
  const Node* value = root.find("value");
  return value == nullptr ? Node{} : *value;
}

}  // namespace proxytune::config
