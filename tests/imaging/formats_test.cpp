#include <bit>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/imaging/io.h"

#include "tests/support/byte_writer.h"
#include "tests/support/image_folder.h"

// Formats that the program reads and does not write: files made here, by their specifications.
namespace proxytune::imaging {
namespace {

using test::ByteHeader;
using test::bytes_of;
using test::ImageFolder;
using ::testing::HasSubstr;

constexpr std::int16_t size_x = 5;
constexpr std::int16_t size_y = 4;
constexpr std::int16_t size_z = 3;
constexpr std::array<double, 3> true_spacing{1.5, 0.75, 2.25};

std::vector<std::int16_t> true_voxels() {
  std::vector<std::int16_t> voxels;
  for (int i = 0; i < size_x * size_y * size_z; ++i)
    voxels.push_back(static_cast<std::int16_t>(i * 370 + 3));
  return voxels;
}

std::string raw_voxels(std::endian order = std::endian::little) {
  std::string bytes;
  for (const std::int16_t voxel : true_voxels())
    bytes += bytes_of(voxel, order);
  return bytes;
}

/// NIfTI-1 and Analyze 7.5 agree in this much.
ByteHeader nifti_header() {
  ByteHeader header(348);
  header.put(0, std::int32_t{348}).put(40, std::int16_t{3});
  header.put(42, size_x).put(44, size_y).put(46, size_z);
  header.put(70, std::int16_t{4}).put(72, std::int16_t{16});
  for (std::size_t a = 0; a < 3; ++a)
    header.put(80 + 4 * a, static_cast<float>(true_spacing[a]));
  return header;
}

/// A sample's header, its voxels, and how they are stored.
struct Sample {
  std::string name;
  std::string header_file;
  std::string header;
  std::string voxel_file;  // empty: the voxels follow the header
  std::string voxels;
  std::array<double, 3> spacing = true_spacing;

