#pragma once

#include <cstddef>
#include <memory>

namespace proxytune::similarity {

/// Asks the system for all pages of new memory at once, without changing what they hold.
void fetch_pages(void* begin, std::size_t bytes);

/// An array whose values are whatever memory held: what is written once need not be zeroed
/// first.
template <class Value>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size)
      : size_(size), values_(std::make_unique_for_overwrite<Value[]>(size)) {
    fetch_pages(values_.get(), bytes());
  }
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return size_ * sizeof(Value); }
  Value* data() { return values_.get(); }
  const Value* data() const { return values_.get(); }
  Value& operator[](std::size_t i) { return values_[i]; }
  const Value& operator[](std::size_t i) const { return values_[i]; }

 private:
  std::size_t size_ = 0;
  std::unique_ptr<Value[]> values_;
};

}  // namespace proxytune::similarity
