#include <functional>
#include <set>

#include "proxytune/core/error.h"
#include "proxytune/core/hash.h"
#include "proxytune/store/results.h"
#include "store/layout.h"
#include "store/reading.h"

namespace proxytune::store {
namespace {

using Visit =
    std::function<void(const std::string& path, hid_t group, const std::string& name)>;

/// Every dataset below the group, groups before the groups that follow them.
void walk(hid_t parent, const std::string& path, const Visit& visit) {
  std::vector<std::string> groups;
  for (const std::string& name : h5::names_in(parent)) {
    if (h5::is_group(parent, name))
      groups.push_back(name);
    else
      visit(path, parent, name);
  }
  for (const std::string& name : groups) {
    const h5::Handle group = h5::open_group(parent, name);
    std::string below = path;
    below.append("/").append(name);
    visit(below, group, "");
    walk(group, below, visit);
  }
}

std::vector<std::byte> checked_bytes(const h5::Dataset& dataset, const std::string& path) {
  std::vector<std::byte> bytes(dataset.bytes());
  h5::read_all(dataset, bytes.data());
  const auto expected = h5::checksum_attribute(dataset.handle);
  if (!expected)
    throw core::DataError("dataset " + path +
                          " carries no checksum, so proxytune did not write it");
  if (core::checksum(bytes) != *expected)
    throw core::DataError("dataset " + path +
                          " differs from its checksum: the file was damaged or edited");
  return bytes;
}

core::Column column_from(hid_t group, const std::string& path, const std::string& name) {
  const h5::Dataset dataset = h5::open_dataset(group, name);
  core::Column column;
  column.name = name;
  column.unit = h5::text_attribute(dataset.handle, "units");
  column.description = h5::text_attribute(dataset.handle, "description");
  column.shape.assign(dataset.extents.begin(), dataset.extents.end());
  column.values = values_of(dataset.element, checked_bytes(dataset, path + "/" + name));
  return column;
}

h5::Handle open_results(const std::filesystem::path& file) {
  return open_checked(file, results_format, "results file");
}

std::string description_of(hid_t group) {
  for (const std::string& name : h5::attribute_names(group))
    if (name == "description")
      return h5::text_attribute(group, name);
  return {};
}

}  // namespace

std::vector<core::Table> read_results(const std::filesystem::path& file) {
  return as_data(file, [&] {
    const h5::Handle handle = open_results(file);
    std::vector<core::Table> tables;
    std::set<std::string> described;
    walk(handle, "", [&](const std::string& path, hid_t group, const std::string& name) {
      if (path == long_attributes)
        return;
      if (name.empty()) {
        tables.push_back({path, description_of(group), {}});
        if (!h5::attribute_names(group).empty())
          described.insert(path);
      } else {
        tables.back().columns.push_back(column_from(group, path, name));
      }
    });
    std::erase_if(tables, [&](const core::Table& table) {
      return table.columns.empty() && !described.contains(table.path);  // only a way to others
    });
    return tables;
  });
}

std::map<std::string, std::string> read_attributes(const std::filesystem::path& file) {
  return as_data(file, [&] {
    const h5::Handle handle = open_results(file);
    std::map<std::string, std::string> attributes;
    for (const std::string& name : h5::attribute_names(handle))
      if (name != "format" && name != "format_version")
        attributes[name] = h5::text_attribute(handle, name);
    const std::string group_name(long_attributes);
    if (!h5::exists(handle, group_name))
      return attributes;
    const h5::Handle group = h5::open_group(handle, group_name);
    for (const std::string& name : h5::names_in(group)) {
      const core::Column column = column_from(group, group_name, name);
      attributes[name] = std::get<std::vector<std::string>>(column.values).at(0);
    }
    return attributes;
  });
}

Verified verify(const std::filesystem::path& file) {
  return as_data(file, [&] {
    const h5::Handle handle = open_results(file);
    Verified verified;
    walk(handle, "", [&](const std::string& path, hid_t group, const std::string& name) {
      if (name.empty())
        return;
      const h5::Dataset dataset = h5::open_dataset(group, name);
      checked_bytes(dataset, path + "/" + name);
      ++verified.datasets;
      verified.bytes += dataset.bytes();
    });
    return verified;
  });
}

}  // namespace proxytune::store
