#include "proxytune/similarity/matrix_file.h"

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxytune/core/error.h"
#include "proxytune/core/hash.h"

namespace proxytune::similarity {
namespace {

constexpr std::int64_t header_bytes = 64;
constexpr char magic[] = "proxytune pairs1";

[[noreturn]] void fail(const std::filesystem::path& file, const char* what) {
  throw core::SystemError(file.string() + ": cannot " + what + ": " + std::strerror(errno) +
                          "; mend that and repeat the command, which goes on from here");
}

/// Null where there is no such file.
std::shared_ptr<const std::span<const std::byte>> mapped(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return nullptr;
  struct stat state {};
  void* address = MAP_FAILED;
  if (::fstat(descriptor, &state) == 0 && state.st_size > 0)
    address = ::mmap(
        nullptr, static_cast<std::size_t>(state.st_size), PROT_READ, MAP_SHARED, descriptor, 0);
  ::close(descriptor);
  if (address == MAP_FAILED)
    return nullptr;
  const auto release = [](const std::span<const std::byte>* bytes) {
    ::munmap(const_cast<std::byte*>(bytes->data()), bytes->size());
    delete bytes;
  };
  return {new std::span<const std::byte>(static_cast<const std::byte*>(address),
                                         static_cast<std::size_t>(state.st_size)),
          release};
}

}  // namespace

MatrixFile::MatrixFile(std::filesystem::path path, std::string key, int rows, int columns)
    : path_(std::move(path)), key_(std::move(key)), rows_(rows), columns_(columns) {}

std::filesystem::path MatrixFile::temporary() const {
  return path_.string() + ".part";
}

std::int64_t MatrixFile::row_at(int row) const {
  return header_bytes + 8 * std::int64_t{row} * columns_;
}

std::int64_t MatrixFile::checksum_at(int row) const {
  return row_at(rows_) + 4 * std::int64_t{row};
}

std::string MatrixFile::header() const {
  std::string text(magic);
  for (const int extent : {rows_, columns_}) {
    const auto wide = std::int64_t{extent};
    text.append(reinterpret_cast<const char*>(&wide), sizeof wide);
  }
  text += key_;
  text.resize(header_bytes, ' ');
  return text;
}

bool MatrixFile::has_our_header(std::span<const std::byte> bytes) const {
  const std::string wanted = header();
  return static_cast<std::int64_t>(bytes.size()) == checksum_at(rows_) &&
         std::memcmp(bytes.data(), wanted.data(), wanted.size()) == 0;
}

bool MatrixFile::valid() const {
  const auto bytes = mapped(path_);
  if (!bytes || !has_our_header(*bytes))
    return false;
  for (int row = 0; row < rows_; ++row) {
    std::uint32_t kept = 0;
    std::memcpy(&kept, bytes->data() + checksum_at(row), sizeof kept);
    const auto values = bytes->subspan(static_cast<std::size_t>(row_at(row)),
                                       8 * static_cast<std::size_t>(columns_));
    if (core::checksum(values) != kept)
      return false;
  }
  return true;
}

PairMatrix MatrixFile::map() const {
  const auto bytes = mapped(path_);
  if (!bytes || !has_our_header(*bytes))
    throw core::DataError(path_.string() +
                          ": the pair matrix cannot be read, has another size or is of other "
                          "volumes; repeat the command, which makes it anew from its tiles");
  // The header is as long as eight doubles, so that these lie aligned.
  const auto* const values = reinterpret_cast<const double*>(bytes->data() + header_bytes);
  const auto count = static_cast<std::size_t>(rows_) * static_cast<std::size_t>(columns_);
  return {rows_, columns_, core::Doubles(std::span(values, count), bytes)};
}

void MatrixFile::begin() const {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);  // of other tiles, or damaged
  const std::filesystem::path file = temporary();
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0)
    fail(file, "make it");
  const std::string text = header();
  const bool made = ::pwrite(descriptor, text.data(), text.size(), 0) == header_bytes &&
                    ::ftruncate(descriptor, checksum_at(rows_)) == 0;
  const int error = errno;
  ::close(descriptor);
  errno = error;
  if (!made)
    fail(file, "write its header");
}

void MatrixFile::publish() const {
  if (std::rename(temporary().c_str(), path_.c_str()) != 0)
    fail(path_, "give it its name");
}

MatrixFile::Writer::Writer(const MatrixFile& file)
    : file_(file), descriptor_(::open(file.temporary().c_str(), O_WRONLY | O_CLOEXEC)) {
  if (descriptor_ < 0)
    fail(file.temporary(), "open it");
}

MatrixFile::Writer::~Writer() {
  ::close(descriptor_);
}

void MatrixFile::Writer::write_row(int row, std::span<const double> values) {
  const auto bytes = std::as_bytes(values);
  write(bytes, file_.row_at(row));
  const std::uint32_t checksum = core::checksum(bytes);
  write(std::as_bytes(std::span(&checksum, 1)), file_.checksum_at(row));
}

void MatrixFile::Writer::finish() {
  if (::fdatasync(descriptor_) != 0)
    fail(file_.temporary(), "sync it");
}

void MatrixFile::Writer::write(std::span<const std::byte> bytes, std::int64_t offset) {
  while (!bytes.empty()) {
    const ssize_t now = ::pwrite(descriptor_, bytes.data(), bytes.size(), offset);
    if (now < 0 && errno == EINTR)
      continue;
    if (now <= 0)
      fail(file_.temporary(), "write a row");
    bytes = bytes.subspan(static_cast<std::size_t>(now));
    offset += now;
  }
}

}  // namespace proxytune::similarity
