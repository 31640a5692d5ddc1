#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

namespace proxytune::datasets {

/// A file's whole text. Throws core::DataError.
std::string read_text(const std::filesystem::path& file);

/// Throws core::DataError with file, line and column where the text is no JSON.
nlohmann::json read_json(const std::filesystem::path& file);

/// A string as it is, any other scalar as JSON writes it; throws core::DataError with `where`
/// for lists and objects.
std::string scalar_text(const nlohmann::json& value, const std::string& where);

}  // namespace proxytune::datasets
