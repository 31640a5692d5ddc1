#include "imaging/itk_formats.h"

#include <functional>
#include <vector>

#include <itkBioRadImageIO.h>
#include <itkGDCMImageIO.h>
#include <itkGiplImageIO.h>
#include <itkMRCImageIO.h>
#include <itkMetaImageIO.h>
#include <itkNiftiImageIO.h>
#include <itkNrrdImageIO.h>
#include <itkStimulateImageIO.h>
#include <itkTIFFImageIO.h>
#include <itkVTKImageIO.h>

#include "proxytune/core/error.h"

namespace proxytune::imaging {

namespace {

struct Format {
  std::string name;
  std::function<ItkFile()> make;
};

template <class ImageIO>
Format format(const std::string& name) {
  return {name, [] { return ItkFile(ImageIO::New()); }};
}

/// In the order in which they are asked. ITK's readers of HDF5 and MINC are left out: they
/// bring a serial HDF5 beside the parallel one. So are formats of one slice a file but DICOM,
/// and those that keep the grid in other files of the folder (Bruker, GE, Siemens Vision).
const std::vector<Format>& formats() {
  static const std::vector<Format> all{format<itk::NiftiImageIO>("NIfTI or Analyze"),
                                       format<itk::NrrdImageIO>("NRRD"),
                                       format<itk::MetaImageIO>("MetaImage"),
                                       format<itk::GiplImageIO>("GIPL"),
                                       format<itk::VTKImageIO>("VTK"),
                                       format<itk::MRCImageIO>("MRC"),
                                       format<itk::TIFFImageIO>("TIFF stack"),
                                       format<itk::StimulateImageIO>("Stimulate"),
                                       format<itk::BioRadImageIO>("Bio-Rad"),
                                       format<itk::GDCMImageIO>("DICOM")};
  return all;
}

}  // namespace

std::string readable_formats() {
  std::string names;
  for (const Format& one : formats())
    names += (names.empty() ? "" : ", ") + one.name;
  return names + ", or a folder with one DICOM series";
}

ItkFile open_itk_file(const std::filesystem::path& file) {
  for (const Format& one : formats()) {
    const ItkFile io = one.make();
    if (!io->CanReadFile(file.c_str()))
      continue;
    io->SetFileName(file.string());
    io->ReadImageInformation();
    return io;
  }
  throw core::DataError(file.string() + " is not an image in a known format (" +
                        readable_formats() + "), or its header is damaged");
}

ItkFile itk_file_for_writing(const std::filesystem::path& file) {
  const std::vector<ItkFile> writers = {ItkFile(itk::NiftiImageIO::New()),
                                        ItkFile(itk::NrrdImageIO::New()),
                                        ItkFile(itk::MetaImageIO::New())};
  for (const auto& io : writers)
    if (io->CanWriteFile(file.c_str()))
      return io;
  throw core::SystemError(file.string() +
                          " cannot be written: its name ends in none of .nii.gz, .nii, .nrrd, "
                          ".mha");
}

}  // namespace proxytune::imaging
