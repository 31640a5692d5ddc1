#pragma once

#include <string>
#include <vector>

#include "proxytune/core/table.h"

namespace proxytune::jobs {

/// The tables of the paper out of all tables, as a terminal shows them: means and deviations in
/// one column, long descriptions left out (they are in the results file).
std::string paper_tables(const std::vector<core::Table>& tables);

}  // namespace proxytune::jobs
