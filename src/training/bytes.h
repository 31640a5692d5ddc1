#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "proxytune/core/error.h"

namespace proxytune::training {

/// Blocks of bytes, each with its length in front, little-endian as all our machines.
class BlockWriter {
 public:
  void add(const void* data, std::size_t size) {
    const std::uint64_t length = size;
    bytes_.append(reinterpret_cast<const char*>(&length), sizeof length);
    bytes_.append(static_cast<const char*>(data), size);
  }
  void add(std::string_view text) { add(text.data(), text.size()); }
  void add(std::span<const float> values) { add(values.data(), values.size_bytes()); }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Throws core::DataError where there is less than is asked for.
class BlockReader {
 public:
  explicit BlockReader(std::string_view bytes) : bytes_(bytes) {}

  std::string_view next() {
    std::uint64_t length = 0;
    const std::string_view head = part(sizeof length);
    std::memcpy(&length, head.data(), sizeof length);
    return part(length);
  }
  /// A block of just this size.
  void next(void* data, std::size_t size) {
    const std::string_view block = next();
    if (block.size() != size)
      throw core::DataError("a block has " + std::to_string(block.size()) +
                            " bytes, but should have " + std::to_string(size));
    if (size > 0)
      std::memcpy(data, block.data(), size);
  }
  void next(std::span<float> values) { next(values.data(), values.size_bytes()); }
  bool at_end() const { return bytes_.empty(); }

 private:
  std::string_view part(std::uint64_t length) {
    if (length > bytes_.size())
      throw core::DataError("it ends early");
    const std::string_view taken = bytes_.substr(0, length);
    bytes_.remove_prefix(length);
    return taken;
  }
  std::string_view bytes_;
};

}  // namespace proxytune::training
