#pragma once

#include <concepts>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace proxytune::core {

/// One choice of an enumeration and its spelling in the study file and in the results.
template <class Enum>
struct Name {
  Enum value;
  std::string_view text;
};

/// An enumeration is *named* when its namespace has, found by argument-dependent lookup,
///   inline constexpr core::Name<Metric> names_of_metric[] = {...};
///   constexpr std::span<const core::Name<Metric>> names(Metric) { return names_of_metric; }
template <class T>
concept NamedEnum = std::is_enum_v<T> && requires(T value) {
  { names(value) } -> std::convertible_to<std::span<const Name<T>>>;
};

template <NamedEnum Enum>
std::string to_string(Enum value) {
  for (const auto& name : names(Enum{}))
    if (name.value == value)
      return std::string(name.text);
  throw std::logic_error("an enumerator without a name");
}

template <NamedEnum Enum>
std::vector<std::string> choices() {
  std::vector<std::string> texts;
  for (const auto& name : names(Enum{}))
    texts.emplace_back(name.text);
  return texts;
}

/// Throws std::invalid_argument for a text that is no choice.
template <NamedEnum Enum>
Enum from_string(std::string_view text) {
  for (const auto& name : names(Enum{}))
    if (name.text == text)
      return name.value;
  throw std::invalid_argument(std::string(text) + " is no choice");
}

}  // namespace proxytune::core
