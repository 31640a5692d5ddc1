#include <filesystem>
#include <string>

#include <gdcmAttribute.h>
#include <gdcmReader.h>

#include "imaging/file_checks.h"
#include "proxytune/core/error.h"

namespace proxytune::imaging {

void check_dicom_length(const std::filesystem::path& file, std::size_t values) {
  gdcm::Reader reader;
  reader.SetFileName(file.c_str());
  const gdcm::Tag voxels(0x7fe0, 0x0010);
  // Skipping them leaves the stream where they begin.
  if (!reader.ReadUpToTag(voxels, {voxels}))
    return;  // ITK says what is wrong
  const gdcm::File& content = reader.GetFile();
  if (content.GetHeader().GetDataSetTransferSyntax().IsEncapsulated())
    return;  // the decoder misses what is not there
  gdcm::Attribute<0x0028, 0x0100> bits_of_a_voxel;
  bits_of_a_voxel.Set(content.GetDataSet());
  const std::size_t bytes = values * bits_of_a_voxel.GetValue() / 8;
  if (std::filesystem::file_size(file) < reader.GetStreamCurrentPosition() + bytes)
    throw core::DataError(file.string() + " is truncated or damaged; copy it again");
}

}  // namespace proxytune::imaging
