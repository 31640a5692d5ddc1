#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <vector>

#include "imaging/image_file.h"

// What ITK's format libraries let pass: niftilib reads NaN as 0 and fills what a truncated file
// lacks, as GDCM does; MetaIO decompresses as far as it comes.
namespace proxytune::imaging {

/// The voxels of a NIfTI-1 or Analyze 7.5 image (.nii, or a pair of .hdr and .img, plain or
/// compressed), complete and as they are.
struct NiftiVoxels {
  VoxelType type = VoxelType::float32;
  std::vector<std::byte> bytes;  // native order, x fastest, channels slowest
};
/// `values` is the number of voxels times channels. Nothing for other files (RGB voxels, other
/// formats). Throws core::DataError for a truncated or damaged file.
std::optional<NiftiVoxels> read_nifti_voxels(const std::filesystem::path& file,
                                             std::size_t values);

/// Throws core::DataError if a MetaImage (.mha, .mhd) holds fewer bytes than its header says.
/// `bytes` is the size of the decoded voxels; other files pass.
void check_meta_length(const std::filesystem::path& file, std::size_t bytes);

/// Throws core::DataError if a DICOM file of uncompressed voxels ends before the last of them.
/// `values` is the number of voxels times channels.
void check_dicom_length(const std::filesystem::path& file, std::size_t values);

}  // namespace proxytune::imaging
