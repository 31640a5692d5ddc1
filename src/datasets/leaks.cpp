#include "proxytune/datasets/leaks.h"

#include <algorithm>
#include <map>

#include "proxytune/core/error.h"

namespace proxytune::datasets {

namespace {

std::string list(const std::vector<Leak>& leaks) {
  constexpr std::size_t shown = 10;
  std::string text;
  for (std::size_t i = 0; i < std::min(leaks.size(), shown); ++i)
    text += (i > 0 ? ", " : "") + leaks[i].first + " = " + leaks[i].second;
  if (leaks.size() > shown)
    text += " and " + std::to_string(leaks.size() - shown) + " more";
  return text;
}

/// Pairs of an internal and an external case for which `same` holds, sorted.
template <class Same>
std::vector<Leak> pairs(const std::vector<CaseIdentity>& internal,
                        const std::vector<CaseIdentity>& external,
                        const Same& same) {
  std::vector<Leak> found;
  for (const CaseIdentity& a : internal)
    for (const CaseIdentity& b : external)
      if (same(a, b))
        found.push_back({a.id, b.id});
  std::sort(found.begin(), found.end(), [](const Leak& a, const Leak& b) {
    return a.first != b.first ? a.first < b.first : a.second < b.second;
  });
  return found;
}

}  // namespace

std::vector<Leak> find_leaks(const std::vector<CaseIdentity>& internal,
                             const std::vector<CaseIdentity>& external) {
  return pairs(internal, external, [](const CaseIdentity& a, const CaseIdentity& b) {
    return a.hash == b.hash;
  });
}

std::vector<Leak> find_duplicates(const std::vector<CaseIdentity>& cases) {
  return pairs(cases, cases, [](const CaseIdentity& a, const CaseIdentity& b) {
    return a.id < b.id && a.hash == b.hash;
  });
}

void refuse_leaks(const std::vector<CaseIdentity>& internal,
                  const std::vector<CaseIdentity>& external) {
  const auto leaks = find_leaks(internal, external);
  if (!leaks.empty())
    throw core::DataError("internal and external cases hold the same image: " + list(leaks) +
                          "; leave them out of one of the two sets, or the external score "
                          "means nothing");
}

void refuse_divided_duplicates(const std::vector<CaseIdentity>& cases) {
  std::map<std::string, std::string> group_of;
  for (const CaseIdentity& one : cases)
    group_of[one.id] = one.group;
  std::vector<Leak> divided;
  for (const Leak& pair : find_duplicates(cases))
    if (group_of[pair.first] != group_of[pair.second])
      divided.push_back(pair);
  if (!divided.empty())
    throw core::DataError("cases hold the same image but count as different patients: " +
                          list(divided) + "; leave one out or give them one group");
}

}  // namespace proxytune::datasets
