#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "proxytune/core/doubles.h"

namespace proxytune::core {

/// One named column of a table: values in C order over `shape`, whose first extent is the
/// table's number of rows. Missing numbers are NaN.
struct Column {
  using Values = std::variant<Doubles, std::vector<std::int64_t>, std::vector<std::string>>;

  std::string name;         // a Python identifier
  std::string unit;         // "1" where there is none
  std::string description;  // one sentence, for the reader of the results file
  Values values;
  std::vector<std::size_t> shape;  // never empty; Table::add fills it in
};

/// Named columns of equal length: what every room turns its results into, and what `store`
/// writes. `path` is its place in the results file, e.g. "/sweep/trials".
struct Table {
  std::string path;
  std::string description;
  std::vector<Column> columns;

  Table& add(std::string name,
             std::string unit,
             std::string column_description,
             Column::Values values,
             std::vector<std::size_t> shape = {});
  std::size_t rows() const;
  /// Throws std::out_of_range where there is none.
  const Column& column(const std::string& name) const;
};

/// Throws std::invalid_argument unless names are identifiers, each one once, and all columns
/// have equal rows and shapes that fit.
void validate(const Table& table);

/// For a terminal: a header and one line a row, numbers to 4 digits, at most `limit` rows.
std::string to_text(const Table& table, std::size_t limit = 40);

}  // namespace proxytune::core
