#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace proxytune::core {

/// Doubles that nobody changes, and that copies share: those of a vector, or of something that
/// `keeper` keeps alive, such as a mapped file larger than memory.
class Doubles {
 public:
  using value_type = double;
  // As containers call it.
  using const_iterator = const double*;  // NOLINT(readability-identifier-naming)

  Doubles() = default;
  Doubles(std::vector<double> values) {
    const auto kept = std::make_shared<const std::vector<double>>(std::move(values));
    values_ = *kept;
    keeper_ = kept;
  }
  Doubles(std::initializer_list<double> values) : Doubles(std::vector<double>(values)) {}
  Doubles(std::span<const double> values, std::shared_ptr<const void> keeper)
      : values_(values), keeper_(std::move(keeper)) {}

  std::size_t size() const { return values_.size(); }
  bool empty() const { return values_.empty(); }
  const double* data() const { return values_.data(); }
  const double* begin() const { return values_.data(); }
  const double* end() const { return values_.data() + values_.size(); }
  double operator[](std::size_t i) const { return values_[i]; }
  friend bool operator==(const Doubles& one, const Doubles& other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end());
  }

 private:
  std::span<const double> values_;
  std::shared_ptr<const void> keeper_;
};

}  // namespace proxytune::core
