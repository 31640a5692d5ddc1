#include "proxytune/core/files.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "proxytune/core/error.h"

namespace proxytune::core {
namespace {

/// Synced, with a temporary name; nothing is left of it where that fails.
void write_beside(const std::filesystem::path& temporary,
                  std::span<const std::string_view> parts) {
  OpenFile file(temporary, O_WRONLY | O_CREAT | O_TRUNC, "create the file");
  try {
    for (const std::string_view part : parts)
      file.write(part);
    file.sync();
  } catch (const SystemError&) {
    ::unlink(temporary.c_str());
    throw;
  }
}

}  // namespace

void fail_with_errno(const std::filesystem::path& file, const std::string& what) {
  const std::string reason = std::strerror(errno);
  throw SystemError(file.string() + ": cannot " + what + ": " + reason +
                    "; check the folder, its permissions and the space left");
}

OpenFile::OpenFile(const std::filesystem::path& file, int flags, const std::string& what)
    : file_(file), descriptor_(::open(file.c_str(), flags | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0)
    fail_with_errno(file, what);
}

OpenFile::~OpenFile() {
  ::close(descriptor_);
}

void OpenFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      fail_with_errno(file_, "write the file");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void OpenFile::sync() {
  if (::fsync(descriptor_) != 0)
    fail_with_errno(file_, "sync the file");
}

std::filesystem::path folder_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : ".";
}

void sync_folder(const std::filesystem::path& folder) {
  const OpenFile file(folder, O_RDONLY | O_DIRECTORY, "open the folder");
  // Some network file systems say EINVAL.
  if (::fsync(file.descriptor()) != 0 && errno != EINVAL)
    fail_with_errno(folder, "sync the folder");
}

void give_name(const std::filesystem::path& temporary, const std::filesystem::path& file) {
  if (::rename(temporary.c_str(), file.c_str()) != 0)
    fail_with_errno(file, "give the file its name");
  sync_folder(folder_of(file));
}

void write_file_atomically(const std::filesystem::path& file,
                           std::string_view text,
                           std::filesystem::path temporary) {
  if (temporary.empty())
    temporary = file.string() + ".tmp";
  write_beside(temporary, {&text, 1});
  try {
    give_name(temporary, file);
  } catch (const SystemError&) {
    ::unlink(temporary.c_str());
    throw;
  }
}

void write_next_generation(const std::filesystem::path& file,
                           const std::filesystem::path& previous,
                           std::span<const std::string_view> parts) {
  const std::filesystem::path temporary = file.string() + ".tmp";
  write_beside(temporary, parts);
  if (::rename(file.c_str(), previous.c_str()) != 0 && errno != ENOENT)
    fail_with_errno(file, "rename the file");
  give_name(temporary, file);
}

std::string read_file(const std::filesystem::path& file) {
  std::error_code ignored;
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file, ignored))
    throw DataError(file.string() + ": cannot read the file: " + std::strerror(errno));
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace proxytune::core
