#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "proxytune/imaging/io.h"

// The door to ITK: everything else in this room speaks in these words.
namespace proxytune::imaging {

enum class VoxelType {
  uint8,
  int8,
  uint16,
  int16,
  uint32,
  int32,
  uint64,
  int64,
  float32,
  float64
};

/// A decoded file: bytes as its format stores them, in native order.
struct DecodedFile {
  ImageHeader header;
  VoxelType type = VoxelType::float32;
  bool interleaved = false;  // channel fastest (vector pixels) instead of slowest (4-D)
  std::vector<std::byte> bytes;
};

/// Calls `use` with a span of the values in their own type.
template <class Use>
void with_values(VoxelType type, std::span<const std::byte> bytes, const Use& use) {
  const auto as = [&]<class T>(std::type_identity<T>) {
    use(std::span<const T>(reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)));
  };
  switch (type) {
    case VoxelType::uint8:
      return as(std::type_identity<std::uint8_t>{});
    case VoxelType::int8:
      return as(std::type_identity<std::int8_t>{});
    case VoxelType::uint16:
      return as(std::type_identity<std::uint16_t>{});
    case VoxelType::int16:
      return as(std::type_identity<std::int16_t>{});
    case VoxelType::uint32:
      return as(std::type_identity<std::uint32_t>{});
    case VoxelType::int32:
      return as(std::type_identity<std::int32_t>{});
    case VoxelType::uint64:
      return as(std::type_identity<std::uint64_t>{});
    case VoxelType::int64:
      return as(std::type_identity<std::int64_t>{});
    case VoxelType::float32:
      return as(std::type_identity<float>{});
    case VoxelType::float64:
      return as(std::type_identity<double>{});
  }
}

/// Throw core::DataError.
ImageHeader decode_header(const std::filesystem::path& file);
DecodedFile decode_file(const std::filesystem::path& file);

/// Throws core::SystemError.
void encode_file(const std::filesystem::path& file,
                 const ImageHeader& header,
                 VoxelType type,
                 std::span<const std::byte> bytes);

}  // namespace proxytune::imaging
