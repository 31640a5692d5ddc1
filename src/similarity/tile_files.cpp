#include "proxytune/similarity/tile_files.h"

#include <cerrno>
#include <cstring>
#include <span>

#include <fcntl.h>
#include <unistd.h>

#include "proxytune/core/error.h"
#include "proxytune/core/hash.h"

namespace proxytune::similarity {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file, const char* what) {
  throw core::SystemError(file.string() + ": cannot " + what + ": " + std::strerror(errno) +
                          "; mend that and repeat the command, which goes on from here");
}

[[noreturn]] void damaged(const std::filesystem::path& file, std::int64_t offset) {
  throw core::DataError(file.string() + ": the tile at byte " + std::to_string(offset) +
                        " is missing or damaged; remove the file, and its tiles are computed "
                        "again");
}

std::span<const std::byte> bytes_of(const TileValues& values) {
  return std::as_bytes(std::span(values));
}

}  // namespace

TileFiles::TileFiles(std::filesystem::path folder, const std::string& launch, int rank)
    : folder_(std::move(folder)), name_(launch + "-" + std::to_string(rank) + ".tiles") {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error)
    throw core::SystemError(folder_.string() +
                            ": cannot make the folder of the pair matrix: " + error.message());
}

TileFiles::~TileFiles() {
  if (file_ >= 0)
    ::close(file_);
}

work::Record TileFiles::keep(const TileValues& values) {
  const std::filesystem::path path = folder_ / name_;
  if (file_ < 0) {
    file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file_ < 0)
      fail(path, "make it");
  }
  const std::span<const std::byte> bytes = bytes_of(values);
  for (std::size_t written = 0; written < bytes.size();) {
    const ssize_t now = ::pwrite(file_,
                                 bytes.data() + written,
                                 bytes.size() - written,
                                 end_ + static_cast<std::int64_t>(written));
    if (now < 0 && errno == EINTR)
      continue;
    if (now <= 0)
      fail(path, "write a tile");
    written += static_cast<std::size_t>(now);
  }
  work::Record record;
  record.set("file", name_)
      .set("offset", std::int64_t{end_})
      .set("count", static_cast<std::int64_t>(values.size()))
      .set("checksum", std::int64_t{core::checksum(bytes)});
  end_ += static_cast<std::int64_t>(bytes.size());
  return record;
}

void TileFiles::sync() const {
  if (file_ >= 0 && ::fdatasync(file_) != 0)
    fail(folder_ / name_, "sync its tiles");
}

TileValues TileFiles::read(const work::Record& record) const {
  const std::filesystem::path path = folder_ / record.text("file");
  const std::int64_t offset = record.integer("offset");
  TileValues values(static_cast<std::size_t>(record.integer("count")));
  const auto bytes = std::as_writable_bytes(std::span(values));
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 && errno == ENOENT)
    throw core::DataError(
        path.string() +
        " is missing; its tiles are computed again, if need be by repeating the command");
  if (file < 0)
    fail(path, "read a tile");
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t now = ::pread(file,
                                bytes.data() + done,
                                bytes.size() - done,
                                offset + static_cast<std::int64_t>(done));
    if (now < 0 && errno == EINTR)
      continue;
    if (now < 0) {
      ::close(file);
      fail(path, "read a tile");
    }
    if (now == 0)
      break;
    done += static_cast<std::size_t>(now);
  }
  ::close(file);
  if (done < bytes.size() || core::checksum(bytes) != record.integer("checksum"))
    damaged(path, offset);
  return values;
}

}  // namespace proxytune::similarity
