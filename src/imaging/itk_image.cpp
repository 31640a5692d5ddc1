#include "imaging/itk_image.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "imaging/file_checks.h"
#include "imaging/itk_formats.h"
#include "proxytune/core/error.h"
#include "proxytune/imaging/grid.h"

namespace proxytune::imaging {

namespace {

int extent(const itk::ImageIOBase& io, unsigned axis, const std::filesystem::path& file) {
  const auto length = io.GetDimensions(axis);
  if (length == 0)
    throw core::DataError(file.string() + " has an empty grid");
  if (length > 100000)
    throw core::DataError(file.string() + " has an extent of " + std::to_string(length) +
                          "; is its header damaged?");
  return static_cast<int>(length);
}

Geometry geometry_of(const itk::ImageIOBase& io, const std::filesystem::path& file) {
  Geometry geometry;
  for (unsigned axis = 0; axis < std::min(3U, io.GetNumberOfDimensions()); ++axis) {
    geometry.spacing[axis] = io.GetSpacing(axis);
    geometry.origin[axis] = io.GetOrigin(axis);
    const std::vector<double> direction = io.GetDirection(axis);
    for (std::size_t row = 0; row < std::min<std::size_t>(3, direction.size()); ++row)
      geometry.direction[row][axis] = direction[row];
    if (!(geometry.spacing[axis] > 0) || !std::isfinite(geometry.spacing[axis]))
      throw core::DataError(file.string() + " has a spacing of " +
                            std::to_string(geometry.spacing[axis]) +
                            " mm; spacings are positive");
  }
  return geometry;
}

[[noreturn]] void refuse_as_damaged(const std::filesystem::path& file) {
  throw core::DataError(file.string() + " is truncated or damaged; copy it again");
}

/// For formats that read as far as the file goes and leave the rest of the buffer as it was.
std::vector<std::byte> read_without_gaps(itk::ImageIOBase& io,
                                         const std::filesystem::path& file) {
  const auto size = static_cast<std::size_t>(io.GetImageSizeInBytes());
  std::vector<std::byte> bytes(size, std::byte{0x00});
  io.Read(bytes.data());
  std::vector<std::byte> again(size, std::byte{0x55});
  const ItkFile second = open_itk_file(file);
  second->SetIORegion(whole_region(*second));
  second->Read(again.data());
  if (bytes != again)
    refuse_as_damaged(file);
  return bytes;
}

}  // namespace

ImageHeader header_of(const itk::ImageIOBase& io, const std::filesystem::path& file) {
  ImageHeader header;
  Extents size{1, 1, 1};
  for (unsigned axis = 0; axis < io.GetNumberOfDimensions(); ++axis) {
    const int length = extent(io, axis, file);
    if (axis < 3)
      size[axis] = length;
    else
      header.channels *= length;
  }
  header.shape = shape_of(size);
  header.channels *= static_cast<int>(io.GetNumberOfComponents());
  header.geometry = geometry_of(io, file);
  return header;
}

void need_volume(const ImageHeader& header, const std::filesystem::path& file) {
  if (header.shape.x < 2 || header.shape.y < 2 || header.shape.z < 2)
    throw core::DataError(file.string() + " is a 2-D image (" + to_text(header.shape) +
                          " voxels); this program works on 3-D volumes");
}

VoxelType voxel_type(const itk::ImageIOBase& io, const std::filesystem::path& file) {
  using Component = itk::IOComponentEnum;
  if (io.GetPixelType() == itk::IOPixelEnum::COMPLEX)
    throw core::DataError(file.string() + " has complex voxels; write its magnitude instead");
  switch (io.GetComponentType()) {
    case Component::UCHAR:
      return VoxelType::uint8;
    case Component::CHAR:
      return VoxelType::int8;
    case Component::USHORT:
      return VoxelType::uint16;
    case Component::SHORT:
      return VoxelType::int16;
    case Component::UINT:
      return VoxelType::uint32;
    case Component::INT:
      return VoxelType::int32;
    case Component::ULONG:
    case Component::ULONGLONG:
      return VoxelType::uint64;
    case Component::LONG:
    case Component::LONGLONG:
      return VoxelType::int64;
    case Component::FLOAT:
      return VoxelType::float32;
    case Component::DOUBLE:
      return VoxelType::float64;
    default:
      throw core::DataError(file.string() + " has voxels of an unknown type");
  }
}

itk::IOComponentEnum component(VoxelType type) {
  if (type == VoxelType::uint8)
    return itk::IOComponentEnum::UCHAR;
  if (type == VoxelType::int16)
    return itk::IOComponentEnum::SHORT;
  return itk::IOComponentEnum::FLOAT;
}

itk::ImageIORegion whole_region(const itk::ImageIOBase& io) {
  itk::ImageIORegion region(io.GetNumberOfDimensions());
  for (unsigned axis = 0; axis < io.GetNumberOfDimensions(); ++axis)
    region.SetSize(axis, io.GetDimensions(axis));
  return region;
}

std::vector<std::byte> read_voxels(itk::ImageIOBase& io, const std::filesystem::path& file) {
  const std::string_view format = io.GetNameOfClass();
  const auto size = static_cast<std::size_t>(io.GetImageSizeInBytes());
  io.SetIORegion(whole_region(io));
  check_meta_length(file, size);
  if (format == "GDCMImageIO")
    check_dicom_length(file, size / io.GetComponentSize());
  if (format == "VTKImageIO" && io.GetFileType() == itk::IOFileEnum::ASCII)
    throw core::DataError(file.string() +
                          " is a VTK file in text form, whose end cannot be known; save it in "
                          "binary form");
  if (format == "GiplImageIO" || format == "VTKImageIO" || format == "MRCImageIO")
    return read_without_gaps(io, file);
  std::vector<std::byte> bytes(size);
  io.Read(bytes.data());
  return bytes;
}

}  // namespace proxytune::imaging
