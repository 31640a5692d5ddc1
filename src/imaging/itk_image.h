#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include <itkImageIOBase.h>

#include "imaging/image_file.h"

// ITK's words for grids and voxels in ours.
namespace proxytune::imaging {

/// Extents, channels and geometry; a single slice has an extent of 1 along z. Throws
/// core::DataError.
ImageHeader header_of(const itk::ImageIOBase& io, const std::filesystem::path& file);

/// Throws core::DataError for a 2-D image.
void need_volume(const ImageHeader& header, const std::filesystem::path& file);

/// Throws core::DataError for complex voxels and unknown types.
VoxelType voxel_type(const itk::ImageIOBase& io, const std::filesystem::path& file);

itk::IOComponentEnum component(VoxelType type);

/// All voxels: what is to be read or written.
itk::ImageIORegion whole_region(const itk::ImageIOBase& io);

/// All voxels as the file stores them. Throws core::DataError where some are missing, and what
/// ITK throws.
std::vector<std::byte> read_voxels(itk::ImageIOBase& io, const std::filesystem::path& file);

}  // namespace proxytune::imaging
