#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace proxytune::store {

/// Values in a row of bytes, for ranks of one machine type to tell each other.
class Packer {
 public:
  template <class Value>
  requires std::is_trivially_copyable_v<Value> Packer& add(const Value& value) {
    const auto* begin = reinterpret_cast<const std::byte*>(&value);
    bytes_.insert(bytes_.end(), begin, begin + sizeof value);
    return *this;
  }
  Packer& add(const std::string& text) {
    add(text.size());
    const auto* begin = reinterpret_cast<const std::byte*>(text.data());
    bytes_.insert(bytes_.end(), begin, begin + text.size());
    return *this;
  }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

class Unpacker {
 public:
  explicit Unpacker(std::span<const std::byte> bytes) : rest_(bytes) {}
  bool done() const { return rest_.empty(); }
  template <class Value>
  requires std::is_trivially_copyable_v<Value> Unpacker& take(Value& value) {
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_ = rest_.subspan(sizeof value);
    return *this;
  }
  Unpacker& take(std::string& text) {
    std::size_t size = 0;
    take(size);
    text.assign(reinterpret_cast<const char*>(rest_.data()), size);
    rest_ = rest_.subspan(size);
    return *this;
  }

 private:
  std::span<const std::byte> rest_;
};

}  // namespace proxytune::store
