#pragma once

#include <nlohmann/json.hpp>

#include "proxytune/work/record.h"

namespace proxytune::work {

nlohmann::json json_of(const Record& record);
Record record_of(const nlohmann::json& object);

/// Text on one line. Throws core::DataError for text that is not UTF-8.
std::string one_line(const nlohmann::json& json);

/// Throws core::DataError for what is no JSON or names a thing twice.
nlohmann::json parse_line(std::string_view text);

}  // namespace proxytune::work
