#pragma once

#include <filesystem>
#include <string>

#include <itkImageIOBase.h>

// Which of ITK's formats this program knows.
namespace proxytune::imaging {

using ItkFile = itk::ImageIOBase::Pointer;

/// "NIfTI, Analyze, NRRD, ...": what an image may be, for sentences.
std::string readable_formats();

/// A file with its header read, in the first format that knows it. Throws core::DataError where
/// there is none, and what ITK throws for a damaged header.
ItkFile open_itk_file(const std::filesystem::path& file);

/// The format that writes this name. Throws core::SystemError.
ItkFile itk_file_for_writing(const std::filesystem::path& file);

}  // namespace proxytune::imaging
