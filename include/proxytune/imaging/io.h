#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "proxytune/imaging/volume.h"

// An image is a file in NIfTI or Analyze, NRRD, MetaImage, GIPL, VTK (legacy), MRC, TIFF (a
// stack), Stimulate, Bio-Rad or DICOM (multi-frame), or a folder with one DICOM series of one
// slice a file. GIPL, VTK, MRC, TIFF, Stimulate and Bio-Rad know no directions: their axes are
// taken to run along LPS. Whatever is wrong with an image is a core::DataError that begins with
// its name.
namespace proxytune::imaging {

/// What a file says about itself before its voxels are decoded.
struct ImageHeader {
  int channels = 1;
  Shape shape;
  Geometry geometry;
};
ImageHeader read_header(const std::filesystem::path& file);

/// One 3-D file per channel, or a single file (3-D, 4-D, or with vector pixels). `channels`
/// picks and orders files or the single file's channels; empty takes all. Refuses 2-D images,
/// NaN and infinite voxels, constant channels and files on different grids.
Volume read_image(const std::vector<std::filesystem::path>& files,
                  const std::vector<int>& channels);

/// Labels as the file has them, before any label map.
struct RawLabels {
  Shape shape;
  Geometry geometry;
  std::vector<std::int32_t> voxels;
};
/// Refuses values that are no integers and files of more than one channel.
RawLabels read_labels(const std::filesystem::path& file);

/// The format follows from the name: .nii, .nii.gz, .nrrd or .mha, compressed where the format
/// can. Several channels become a 4-D file. Written beside and renamed, so never half a file
/// under this name. Throws core::SystemError.
void write_image(const std::filesystem::path& file, const Volume& image);
void write_labels(const std::filesystem::path& file, const LabelVolume& label);

}  // namespace proxytune::imaging
