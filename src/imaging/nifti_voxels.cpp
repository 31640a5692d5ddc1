#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>

#include <zlib.h>

#include "imaging/file_checks.h"
#include "proxytune/core/error.h"

namespace proxytune::imaging {

namespace {

constexpr std::size_t header_size = 348;

/// A plain or gzip-compressed file.
class Stream {
 public:
  explicit Stream(const std::filesystem::path& file)
      : name_(file.string()), handle_(gzopen(file.c_str(), "rb")) {
    if (handle_ == nullptr)
      throw core::DataError(name_ + " cannot be opened; check that you may read it");
  }
  ~Stream() { gzclose(handle_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Fewer bytes than asked for only at the end of the file.
  std::size_t read(std::byte* to, std::size_t count) {
    constexpr std::size_t most = std::size_t{1} << 28;
    std::size_t done = 0;
    while (done < count) {
      const int got =
          gzread(handle_, to + done, static_cast<unsigned>(std::min(most, count - done)));
      if (got < 0)
        damaged();
      if (got == 0)
        break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  void read_all(std::byte* to, std::size_t count) {
    if (read(to, count) < count)
      damaged();
  }

  /// To the end, where gzip keeps its checksum.
  void finish() {
    std::array<std::byte, 4096> rest{};
    while (read(rest.data(), rest.size()) > 0) {
    }
    int error = Z_OK;
    gzerror(handle_, &error);
    if (error != Z_OK && error != Z_STREAM_END)
      damaged();
  }

  [[noreturn]] void damaged() const {
    throw core::DataError(name_ + " is truncated or damaged; copy it again");
  }

 private:
  std::string name_;
  gzFile handle_;
};

struct Header {
  std::array<std::byte, header_size> bytes{};
  bool swapped = false;

  template <class T>
  T at(std::size_t offset) const {
    std::array<std::byte, sizeof(T)> raw{};
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), sizeof(T), raw.begin());
    if (swapped)
      std::reverse(raw.begin(), raw.end());
    return std::bit_cast<T>(raw);
  }
};

/// The files of an image: one, or a pair of .hdr and .img, of which either may be named.
struct Parts {
  std::filesystem::path header;
  std::filesystem::path voxels;
  bool pair = false;
};

/// The file or, where only that is there, its compressed form.
std::filesystem::path plain_or_compressed(const std::string& name) {
  std::error_code error;
  return std::filesystem::exists(name, error) ? name : name + ".gz";
}

Parts parts_of(const std::filesystem::path& file) {
  std::string name = file.string();
  if (name.ends_with(".gz"))
    name.resize(name.size() - 3);
  if (!name.ends_with(".hdr") && !name.ends_with(".img"))
    return {file, file, false};
  name.resize(name.size() - 4);
  return {plain_or_compressed(name + ".hdr"), plain_or_compressed(name + ".img"), true};
}

/// Analyze 7.5 writes nothing where NIfTI has its magic word, but is otherwise alike.
enum class Kind { nifti, analyze, other };

Kind kind_of(const Header& header, bool pair) {
  const auto* const magic = header.bytes.data() + 344;
  if (std::memcmp(magic, pair ? "ni1" : "n+1", 4) == 0)
    return Kind::nifti;
  return pair ? Kind::analyze : Kind::other;
}

std::optional<Header> read_image_header(Stream& stream) {
  Header header;
  if (stream.read(header.bytes.data(), header_size) < header_size)
    return std::nullopt;
  header.swapped = header.at<std::int32_t>(0) != static_cast<std::int32_t>(header_size);
  if (header.at<std::int32_t>(0) != static_cast<std::int32_t>(header_size))
    return std::nullopt;
  return header;
}

struct Datatype {
  int code;  // of nifti1.h
  VoxelType type;
  std::size_t size;
};
constexpr Datatype datatypes[] = {{2, VoxelType::uint8, 1},
                                  {4, VoxelType::int16, 2},
                                  {8, VoxelType::int32, 4},
                                  {16, VoxelType::float32, 4},
                                  {64, VoxelType::float64, 8},
                                  {256, VoxelType::int8, 1},
                                  {512, VoxelType::uint16, 2},
                                  {768, VoxelType::uint32, 4},
                                  {1024, VoxelType::int64, 8},
                                  {1280, VoxelType::uint64, 8}};

void swap_bytes(std::vector<std::byte>& bytes, std::size_t size) {
  for (auto value = bytes.begin(); value != bytes.end();
       value += static_cast<std::ptrdiff_t>(size))
    std::reverse(value, value + static_cast<std::ptrdiff_t>(size));
}

/// slope * value + intercept, in double.
NiftiVoxels rescaled(const NiftiVoxels& stored, double slope, double intercept) {
  NiftiVoxels result{VoxelType::float64, {}};
  with_values(stored.type, stored.bytes, [&](auto values) {
    result.bytes.resize(values.size() * sizeof(double));
    auto* to = reinterpret_cast<double*>(result.bytes.data());
    for (const auto value : values)
      *to++ = static_cast<double>(value) * slope + intercept;
  });
  return result;
}

/// `offset` is the header's; the voxels of a pair may begin at once.
void skip_to_voxels(Stream& stream, float offset, bool pair) {
  const auto least = static_cast<float>(pair ? 0 : header_size);
  if (!(offset >= least && offset < 1e9F))
    stream.damaged();
  std::vector<std::byte> before(static_cast<std::size_t>(offset));
  stream.read_all(before.data(), before.size());
}

}  // namespace

std::optional<NiftiVoxels> read_nifti_voxels(const std::filesystem::path& file,
                                             std::size_t values) {
  const Parts parts = parts_of(file);
  Stream header_stream(parts.header);
  const auto header = read_image_header(header_stream);
  if (!header || kind_of(*header, parts.pair) == Kind::other)
    return std::nullopt;
  const auto* const datatype =
      std::find_if(std::begin(datatypes), std::end(datatypes), [&](const Datatype& one) {
        return one.code == header->at<std::int16_t>(70);
      });
  if (datatype == std::end(datatypes))
    return std::nullopt;
  Stream stream(parts.voxels);
  NiftiVoxels voxels{datatype->type, std::vector<std::byte>(values * datatype->size)};
  skip_to_voxels(stream, header->at<float>(108), parts.pair);
  stream.read_all(voxels.bytes.data(), voxels.bytes.size());
  stream.finish();
  if (header->swapped)
    swap_bytes(voxels.bytes, datatype->size);
  const double slope = header->at<float>(112);
  const double intercept = header->at<float>(116);
  // The standard's rule: a slope of 0 (or none) means the voxels are as stored.
  const bool scaled = kind_of(*header, parts.pair) == Kind::nifti && std::isfinite(slope) &&
                      std::isfinite(intercept) && slope != 0 && !(slope == 1 && intercept == 0);
  return scaled ? rescaled(voxels, slope, intercept) : std::move(voxels);
}

}  // namespace proxytune::imaging
