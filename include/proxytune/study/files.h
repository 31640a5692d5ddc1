#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace proxytune::study {

/// The file holds the old text or the new one, whatever happens: written beside it, synced,
/// renamed, folder synced. Throws core::SystemError.
void write_file_atomically(const std::filesystem::path& file, std::string_view text);

/// Throws core::DataError where the file cannot be read.
std::string read_file(const std::filesystem::path& file);

}  // namespace proxytune::study
