#include "datasets/json_file.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "proxytune/core/error.h"

namespace proxytune::datasets {

std::string read_text(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error))
    throw core::DataError(file.string() + " does not exist; check the path");
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  if (std::filesystem::is_directory(file, error) || !stream || !(text << stream.rdbuf()))
    throw core::DataError(file.string() +
                          " cannot be read, or is empty; check that it is a readable file");
  return text.str();
}

nlohmann::json read_json(const std::filesystem::path& file) {
  const std::string text = read_text(file);
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    const std::size_t end = std::min(error.byte > 0 ? error.byte - 1 : 0, text.size());
    const auto before = text.begin() + static_cast<std::ptrdiff_t>(end);
    const auto line = std::count(text.begin(), before, '\n') + 1;
    const auto last_break = text.rfind('\n', end == 0 ? 0 : end - 1);
    const std::size_t column =
        last_break == std::string::npos || end == 0 ? end + 1 : end - last_break;
    throw core::DataError(file.string() + ":" + std::to_string(line) + ":" +
                          std::to_string(column) +
                          ": this is no valid JSON; look for a missing comma, quote or bracket "
                          "at or before this place");
  }
}

std::string scalar_text(const nlohmann::json& value, const std::string& where) {
  if (value.is_string())
    return value.get<std::string>();
  if (value.is_structured() || value.is_null())
    throw core::DataError(where + " is no text or number; give one value");
  return value.dump();
}

}  // namespace proxytune::datasets
