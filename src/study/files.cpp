#include "proxytune/study/files.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <unistd.h>

#include "proxytune/core/error.h"

namespace proxytune::study {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& what) {
  const std::string reason = std::strerror(errno);
  throw core::SystemError(file.string() + ": cannot " + what + ": " + reason);
}

class Descriptor {
 public:
  Descriptor(const std::filesystem::path& file, int flags)
      : number_(::open(file.c_str(), flags | O_CLOEXEC, 0666)) {
    if (number_ < 0)
      fail(file, "open the file for writing");
  }
  ~Descriptor() { ::close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

void write_all(const Descriptor& descriptor,
               const std::filesystem::path& file,
               std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor.number(), text.data(), text.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      fail(file, "write the file");
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

void sync_folder(const std::filesystem::path& folder) {
  const Descriptor descriptor(folder, O_RDONLY | O_DIRECTORY);
  if (::fsync(descriptor.number()) != 0 && errno != EINVAL)
    fail(folder, "sync the folder");
}

std::filesystem::path folder_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : ".";
}

/// A synced file with a temporary name.
std::filesystem::path write_beside(const std::filesystem::path& file,
                                   std::span<const std::string_view> parts) {
  std::filesystem::path temporary = file.string() + ".tmp";
  try {
    const Descriptor descriptor(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    for (const std::string_view part : parts)
      write_all(descriptor, temporary, part);
    if (::fsync(descriptor.number()) != 0)
      fail(temporary, "sync the file");
  } catch (const core::SystemError&) {
    ::unlink(temporary.c_str());
    throw;
  }
  return temporary;
}

void give_name(const std::filesystem::path& temporary, const std::filesystem::path& file) {
  if (::rename(temporary.c_str(), file.c_str()) != 0)
    fail(file, "give the file its name");
}

}  // namespace

void write_file_atomically(const std::filesystem::path& file, std::string_view text) {
  const std::filesystem::path temporary = write_beside(file, {&text, 1});
  give_name(temporary, file);
  sync_folder(folder_of(file));
}

void write_next_generation(const std::filesystem::path& file,
                           const std::filesystem::path& previous,
                           std::span<const std::string_view> parts) {
  const std::filesystem::path temporary = write_beside(file, parts);
  if (::rename(file.c_str(), previous.c_str()) != 0 && errno != ENOENT)
    fail(file, "rename the file");
  give_name(temporary, file);
  sync_folder(folder_of(file));
}

std::string read_file(const std::filesystem::path& file) {
  std::error_code ignored;
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file, ignored))
    throw core::DataError(file.string() + ": cannot read the file: " + std::strerror(errno));
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace proxytune::study
