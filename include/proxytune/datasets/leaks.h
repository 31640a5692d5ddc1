#pragma once

#include <string>
#include <vector>

namespace proxytune::datasets {

/// What the guard knows of a case.
struct CaseIdentity {
  std::string id;
  std::string group;  // patient; the id where nothing says otherwise
  std::string hash;   // LoadedCase::image_hash
};

struct Leak {
  std::string first;
  std::string second;
};

/// Pairs of an internal and an external case whose images are equal, by first, then second id.
std::vector<Leak> find_leaks(const std::vector<CaseIdentity>& internal,
                             const std::vector<CaseIdentity>& external);
/// Pairs of equal images within one list.
std::vector<Leak> find_duplicates(const std::vector<CaseIdentity>& cases);

/// Throws core::DataError that lists the pairs, if there are any: an external set must be
/// unseen.
void refuse_leaks(const std::vector<CaseIdentity>& internal,
                  const std::vector<CaseIdentity>& external);

/// Throws core::DataError if two cases of equal images lie in different groups: a split would
/// put one patient on both sides.
void refuse_divided_duplicates(const std::vector<CaseIdentity>& cases);

}  // namespace proxytune::datasets
