#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace proxytune::store {

/// A file mapped read-only and shared. Throws core::DataError.
class Mapping {
 public:
  explicit Mapping(const std::filesystem::path& file);
  ~Mapping();
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&&) = delete;
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace proxytune::store
