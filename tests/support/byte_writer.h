#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

namespace proxytune::test {

/// The bytes of a number, in the order of a file format.
template <class Number>
std::string bytes_of(Number number, std::endian order = std::endian::little) {
  std::string bytes(sizeof(Number), '\0');
  std::memcpy(bytes.data(), &number, sizeof(Number));
  if (order != std::endian::native)
    std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

/// A header of fixed fields.
class ByteHeader {
 public:
  explicit ByteHeader(std::size_t size, std::endian order = std::endian::little)
      : bytes_(size, '\0'), order_(order) {}

  template <class Number>
  ByteHeader& put(std::size_t offset, Number number) {
    return put_text(offset, bytes_of(number, order_));
  }
  ByteHeader& put_text(std::size_t offset, const std::string& text) {
    bytes_.replace(offset, text.size(), text);
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::endian order_;
};

}  // namespace proxytune::test
