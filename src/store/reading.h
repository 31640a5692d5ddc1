#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "proxytune/core/error.h"
#include "store/hdf5_calls.h"

namespace proxytune::store {

/// Opens a file of ours for reading; `noun` says what it should be ("results file"). Throws
/// core::DataError with one sentence for a missing, truncated or foreign file.
h5::Handle open_checked(const std::filesystem::path& file,
                        std::string_view format,
                        const std::string& noun);

/// What HDF5 refuses while reading is the data's fault: core::DataError that names the file.
template <class Body>
auto as_data(const std::filesystem::path& file, const Body& body) {
  try {
    return body();
  } catch (const core::DataError& error) {
    const std::string sentence = error.what();
    if (sentence.starts_with(file.string()))
      throw;
    throw core::DataError(file.string() + ": " + sentence);
  } catch (const core::SystemError& error) {
    throw core::DataError(std::string(error.what()) +
                          "; the file is damaged or not one of proxytune's");
  }
}

}  // namespace proxytune::store
