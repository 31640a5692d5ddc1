#include <fstream>
#include <map>
#include <string>

#include "imaging/file_checks.h"
#include "proxytune/core/error.h"

namespace proxytune::imaging {

namespace {

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos)
    return "";
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

struct MetaHeader {
  std::map<std::string, std::string> fields;
  std::size_t length = 0;  // up to the voxels of a .mha
};

/// Lines "key = value" up to ElementDataFile, which is the last.
MetaHeader read_meta_header(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  MetaHeader header;
  std::string line;
  while (header.length < 100000 && std::getline(stream, line)) {
    header.length += line.size() + 1;
    const auto equal = line.find('=');
    if (equal == std::string::npos)
      continue;
    const std::string key = trimmed(line.substr(0, equal));
    header.fields[key] = trimmed(line.substr(equal + 1));
    if (key == "ElementDataFile")
      break;
  }
  return header;
}

}  // namespace

void check_meta_length(const std::filesystem::path& file, std::size_t bytes) {
  if (file.extension() != ".mha" && file.extension() != ".mhd")
    return;
  MetaHeader header = read_meta_header(file);
  const std::string voxels = header.fields["ElementDataFile"];
  if (voxels.empty() || voxels == "LIST" || voxels.find('%') != std::string::npos)
    return;
  const bool local = voxels == "LOCAL" || voxels == "Local" || voxels == "local";
  const std::string compressed = header.fields["CompressedDataSize"];
  if (header.fields["CompressedData"] == "True") {
    if (compressed.empty() || compressed.size() > 15 ||
        compressed.find_first_not_of("0123456789") != std::string::npos)
      return;
    bytes = std::stoull(compressed);
  }
  std::error_code error;
  const auto present =
      std::filesystem::file_size(local ? file : file.parent_path() / voxels, error);
  if (error || present < bytes + (local ? header.length : 0))
    throw core::DataError(file.string() + " is truncated or damaged; copy it again");
}

}  // namespace proxytune::imaging
