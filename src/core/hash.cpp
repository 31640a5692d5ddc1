#include "proxytune/core/hash.h"

#include <array>
#include <cstdio>
#include <new>

#include <xxhash.h>
#include <zlib.h>

namespace proxytune::core {
namespace {

std::string hexadecimal_of(XXH128_hash_t hash) {
  std::array<char, 33> text{};
  std::snprintf(text.data(),
                text.size(),
                "%016llx%016llx",
                static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return {text.data(), 32};
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

std::string content_hash(std::span<const std::byte> bytes) {
  return hexadecimal_of(XXH3_128bits(bytes.data(), bytes.size()));
}
std::string content_hash(std::string_view text) {
  return content_hash(bytes_of(text));
}

std::uint64_t hash64(std::string_view text) {
  return XXH3_64bits(text.data(), text.size());
}

std::uint32_t checksum(std::span<const std::byte> bytes, std::uint32_t before) {
  return static_cast<std::uint32_t>(
      crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}
std::uint32_t checksum(std::string_view text) {
  return checksum(bytes_of(text));
}

ContentHasher::ContentHasher() : state_(XXH3_createState()) {
  if (state_ == nullptr)
    throw std::bad_alloc();
  XXH3_128bits_reset(static_cast<XXH3_state_t*>(state_));
}
ContentHasher::~ContentHasher() {
  XXH3_freeState(static_cast<XXH3_state_t*>(state_));
}

void ContentHasher::add(std::span<const std::byte> bytes) {
  auto* state = static_cast<XXH3_state_t*>(state_);
  const std::uint64_t length = bytes.size();
  XXH3_128bits_update(state, &length, sizeof length);
  if (!bytes.empty())
    XXH3_128bits_update(state, bytes.data(), bytes.size());
}
void ContentHasher::add(std::string_view text) {
  add(bytes_of(text));
}

std::string ContentHasher::hexadecimal() const {
  return hexadecimal_of(XXH3_128bits_digest(static_cast<const XXH3_state_t*>(state_)));
}

}  // namespace proxytune::core
