#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/byte_writer.h"

namespace proxytune::test {

/// One slice of a CT series.
struct DicomSlice {
  std::string series = "1.2.3";
  std::string description = "axial";
  int number = 1;
  std::array<double, 3> position{0, 0, 0};
  std::array<double, 6> orientation{1, 0, 0, 0, 1, 0};
  std::array<double, 2> spacing{0.75, 1.5};  // of rows (y), then columns (x)
  int rows = 4;
  int columns = 5;
  double slope = 1;
  double intercept = 0;
  std::vector<std::int16_t> voxels;
};

namespace detail {

inline std::string element(int group, int tag, const std::string& kind, std::string value) {
  if (value.size() % 2 != 0)
    value += kind == "UI" ? '\0' : ' ';
  std::string bytes = bytes_of(static_cast<std::uint16_t>(group)) +
                      bytes_of(static_cast<std::uint16_t>(tag)) + kind;
  if (kind == "OW" || kind == "OB")
    bytes += std::string(2, '\0') + bytes_of(static_cast<std::uint32_t>(value.size()));
  else
    bytes += bytes_of(static_cast<std::uint16_t>(value.size()));
  return bytes + value;
}

inline std::string short_element(int group, int tag, int value) {
  return element(group, tag, "US", bytes_of(static_cast<std::uint16_t>(value)));
}

template <std::size_t n>
std::string decimals(const std::array<double, n>& values) {
  std::string text;
  for (const double value : values)
    text += (text.empty() ? "" : "\\") + std::to_string(value);
  return text;
}

}  // namespace detail

/// The slice as a DICOM file, explicit little endian.
inline std::string dicom_file(const DicomSlice& slice) {
  using detail::element;
  using detail::short_element;
  const std::string ct = "1.2.840.10008.5.1.4.1.1.2";
  const std::string instance = slice.series + "." + std::to_string(slice.number);
  const std::string meta = element(2, 1, "OB", std::string("\0\1", 2)) +
                           element(2, 2, "UI", ct) + element(2, 3, "UI", instance) +
                           element(2, 0x10, "UI", "1.2.840.10008.1.2.1");
  std::string voxels;
  for (const std::int16_t voxel : slice.voxels)
    voxels += bytes_of(voxel);
  return std::string(128, '\0') + "DICM" +
         element(2, 0, "UL", bytes_of(static_cast<std::uint32_t>(meta.size()))) + meta +
         element(8, 0x16, "UI", ct) + element(8, 0x18, "UI", instance) +
         element(8, 0x60, "CS", "CT") + element(8, 0x103e, "LO", slice.description) +
         element(0x20, 0x0d, "UI", "1.2") + element(0x20, 0x0e, "UI", slice.series) +
         element(0x20, 0x13, "IS", std::to_string(slice.number)) +
         element(0x20, 0x32, "DS", detail::decimals(slice.position)) +
         element(0x20, 0x37, "DS", detail::decimals(slice.orientation)) +
         short_element(0x28, 2, 1) + element(0x28, 4, "CS", "MONOCHROME2") +
         short_element(0x28, 0x10, slice.rows) + short_element(0x28, 0x11, slice.columns) +
         element(0x28, 0x30, "DS", detail::decimals(slice.spacing)) +
         short_element(0x28, 0x100, 16) + short_element(0x28, 0x101, 16) +
         short_element(0x28, 0x102, 15) + short_element(0x28, 0x103, 1) +
         element(0x28, 0x1052, "DS", std::to_string(slice.intercept)) +
         element(0x28, 0x1053, "DS", std::to_string(slice.slope)) +
         element(0x7fe0, 0x10, "OW", voxels);
}

}  // namespace proxytune::test
