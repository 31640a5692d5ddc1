#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace proxytune::network {

/// CRC-32 of each record of a zip archive, by the name it has in its central directory, as the
/// archive's writer put them down; 0 where torch.save was told not to compute them. Empty for
/// archives of 4 GiB or more. Throws std::invalid_argument where there is no directory.
std::map<std::string, std::uint32_t> archive_checksums(const std::filesystem::path& path);

}  // namespace proxytune::network
