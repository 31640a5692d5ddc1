#pragma once

#include <filesystem>
#include <string>

namespace proxytune::jobs {

/// A line for each shard in the study's folder: how far it is, what failed, who is at work.
std::string shards_text(const std::filesystem::path& folder, const std::string& study);

}  // namespace proxytune::jobs
