#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>

#include "proxytune/core/error.h"
#include "proxytune/store/results.h"

namespace proxytune::store {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos)
    return text;
  std::string result = "\"";
  for (const char letter : text) {
    if (letter == '"')
      result += '"';
    result += letter;
  }
  return result + '"';
}

/// The shortest text that reads back as the same number; nothing for a missing one.
std::string text_of(double number) {
  if (std::isnan(number))
    return {};
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return {text.data(), end};
}

std::string cell(const core::Column& column, std::size_t row) {
  if (const auto* numbers = std::get_if<core::Doubles>(&column.values))
    return text_of((*numbers)[row]);
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&column.values))
    return std::to_string((*integers)[row]);
  return quoted(std::get<std::vector<std::string>>(column.values)[row]);
}

std::string csv_of(const core::Table& table) {
  std::vector<const core::Column*> columns;
  for (const core::Column& column : table.columns)
    if (column.shape.size() == 1)
      columns.push_back(&column);
  if (columns.empty())
    return {};
  std::string text;
  const auto line = [&](const auto& cell_of) {
    for (std::size_t i = 0; i < columns.size(); ++i)
      text.append(i == 0 ? "" : ",").append(cell_of(*columns[i]));
    text += '\n';
  };
  line([](const core::Column& column) { return quoted(column.name); });
  for (std::size_t row = 0; row < table.rows(); ++row)
    line([&](const core::Column& column) { return cell(column, row); });
  return text;
}

}  // namespace

void write_csv(const std::filesystem::path& folder, const std::vector<core::Table>& tables) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  for (const core::Table& table : tables) {
    const std::string text = csv_of(table);
    if (text.empty())
      continue;
    std::string name = table.path.substr(1);
    std::replace(name.begin(), name.end(), '/', '-');
    const std::filesystem::path file = folder / (name + ".csv");
    std::ofstream stream(file, std::ios::binary);
    stream << text;
    stream.close();
    if (!stream)
      throw core::SystemError(
          file.string() +
          ": cannot write the table; is the folder there, writable, and the "
          "disk not full?");
  }
}

}  // namespace proxytune::store
