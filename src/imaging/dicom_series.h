#pragma once

#include <filesystem>

#include "imaging/image_file.h"

// A folder that holds one DICOM series, one slice a file, read as a volume.
namespace proxytune::imaging {

/// Throw core::DataError where the folder holds no series, or several, which are named, and
/// what ITK throws for a damaged file.
ImageHeader decode_series_header(const std::filesystem::path& folder);
DecodedFile decode_series(const std::filesystem::path& folder);

}  // namespace proxytune::imaging
