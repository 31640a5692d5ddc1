#include "imaging/image_file.h"

#include <functional>
#include <iostream>
#include <mutex>
#include <sstream>
#include <stdexcept>

#include <itkGDCMImageIO.h>
#include <itkImageIOBase.h>
#include <itkMetaImageIO.h>
#include <itkNiftiImageIO.h>
#include <itkNrrdImageIO.h>

#include "imaging/file_checks.h"
#include "proxytune/core/error.h"
#include "proxytune/imaging/grid.h"

namespace proxytune::imaging {

namespace {

using ItkFile = itk::ImageIOBase::Pointer;

/// MetaIO and others complain on std::cerr before they fail; the complaint is ours to make.
/// std::cerr and ITK's format libraries are global, so one file is decoded at a time.
class QuietItk {
 public:
  QuietItk() : lock_(mutex()), buffer_(std::cerr.rdbuf(nowhere_.rdbuf())) {
    itk::Object::SetGlobalWarningDisplay(false);
  }
  ~QuietItk() { std::cerr.rdbuf(buffer_); }
  QuietItk(const QuietItk&) = delete;
  QuietItk& operator=(const QuietItk&) = delete;

 private:
  static std::mutex& mutex() {
    static std::mutex one;
    return one;
  }
  std::lock_guard<std::mutex> lock_;
  std::ostringstream nowhere_;
  std::streambuf* buffer_;
};

/// ITK's message without its class names, addresses and line breaks.
std::string reason(const itk::ExceptionObject& error) {
  std::string text = error.GetDescription();
  if (const auto address = text.find("): "); address != std::string::npos)
    text = text.substr(address + 3);
  std::string line;
  for (const char letter : text) {
    const bool space = letter == '\n' || letter == '\r' || letter == '\t' || letter == ' ';
    if (!space)
      line += letter;
    else if (!line.empty() && line.back() != ' ')
      line += ' ';
  }
  while (!line.empty() && (line.back() == ' ' || line.back() == '.'))
    line.pop_back();
  return line;
}

/// Runs `body`, turning whatever ITK throws about `file` into a DataError.
template <class Body>
auto reading(const std::filesystem::path& file, const Body& body) {
  try {
    return body();
  } catch (const itk::ExceptionObject& error) {
    throw core::DataError(file.string() + " cannot be decoded (" + reason(error) +
                          "): it may be truncated or damaged; copy it again");
  } catch (const std::bad_alloc&) {
    throw core::DataError(file.string() + " does not fit into memory; is its header damaged?");
  } catch (const std::length_error&) {
    throw core::DataError(file.string() + " does not fit into memory; is its header damaged?");
  }
}

ItkFile open(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error))
    throw core::DataError(file.string() + " does not exist; check the path in dataset.json");
  if (std::filesystem::is_directory(file, error))
    throw core::DataError(file.string() + " is a folder; name an image file");
  const std::vector<std::function<ItkFile()>> formats = {
      [] { return ItkFile(itk::NiftiImageIO::New()); },
      [] { return ItkFile(itk::NrrdImageIO::New()); },
      [] { return ItkFile(itk::MetaImageIO::New()); },
      [] { return ItkFile(itk::GDCMImageIO::New()); }};
  for (const auto& format : formats) {
    ItkFile io = format();
    if (!io->CanReadFile(file.c_str()))
      continue;
    io->SetFileName(file.string());
    io->ReadImageInformation();
    return io;
  }
  throw core::DataError(
      file.string() +
      " is not an image in a known format (NIfTI, NRRD, MetaImage, DICOM), or "
      "its header is damaged");
}

int extent(const itk::ImageIOBase& io, unsigned axis, const std::filesystem::path& file) {
  const auto length = io.GetDimensions(axis);
  if (length == 0)
    throw core::DataError(file.string() + " has an empty grid");
  if (length > 100000)
    throw core::DataError(file.string() + " has an extent of " + std::to_string(length) +
                          "; is its header damaged?");
  return static_cast<int>(length);
}

