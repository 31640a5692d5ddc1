#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "proxytune/core/table.h"
#include "store/hdf5_calls.h"

/// How a column's values lie in the file; shared by writing, reading and verifying.
namespace proxytune::store {

inline constexpr std::string_view results_format = "proxytune results";
inline constexpr std::string_view results_version = "1.1";
inline constexpr std::string_view long_attributes = "/attributes";  // group of texts too long
inline constexpr std::size_t longest_attribute = 60'000;  // bytes; HDF5 ends at 65,536

/// A text column is as wide as its longest text.
h5::ElementType element_of(const core::Column& column);

struct Rows {
  std::size_t first = 0, count = 0;
};
/// Cuts rows into parts of some 16 MiB, a row at least.
std::vector<Rows> parts_of(const core::Column& column, const Rows& rows);

/// The bytes of some rows as they lie in the file.
std::vector<std::byte> bytes_of(const core::Column& column, const Rows& rows);

/// The reverse, for all rows.
core::Column::Values values_of(h5::ElementType element, const std::vector<std::byte>& bytes);

std::size_t rows_of(const core::Column& column);

}  // namespace proxytune::store
