#include "network/archive_checksums.h"

#include <cstddef>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>

namespace proxytune::network {
namespace {

// PKWARE's APPNOTE.TXT, 4.3.12 and 4.3.16: sizes and places of fields.
constexpr std::size_t end_size = 22;
constexpr std::size_t entry_size = 46;
constexpr std::string_view end_signature("PK\5\6", 4);
constexpr std::string_view entry_signature("PK\1\2", 4);

std::uint32_t number(std::string_view bytes, std::size_t place, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i)
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes.at(place + i)))
             << 8U * i;
  return value;
}

[[noreturn]] void refuse() {
  throw std::invalid_argument("its directory of records is damaged");
}

}  // namespace

std::map<std::string, std::uint32_t> archive_checksums(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const std::size_t end = bytes.rfind(end_signature);
  if (end == std::string::npos || bytes.size() - end < end_size)
    refuse();
  const std::uint32_t entries = number(bytes, end + 10, 2);
  std::size_t place = number(bytes, end + 16, 4);
  std::map<std::string, std::uint32_t> checksums;
  if (entries == 0xFFFFU || place == 0xFFFFFFFFU)
    return checksums;  // of the 64-bit format
  for (std::uint32_t i = 0; i < entries; ++i) {
    if (place + entry_size > bytes.size() ||
        bytes.compare(place, entry_signature.size(), entry_signature) != 0)
      refuse();
    const std::size_t name = number(bytes, place + 28, 2);
    const std::size_t rest = number(bytes, place + 30, 2) + number(bytes, place + 32, 2);
    if (place + entry_size + name > bytes.size())
      refuse();
    checksums[bytes.substr(place + entry_size, name)] = number(bytes, place + 16, 4);
    place += entry_size + name + rest;
  }
  return checksums;
}

}  // namespace proxytune::network
