#include "proxytune/core/table.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace proxytune::core {
namespace {

std::size_t length_of(const Column& column) {
  return std::visit([](const auto& values) { return values.size(); }, column.values);
}

std::size_t row_width(const Column& column) {
  std::size_t width = 1;
  for (std::size_t axis = 1; axis < column.shape.size(); ++axis)
    width *= column.shape[axis];
  return width;
}

std::string cell(const Column& column, std::size_t row) {
  if (const auto* numbers = std::get_if<Doubles>(&column.values)) {
    const double value = (*numbers)[row];
    return std::isnan(value) ? "-" : fmt::format("{:.4g}", value);
  }
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&column.values))
    return fmt::format("{}", (*integers)[row]);
  return std::get<std::vector<std::string>>(column.values)[row];
}

}  // namespace

Table& Table::add(std::string name,
                  std::string unit,
                  std::string column_description,
                  Column::Values values,
                  std::vector<std::size_t> shape) {
  Column column{std::move(name),
                std::move(unit),
                std::move(column_description),
                std::move(values),
                std::move(shape)};
  if (column.shape.empty())
    column.shape = {length_of(column)};
  columns.push_back(std::move(column));
  return *this;
}

std::size_t Table::rows() const {
  return columns.empty() || columns.front().shape.empty() ? 0 : columns.front().shape.front();
}

const Column& Table::column(const std::string& name) const {
  const auto found = std::find_if(
      columns.begin(), columns.end(), [&](const Column& c) { return c.name == name; });
  if (found == columns.end())
    throw std::out_of_range(path + " has no column " + name);
  return *found;
}

void validate(const Table& table) {
  std::set<std::string> seen;
  for (const Column& column : table.columns) {
    const bool is_identifier =
        !column.name.empty() && std::isdigit(static_cast<unsigned char>(column.name[0])) == 0 &&
        std::all_of(column.name.begin(), column.name.end(), [](unsigned char c) {
          return std::isalnum(c) != 0 || c == '_';
        });
    if (!is_identifier || !seen.insert(column.name).second)
      throw std::invalid_argument(table.path + " has a column named \"" + column.name +
                                  "\", which is no identifier or stands there twice");
  }
  for (const Column& column : table.columns) {
    if (column.shape.empty() || column.shape.front() != table.rows())
      throw std::invalid_argument(table.path + "/" + column.name +
                                  " has another number of rows");
    if (row_width(column) * table.rows() != length_of(column))
      throw std::invalid_argument(table.path + "/" + column.name + " does not fill its shape");
  }
}

std::string to_text(const Table& table, std::size_t limit) {
  validate(table);
  std::vector<const Column*> shown;
  for (const Column& column : table.columns)
    if (column.shape.size() == 1)
      shown.push_back(&column);
  const std::size_t rows = std::min(limit, table.rows());
  std::string text;
  std::vector<std::size_t> widths;
  for (const Column* column : shown) {
    std::size_t width = column->name.size();
    for (std::size_t row = 0; row < rows; ++row)
      width = std::max(width, cell(*column, row).size());
    widths.push_back(width);
  }
  const auto line = [&](const auto& cell_of) {
    for (std::size_t i = 0; i < shown.size(); ++i)
      text += fmt::format("{}{:<{}}", i == 0 ? "" : "  ", cell_of(*shown[i]), widths[i]);
    while (!text.empty() && text.back() == ' ')
      text.pop_back();
    text += '\n';
  };
  line([](const Column& column) { return column.name; });
  for (std::size_t row = 0; row < rows; ++row)
    line([&](const Column& column) { return cell(column, row); });
  if (rows < table.rows())
    text += fmt::format("... and {} more rows\n", table.rows() - rows);
  return text;
}

}  // namespace proxytune::core
