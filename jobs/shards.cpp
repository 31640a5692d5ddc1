#include "jobs/shards.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <tuple>

#include "proxytune/core/error.h"

namespace proxytune::jobs {
namespace {

constexpr auto folder_of_shards = "shards";
constexpr int most_shards = 100'000;

/// False unless all of the text is a number.
bool read_number(std::string_view text, int& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Shard parse_shard(const std::string& text) {
  if (text.empty())
    return {};
  Shard shard;
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos || !read_number(text.substr(0, slash), shard.index) ||
      !read_number(text.substr(slash + 1), shard.count) || shard.count < 1 ||
      shard.count > most_shards || shard.index < 1 || shard.index > shard.count)
    throw core::Error(core::ExitCode::usage,
                      "--shard is \"" + text +
                          "\", but a shard is INDEX/COUNT, counted from 1: 2/3 is the second "
                          "of three. In a Slurm array: --shard "
                          "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT");
  return shard;
}

std::filesystem::path shard_folder(const std::filesystem::path& study, const Shard& shard) {
  return study / folder_of_shards /
         (std::to_string(shard.index) + "-of-" + std::to_string(shard.count));
}

std::vector<std::filesystem::path> shard_folders(const std::filesystem::path& study) {
  std::vector<std::filesystem::path> folders;
  if (!std::filesystem::is_directory(study / folder_of_shards))
    return folders;
  for (const auto& entry : std::filesystem::directory_iterator(study / folder_of_shards))
    if (std::filesystem::exists(entry.path() / "study.json"))
      folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  return folders;
}

std::vector<work::Item> part_of(std::vector<work::Item> items, const Shard& shard) {
  std::sort(items.begin(), items.end(), [](const work::Item& one, const work::Item& other) {
    return std::tie(other.expected_cost, one.key) < std::tie(one.expected_cost, other.key);
  });
  items.erase(std::unique(items.begin(),
                          items.end(),
                          [](const work::Item& one, const work::Item& other) {
                            return one.key == other.key;
                          }),
              items.end());
  if (shard.whole())
    return items;
  std::vector<work::Item> part;
  for (auto i = static_cast<std::size_t>(shard.index - 1); i < items.size();
       i += static_cast<std::size_t>(shard.count))
    part.push_back(std::move(items[i]));
  return part;
}

}  // namespace proxytune::jobs
