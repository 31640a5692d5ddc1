#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

/// What a file needs besides HDF5 to be complete or absent. All throw core::SystemError.
namespace proxytune::store {

/// Creates or empties the file and reserves room for it on disk, so that a full disk or quota
/// shows here, on one rank and before any collective write.
void make_room(const std::filesystem::path& file, std::uint64_t bytes);

/// Reserves again for a file that HDF5 has emptied meanwhile.
void reserve(const std::filesystem::path& file, std::uint64_t bytes);

/// Gives back reserved room, syncs the file, gives it its name, syncs the folder.
void publish(const std::filesystem::path& temporary, const std::filesystem::path& file);

/// Removes a file that may not be there; never throws.
void discard(const std::filesystem::path& file) noexcept;

}  // namespace proxytune::store