ImageHeader header_of(const itk::ImageIOBase& io, const std::filesystem::path& file) {
  const unsigned dimensions = io.GetNumberOfDimensions();
  ImageHeader header;
  Extents size{1, 1, 1};
  for (unsigned axis = 0; axis < dimensions; ++axis) {
    const int length = extent(io, axis, file);
    if (axis < 3)
      size[axis] = length;
    else
      header.channels *= length;
  }
  header.shape = shape_of(size);
  if (size[0] < 2 || size[1] < 2 || size[2] < 2)
    throw core::DataError(file.string() + " is a 2-D image (" + to_text(header.shape) +
                          " voxels); this program works on 3-D volumes");
  header.channels *= static_cast<int>(io.GetNumberOfComponents());
  for (unsigned axis = 0; axis < 3; ++axis) {
    header.geometry.spacing[axis] = io.GetSpacing(axis);
    header.geometry.origin[axis] = io.GetOrigin(axis);
    const std::vector<double> direction = io.GetDirection(axis);
    for (std::size_t row = 0; row < 3; ++row)
      header.geometry.direction[row][axis] = direction.at(row);
    if (!(header.geometry.spacing[axis] > 0))
      throw core::DataError(file.string() + " has a spacing of " +
                            std::to_string(header.geometry.spacing[axis]) +
                            " mm; spacings are positive");
  }
  return header;
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

ItkFile format_for_writing(const std::filesystem::path& file) {
  const std::vector<ItkFile> formats = {ItkFile(itk::NiftiImageIO::New()),
                                        ItkFile(itk::NrrdImageIO::New()),
                                        ItkFile(itk::MetaImageIO::New())};
  for (const auto& io : formats)
    if (io->CanWriteFile(file.c_str()))
      return io;
  throw core::SystemError(file.string() +
                          " cannot be written: its name ends in none of .nii.gz, .nii, .nrrd, "
                          ".mha");
}

void set_header(itk::ImageIOBase& io, const ImageHeader& header) {
  const Extents size = extents(header.shape);
  const unsigned dimensions = header.channels > 1 ? 4 : 3;
  io.SetNumberOfDimensions(dimensions);
  for (unsigned axis = 0; axis < dimensions; ++axis) {
    std::vector<double> direction(dimensions, 0.0);
    const bool space = axis < 3;
    for (std::size_t row = 0; row < 3 && space; ++row)
      direction[row] = header.geometry.direction[row][axis];
    if (!space)
      direction[axis] = 1;
    io.SetDimensions(axis, static_cast<std::size_t>(space ? size[axis] : header.channels));
    io.SetSpacing(axis, space ? header.geometry.spacing[axis] : 1.0);
    io.SetOrigin(axis, space ? header.geometry.origin[axis] : 0.0);
    io.SetDirection(axis, direction);
  }
}

}  // namespace

ImageHeader decode_header(const std::filesystem::path& file) {
  const QuietItk quiet;
  return reading(file, [&] { return header_of(*open(file), file); });
}

DecodedFile decode_file(const std::filesystem::path& file) {
  const QuietItk quiet;
  return reading(file, [&] {
    const ItkFile io = open(file);
    DecodedFile decoded;
    decoded.header = header_of(*io, file);
    decoded.type = voxel_type(*io, file);
    decoded.interleaved = io->GetNumberOfComponents() > 1;
    if (decoded.interleaved && io->GetNumberOfDimensions() > 3)
      throw core::DataError(file.string() +
                            " is a 4-D image of vectors; use a 4-D or a vector image");
    const std::size_t values =
        decoded.header.shape.voxels() * static_cast<std::size_t>(decoded.header.channels);
    if (auto nifti = read_nifti_voxels(file, values)) {
      decoded.type = nifti->type;
      decoded.interleaved = false;
      decoded.bytes = std::move(nifti->bytes);
      return decoded;
    }
    io->SetIORegion(whole_region(*io));
    check_meta_length(file, static_cast<std::size_t>(io->GetImageSizeInBytes()));
    decoded.bytes.resize(static_cast<std::size_t>(io->GetImageSizeInBytes()));
    io->Read(decoded.bytes.data());
    return decoded;
  });
}

void encode_file(const std::filesystem::path& file,
                 const ImageHeader& header,
                 VoxelType type,
                 std::span<const std::byte> bytes) {
  const QuietItk quiet;
  const auto beside = file.parent_path() / (".writing-" + file.filename().string());
  try {
    const ItkFile io = format_for_writing(file);
    set_header(*io, header);
    io->SetNumberOfComponents(1);
    io->SetPixelType(itk::IOPixelEnum::SCALAR);
    io->SetComponentType(component(type));
    io->SetIORegion(whole_region(*io));
    io->SetUseCompression(true);
    io->SetFileName(beside.string());
    io->WriteImageInformation();
    io->Write(bytes.data());
    std::filesystem::rename(beside, file);
  } catch (const itk::ExceptionObject& error) {
    throw core::SystemError(file.string() + " cannot be written (" + reason(error) +
                            "); check the folder, its permissions and free space");
  } catch (const std::filesystem::filesystem_error& error) {
    throw core::SystemError(file.string() + " cannot be written (" + error.code().message() +
                            "); check the folder, its permissions and free space");
  }
}

}  // namespace proxytune::imaging