  /// Writes it without the last `missing` bytes of the voxels; the file to name.
  std::filesystem::path write(const ImageFolder& folder, std::size_t missing = 0) const {
    const std::string kept = voxels.substr(0, voxels.size() - missing);
    if (!voxel_file.empty())
      folder.write(voxel_file, kept);
    return folder.write(header_file, voxel_file.empty() ? header + kept : header);
  }
};

Sample analyze() {
  ByteHeader header = nifti_header();
  header.put(32, std::int32_t{16384}).put_text(38, "r");
  return {"analyze", "a.hdr", header.bytes(), "a.img", raw_voxels()};
}

Sample nifti_pair() {
  ByteHeader header = nifti_header();
  header.put_text(344, "ni1");
  return {"nifti_pair", "a.hdr", header.bytes(), "a.img", raw_voxels()};
}

Sample gipl() {
  ByteHeader header(256, std::endian::big);
  header.put(0, size_x).put(2, size_y).put(4, size_z).put(6, std::int16_t{1});
  header.put(8, std::int16_t{15}).put(252, std::uint32_t{4026526128U});
  for (std::size_t a = 0; a < 3; ++a)
    header.put(10 + 4 * a, static_cast<float>(true_spacing[a]));
  return {"gipl", "a.gipl", header.bytes(), "", raw_voxels(std::endian::big)};
}

Sample vtk() {
  const std::string header =
      "# vtk DataFile Version 3.0\nsample\nBINARY\nDATASET STRUCTURED_POINTS\n"
      "DIMENSIONS 5 4 3\nSPACING 1.5 0.75 2.25\nORIGIN 0 0 0\nPOINT_DATA 60\n"
      "SCALARS scalars short 1\nLOOKUP_TABLE default\n";
  return {"vtk", "a.vtk", header, "", raw_voxels(std::endian::big)};
}

Sample mrc() {
  ByteHeader header(1024);
  const std::int32_t sizes[] = {size_x, size_y, size_z};
  header.put(12, std::int32_t{1}).put_text(208, "MAP DA");
  for (std::size_t a = 0; a < 3; ++a) {
    header.put(4 * a, sizes[a]).put(28 + 4 * a, sizes[a]);
    header.put(40 + 4 * a, static_cast<float>(sizes[a] * true_spacing[a]));
    header.put(52 + 4 * a, 90.0F).put(64 + 4 * a, static_cast<std::int32_t>(a + 1));
  }
  return {"mrc", "a.mrc", header.bytes(), "", raw_voxels()};
}

Sample stimulate() {
  const std::string header =
      "numDim: 3\ndim: 5 4 3\norigin: 0 0 0\nfov: 7.5 3 6.75\ninterval: 1.5 0.75 2.25\n"
      "dataType: WORD\nsdtOrient: ax\n";
  return {"stimulate", "a.spr", header, "a.sdt", raw_voxels(std::endian::big)};
}

Sample bio_rad() {
  ByteHeader header(76);
  header.put(0, size_x).put(2, size_y).put(4, size_z);
  header.put(54, std::int16_t{12345});
  header.put(64, std::int16_t{2}).put(66, 3.0F);  // lens and magnification
  return {"bio_rad", "a.pic", header.bytes(), "", raw_voxels(), {1.5, 1.5, 1.5}};
}

/// One page a slice, each behind its directory; the last page's voxels end the file.
Sample tiff() {
  constexpr std::uint32_t entries = 11;
  constexpr std::uint32_t directory = 2 + 12 * entries + 4;
  constexpr std::uint32_t page = size_x * size_y * 2;
  std::string bytes = "II" + bytes_of(std::uint16_t{42}) + bytes_of(std::uint32_t{8});
  for (std::uint32_t z = 0; z < size_z; ++z) {
    const std::uint32_t begin = 8 + z * (directory + page);
    const std::uint32_t fields[entries][2] = {{254, 2},
                                              {256, size_x},
                                              {257, size_y},
                                              {258, 16},
                                              {259, 1},
                                              {262, 1},
                                              {273, begin + directory},
                                              {277, 1},
                                              {278, size_y},
                                              {279, page},
                                              {339, 2}};
    bytes += bytes_of(static_cast<std::uint16_t>(entries));
    for (const auto& [tag, value] : fields)
      bytes += bytes_of(static_cast<std::uint16_t>(tag)) + bytes_of(std::uint16_t{4}) +
               bytes_of(std::uint32_t{1}) + bytes_of(value);
    bytes += bytes_of(z + 1 == size_z ? 0 : begin + directory + page);
    bytes += raw_voxels().substr(z * page, page);
  }
  const std::size_t last = bytes.size() - page;
  return {"tiff", "a.tif", bytes.substr(0, last), "", bytes.substr(last), {1, 1, 1}};
}

class ReadFormatTest : public ::testing::TestWithParam<Sample> {};

TEST_P(ReadFormatTest, GivesVoxelsAndSpacing) {
  const ImageFolder folder;
  const auto file = GetParam().write(folder);
  const Volume image = read_image({file}, {});
  EXPECT_EQ(image.shape, (Shape{.z = size_z, .y = size_y, .x = size_x}));
  const auto wanted = true_voxels();
  EXPECT_EQ(image.voxels, std::vector<float>(wanted.begin(), wanted.end()));
  for (std::size_t a = 0; a < 3; ++a)
    EXPECT_NEAR(image.geometry.spacing[a], GetParam().spacing[a], 1e-6);
  EXPECT_EQ(read_labels(file).voxels, std::vector<std::int32_t>(wanted.begin(), wanted.end()));
}

TEST_P(ReadFormatTest, RefusesATruncatedFile) {
  const ImageFolder folder;
  for (const std::size_t missing : {1, 20, 40}) {
    const auto file = GetParam().write(folder, missing);
    ::testing::internal::CaptureStderr();
    const std::string sentence =
        test::sentence_of<core::DataError>([&] { read_image({file}, {}); });
    const std::string complaints = ::testing::internal::GetCapturedStderr();
    // ITK hides its own libtiff, whose lines on stderr we cannot stop.
    EXPECT_TRUE(complaints.empty() || GetParam().name == "tiff") << complaints;
    EXPECT_THAT(sentence, HasSubstr("damaged")) << missing << " bytes";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Formats,
    ReadFormatTest,
    ::testing::Values(
        analyze(), nifti_pair(), gipl(), vtk(), mrc(), stimulate(), bio_rad(), tiff()),
    [](const auto& sample) { return sample.param.name; });

TEST(ReadFormatTest, TakesEitherHalfOfAPair) {
  const ImageFolder folder;
  nifti_pair().write(folder);
  EXPECT_EQ(read_image({folder / "a.img"}, {}).voxels,
            read_image({folder / "a.hdr"}, {}).voxels);
}

TEST(ReadFormatTest, SaysWhatIsReadable) {
  const ImageFolder folder;
  const auto text = folder.write("text.doc", "some words");
  const auto sentence = test::sentence_of<core::DataError>([&] { read_image({text}, {}); });
  for (const char* format : {"NIfTI or Analyze",
                             "MetaImage",
                             "GIPL",
                             "VTK",
                             "MRC",
                             "TIFF stack",
                             "Stimulate",
                             "Bio-Rad",
                             "a folder with one DICOM series"})
    EXPECT_THAT(sentence, HasSubstr(format));
}

}  // namespace
}  // namespace proxytune::imaging
