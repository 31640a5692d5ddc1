#include "imaging/image_file.h"

#include <iostream>
#include <mutex>
#include <sstream>
#include <stdexcept>

#include <itkImageIOBase.h>

#include "imaging/dicom_series.h"
#include "imaging/file_checks.h"
#include "imaging/itk_formats.h"
#include "imaging/itk_image.h"
#include "proxytune/core/error.h"
#include "proxytune/imaging/grid.h"

namespace proxytune::imaging {

namespace {

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

void need_file(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error))
    throw core::DataError(file.string() + " does not exist; check the path in dataset.json");
}

bool is_folder(const std::filesystem::path& file) {
  std::error_code error;
  return std::filesystem::is_directory(file, error);
}

ImageHeader file_header(const std::filesystem::path& file) {
  ImageHeader header = header_of(*open_itk_file(file), file);
  need_volume(header, file);
  return header;
}

DecodedFile decode_one_file(const std::filesystem::path& file) {
  const ItkFile io = open_itk_file(file);
  DecodedFile decoded;
  decoded.header = header_of(*io, file);
  need_volume(decoded.header, file);
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
  decoded.bytes = read_voxels(*io, file);
  return decoded;
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
  return reading(file, [&] {
    need_file(file);
    return is_folder(file) ? decode_series_header(file) : file_header(file);
  });
}

DecodedFile decode_file(const std::filesystem::path& file) {
  const QuietItk quiet;
  return reading(file, [&] {
    need_file(file);
    return is_folder(file) ? decode_series(file) : decode_one_file(file);
  });
}

void encode_file(const std::filesystem::path& file,
                 const ImageHeader& header,
                 VoxelType type,
                 std::span<const std::byte> bytes) {
  const QuietItk quiet;
  const auto beside = file.parent_path() / (".writing-" + file.filename().string());
  try {
    const ItkFile io = itk_file_for_writing(file);
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
