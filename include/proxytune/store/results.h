#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "proxytune/comm/communicator.h"
#include "proxytune/core/table.h"

namespace proxytune::store {

/// What a write did.
struct Written {
  std::size_t datasets = 0;      // that hold rows; the same on every rank
  std::uint64_t bytes = 0;       // of all datasets; the same on every rank
  std::uint64_t bytes_here = 0;  // written by this rank
};

/// Writes the tables into one HDF5 file, by all ranks together: each column is the dataset
/// `<table path>/<column name>`, whose rows are dealt to the ranks in shares of 64 KiB or more.
/// Every rank holds equal tables and attributes. `attributes` become texts at the root; those
/// above 60,000 bytes become one-element datasets in /attributes. The file is written as
/// `<file>.tmp`, synced and renamed: `file` is complete, old or absent. Throws
/// core::SystemError on every rank alike; std::invalid_argument for tables that contradict one
/// another. MPI is needed only for more than one rank. Collective. Where one rank of several
/// failed inside HDF5 the temporary file stays open, since closing is collective: end the
/// program then, best with MpiEnvironment::abort.
Written write_results(comm::Communicator& communicator,
                      const std::filesystem::path& file,
                      const std::vector<core::Table>& tables,
                      const std::map<std::string, std::string>& attributes);

/// The tables of a results file, in the order in which they were written. Serial. Throws
/// core::DataError for a file that is missing, damaged or no results file.
std::vector<core::Table> read_results(const std::filesystem::path& file);

/// The root attributes, long ones included, without the format's own. Serial; throws likewise.
std::map<std::string, std::string> read_attributes(const std::filesystem::path& file);

struct Verified {
  std::size_t datasets = 0;
  std::uint64_t bytes = 0;
};

/// Reads everything and compares each dataset with its checksum. Serial. Throws core::DataError
/// naming the first dataset that differs.
Verified verify(const std::filesystem::path& file);

/// Each table as `<path with - for />.csv` in the folder, columns of more than one dimension
/// left out. Serial. Throws core::SystemError.
void write_csv(const std::filesystem::path& folder, const std::vector<core::Table>& tables);

}  // namespace proxytune::store
