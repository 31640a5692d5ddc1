#pragma once

#include <string>
#include <vector>

#include "proxytune/core/table.h"

namespace proxytune::jobs {

/// The tables of the paper out of all tables, as a terminal shows them: means and deviations in
/// one column, long descriptions left out (they are in the results file). Where the study has
/// no external set, what it would tell is left out and said to be missing.
std::string paper_tables(const std::vector<core::Table>& tables);

}  // namespace proxytune::jobs
