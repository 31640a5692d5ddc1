#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "proxytune/core/error.h"
#include "proxytune/imaging/io.h"

namespace proxytune::test {

/// A folder of this test's own, gone afterwards.
class ImageFolder {
 public:
  ImageFolder() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::temp_directory_path() /
            ("proxytune_" + std::to_string(::getpid()) + "_" + info->test_suite_name() + "_" +
             info->name());
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~ImageFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  ImageFolder(const ImageFolder&) = delete;
  ImageFolder& operator=(const ImageFolder&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

/// The sentence of the Error that `body` throws; empty if it throws none.
template <class Error, class Body>
std::string sentence_of(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

/// Counting voxels on an oblique, anisotropic grid.
inline imaging::Volume counting_volume(imaging::Shape shape, int channels = 1) {
  imaging::Volume image{channels, shape, {}, {}};
  image.geometry = {
      {1.5, 0.75, 2.25}, {-10.5, 20.25, 3}, {{{0.96, -0.28, 0}, {0.28, 0.96, 0}, {0, 0, 1}}}};
  for (std::size_t i = 0; i < shape.voxels() * static_cast<std::size_t>(channels); ++i)
    image.voxels.push_back(static_cast<float>((i * 37 + 11) % 101) - 20.5F);
  return image;
}

}  // namespace proxytune::test
