#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace proxytune::work {

/// Of the lines' form; a reader refuses another.
constexpr int journal_format = 1;
constexpr const char* journal_extension = ".journal";

/// CRC-32 as eight digits, space, JSON, newline.
std::string journal_line(const nlohmann::json& json);

/// The JSON of a line without its newline. Throws core::DataError if it is not as it was
/// written.
nlohmann::json json_of_line(std::string_view line);

}  // namespace proxytune::work
