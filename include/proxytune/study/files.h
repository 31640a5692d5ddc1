#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace proxytune::study {

/// The file holds the old text or the new one, whatever happens: written beside it, synced,
/// renamed, folder synced. Throws core::SystemError.
void write_file_atomically(const std::filesystem::path& file, std::string_view text);

/// The same in parts, and the old file, if there is one, stays as `previous`. Between the two
/// renames there is `previous` alone.
void write_next_generation(const std::filesystem::path& file,
                           const std::filesystem::path& previous,
                           std::span<const std::string_view> parts);

/// Throws core::DataError where the file cannot be read.
std::string read_file(const std::filesystem::path& file);

}  // namespace proxytune::study
