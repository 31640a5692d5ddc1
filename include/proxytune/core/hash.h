#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace proxytune::core {

/// XXH3-128 of the bytes, as 32 hexadecimal digits: the identity of contents.
std::string content_hash(std::span<const std::byte> bytes);
std::string content_hash(std::string_view text);

/// XXH3-64, for keys of random numbers.
std::uint64_t hash64(std::string_view text);

/// CRC-32 (zlib's polynomial) of a line or a block, against torn and flipped bytes.
/// `before`: of what stands in front, where the bytes come in parts.
std::uint32_t checksum(std::span<const std::byte> bytes, std::uint32_t before = 0);
std::uint32_t checksum(std::string_view text);

// All identities are computed on little-endian machines; others would name other hashes.

/// Feeds pieces into one 128-bit content hash; each piece's length is hashed with it, so that
/// ("ab", "c") and ("a", "bc") differ.
class ContentHasher {
 public:
  ContentHasher();
  ~ContentHasher();
  ContentHasher(const ContentHasher&) = delete;
  ContentHasher& operator=(const ContentHasher&) = delete;

  void add(std::span<const std::byte> bytes);
  void add(std::string_view text);
  std::string hexadecimal() const;

 private:
  void* state_;
};

}  // namespace proxytune::core
