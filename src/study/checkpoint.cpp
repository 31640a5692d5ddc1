#include "proxytune/study/checkpoint.h"

#include <algorithm>
#include <array>
#include <set>
#include <sstream>

#include "proxytune/core/error.h"
#include "proxytune/core/files.h"
#include "proxytune/core/hash.h"

namespace proxytune::study {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view magic = "proxytune checkpoint 1";
constexpr std::string_view newest_ending = ".checkpoint";
constexpr std::string_view previous_ending = ".previous";

std::string text_of(const Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields)
    text += name + ": " + value + "\n";
  return text;
}

std::string hash_of(std::string_view identity, std::string_view state) {
  core::ContentHasher hasher;
  hasher.add(identity);
  hasher.add(state);
  return hasher.hexadecimal();
}

/// Magic, content hash and the identity's length, a line; then identity and state.
struct Whole {
  std::string identity;
  std::size_t state_begin = 0;
};

std::optional<Whole> parse(const std::string& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string::npos || !text.starts_with(magic))
    return std::nullopt;
  std::istringstream line(text.substr(magic.size(), end - magic.size()));
  std::string hash;
  std::size_t length = 0;
  if (!(line >> hash >> length) || length > text.size() - end - 1)
    return std::nullopt;
  Whole whole{text.substr(end + 1, length), end + 1 + length};
  if (hash_of(whole.identity, std::string_view(text).substr(whole.state_begin)) != hash)
    return std::nullopt;
  return whole;
}

/// The first line in which two texts differ.
std::string difference(const std::string& one, const std::string& other) {
  std::istringstream first(one);
  std::istringstream second(other);
  std::string a;
  std::string b;
  while (a == b) {
    const bool more = static_cast<bool>(std::getline(first, a));
    if (!std::getline(second, b) && !more)
      break;
  }
  return "\"" + a + "\" instead of \"" + b + "\"";
}

}  // namespace

CheckpointFile::CheckpointFile(const fs::path& folder,
                               const std::string& key,
                               const Fields& identity)
    : newest_(folder / (key + std::string(newest_ending))),
      previous_(folder / (key + std::string(previous_ending))) {
  Fields all = identity;
  all["key"] = key;
  identity_ = text_of(all);
}

std::optional<std::string> CheckpointFile::read(const core::Log& log) const {
  const bool has_previous = fs::exists(previous_);
  if (auto state = read_generation(
          newest_, has_previous ? "the one before it is tried" : "its work begins anew", log))
    return state;
  return read_generation(previous_, "its work begins anew", log);
}

std::optional<std::string> CheckpointFile::read_generation(const fs::path& file,
                                                           const std::string& otherwise,
                                                           const core::Log& log) const {
  if (!fs::exists(file))
    return std::nullopt;
  std::string text;
  try {
    text = core::read_file(file);
  } catch (const core::DataError& error) {
    log.warn(std::string(error.what()) + "; " + otherwise);
    return std::nullopt;
  }
  const std::optional<Whole> whole = parse(text);
  if (!whole) {
    log.warn("the checkpoint " + file.string() + " is damaged; " + otherwise);
    return std::nullopt;
  }
  if (whole->identity != identity_) {
    log.warn("the checkpoint " + file.string() + " was made under other conditions (" +
             difference(whole->identity, identity_) + "); " + otherwise);
    return std::nullopt;
  }
  text.erase(0, whole->state_begin);
  return text;
}

void CheckpointFile::write(std::string_view state) const {
  const std::string head = std::string(magic) + " " + hash_of(identity_, state) + " " +
                           std::to_string(identity_.size()) + "\n" + identity_;
  const std::array<std::string_view, 2> parts{head, state};
  core::write_next_generation(newest_, previous_, parts);
}

std::vector<fs::path> CheckpointFile::files() const {
  std::vector<fs::path> files;
  for (const fs::path& file : {newest_, previous_})
    for (const char* ending : {"", ".tmp"})
      files.emplace_back(file.string() + ending);
  return files;
}

bool CheckpointFile::exists() const {
  const std::vector<fs::path> all = files();
  return std::any_of(
      all.begin(), all.end(), [](const fs::path& file) { return fs::exists(file); });
}

void CheckpointFile::remove() const {
  std::error_code ignored;
  for (const fs::path& file : files())
    fs::remove(file, ignored);
}

std::vector<std::string> checkpointed(const fs::path& folder) {
  std::set<std::string> keys;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    keys.insert(name.substr(0, name.find('.')));
  }
  return {keys.begin(), keys.end()};
}

}  // namespace proxytune::study
