#include "imaging/dicom_series.h"

#include <algorithm>
#include <string>
#include <vector>

#include <itkGDCMImageIO.h>
#include <itkGDCMSeriesFileNames.h>

#include "imaging/itk_formats.h"
#include "imaging/itk_image.h"
#include "imaging/slice_stack.h"
#include "proxytune/core/error.h"

namespace proxytune::imaging {

namespace {

using Path = std::filesystem::path;

ItkFile open_slice(const std::string& file) {
  const ItkFile io(itk::GDCMImageIO::New());
  io->SetFileName(file);
  io->ReadImageInformation();
  return io;
}

/// "T2 axial" (1.2.840.1, 24 files).
std::string describe_series(const std::vector<std::string>& files) {
  const auto io = itk::GDCMImageIO::New();
  io->SetFileName(files.front());
  io->ReadImageInformation();
  std::string name;
  std::string uid;
  io->GetValueFromTag("0008|103e", name);
  io->GetValueFromTag("0020|000e", uid);
  const auto trimmed = [](std::string text) {
    text.resize(std::min(text.find_last_not_of(std::string(" \0", 2)) + 1, text.size()));
    return text;
  };
  return "\"" + trimmed(name) + "\" (" + trimmed(uid) + ", " + std::to_string(files.size()) +
         " files)";
}

/// The files of the folder's only series.
std::vector<std::string> series_files(const Path& folder) {
  const auto names = itk::GDCMSeriesFileNames::New();
  names->SetInputDirectory(folder.string());
  std::vector<std::vector<std::string>> series;
  for (const std::string& uid : names->GetSeriesUIDs())
    series.push_back(names->GetFileNames(uid));
  if (series.empty())
    throw core::DataError(folder.string() +
                          " is a folder without a DICOM series; an image is one of " +
                          readable_formats());
  if (series.size() == 1)
    return series.front();
  std::string found;
  for (const auto& files : series)
    found += (found.empty() ? "" : ", ") + describe_series(files);
  throw core::DataError(folder.string() + " holds " + std::to_string(series.size()) +
                        " DICOM series, but an image is one: " + found +
                        "; give each series a folder of its own");
}

/// The slices from first to last.
struct Series {
  ImageHeader header;
  std::vector<ItkFile> slices;
};

Series open_series(const Path& folder) {
  std::vector<ItkFile> files;
  std::vector<ImageHeader> headers;
  for (const std::string& file : series_files(folder)) {
    files.push_back(open_slice(file));
    headers.push_back(header_of(*files.back(), file));
  }
  Series series;
  if (files.size() == 1) {
    series = {headers.front(), files};
  } else {
    const SliceStack stack = stack_slices(headers, folder);
    series.header = stack.header;
    for (const std::size_t i : stack.order)
      series.slices.push_back(files[i]);
  }
  need_volume(series.header, folder);
  return series;
}

std::vector<std::byte> as_doubles(VoxelType type, const std::vector<std::byte>& bytes) {
  std::vector<double> numbers;
  with_values(type, bytes, [&](auto values) {
    for (const auto value : values)
      numbers.push_back(static_cast<double>(value));
  });
  const auto raw = std::as_bytes(std::span(numbers));
  return {raw.begin(), raw.end()};
}

}  // namespace

ImageHeader decode_series_header(const Path& folder) {
  return open_series(folder).header;
}

DecodedFile decode_series(const Path& folder) {
  const Series series = open_series(folder);
  DecodedFile decoded;
  decoded.header = series.header;
  decoded.interleaved = series.header.channels > 1;
  std::vector<VoxelType> types;
  for (const ItkFile& slice : series.slices)
    types.push_back(voxel_type(*slice, folder));
  // Slices may be scaled each by a slope of its own, and then be of unequal types.
  const bool equal = std::equal(types.begin() + 1, types.end(), types.begin());
  decoded.type = equal ? types.front() : VoxelType::float64;
  for (std::size_t i = 0; i < types.size(); ++i) {
    std::vector<std::byte> bytes =
        read_voxels(*series.slices[i], series.slices[i]->GetFileName());
    if (!equal)
      bytes = as_doubles(types[i], bytes);
    decoded.bytes.insert(decoded.bytes.end(), bytes.begin(), bytes.end());
  }
  return decoded;
}

}  // namespace proxytune::imaging
