#include <algorithm>
#include <set>
#include <stdexcept>

#include "proxytune/core/hash.h"
#include "proxytune/store/results.h"
#include "store/layout.h"
#include "store/shared_file.h"

namespace proxytune::store {
namespace {

constexpr std::uint64_t alignment = 64;
/// A share that is worth a write of its own.
constexpr std::size_t smallest_share = 65'536;

struct Planned {
  const core::Column* column;
  std::string path;
};

struct Plan {
  std::vector<const core::Table*> tables;
  std::vector<Planned> columns;
  std::uint64_t bytes = 0;  // of the datasets
};

void refuse(bool wrong, const std::string& sentence) {
  if (wrong)
    throw std::invalid_argument(sentence);
}

Plan plan_for(const std::vector<core::Table>& tables) {
  Plan plan;
  std::set<std::string> groups;
  std::set<std::string> datasets;
  for (const core::Table& table : tables) {
    core::validate(table);
    refuse(table.path.size() < 2 || table.path.front() != '/' || table.path.back() == '/',
           "\"" + table.path + "\" is no path of a table, such as /sweep/trials");
    refuse(!groups.insert(table.path).second, table.path + " is the path of two tables");
    plan.tables.push_back(&table);
    for (const core::Column& column : table.columns) {
      const std::string path = table.path + "/" + column.name;
      refuse(column.name.empty() || column.name.find('/') != std::string::npos,
             path + " is no name of a column");
      refuse(!datasets.insert(path).second, path + " is there twice");
      plan.columns.push_back({&column, path});
      std::uint64_t elements = 1;
      for (const std::size_t extent : column.shape)
        elements *= extent;
      plan.bytes += elements * element_of(column).width;
    }
  }
  for (const std::string& group : groups)
    for (std::size_t end = group.size(); end != 0; end = group.rfind('/', end - 1))
      refuse(datasets.contains(group.substr(0, end)),
             group.substr(0, end) + " is both a column and a group");
  return plan;
}

/// Long texts as tables of one row.
std::vector<core::Table> tables_of_long(const std::map<std::string, std::string>& attributes) {
  core::Table table{std::string(long_attributes), "attributes too long for HDF5's own", {}};
  for (const auto& [name, text] : attributes)
    if (text.size() > longest_attribute)
      table.add(name, "1", "attribute " + name, std::vector<std::string>{text});
  return table.columns.empty() ? std::vector<core::Table>{} : std::vector<core::Table>{table};
}

void write_attributes(hid_t file, const std::map<std::string, std::string>& attributes) {
  h5::set_attribute(file, "format", std::string(results_format));
  h5::set_attribute(file, "format_version", std::string(results_version));
  for (const auto& [name, text] : attributes)
    if (text.size() <= longest_attribute)
      h5::set_attribute(file, name, text);
}

void create_groups(hid_t file, const Plan& plan) {
  for (const core::Table* table : plan.tables) {
    const h5::Handle group = h5::exists(file, table->path)
                                 ? h5::open_group(file, table->path)
                                 : h5::create_group(file, table->path);
    h5::set_attribute(group, "description", table->description);
  }
}

h5::Dataset create_column(hid_t file, const Planned& planned) {
  const core::Column& column = *planned.column;
  h5::Dataset dataset =
      h5::create_dataset(file, planned.path, element_of(column), column.shape);
  h5::set_attribute(dataset.handle, "units", column.unit);
  h5::set_attribute(dataset.handle, "description", column.description);
  std::uint32_t checksum = 0;
  for (const Rows& part : parts_of(column, {0, rows_of(column)}))
    checksum = core::checksum(bytes_of(column, part), checksum);
  h5::set_attribute(dataset.handle, "checksum", checksum);
  return dataset;
}

/// The rows of column number `column` that this rank writes: as even as can be among as many
/// ranks as there are worthwhile shares, beginning with another rank for each column.
Rows share_of(const h5::Dataset& dataset,
              std::size_t column,
              const comm::Communicator& communicator) {
  const auto size = static_cast<std::size_t>(communicator.size());
  const std::size_t rows = dataset.extents.front();
  const std::size_t worthwhile = (dataset.bytes() + smallest_share - 1) / smallest_share;
  const std::size_t shares = std::min({size, rows, worthwhile});
  const std::size_t mine = (static_cast<std::size_t>(communicator.rank()) + column) % size;
  if (mine >= shares)
    return {};
  const std::size_t first = rows * mine / shares;
  return {first, rows * (mine + 1) / shares - first};
}

}  // namespace

Written write_results(comm::Communicator& communicator,
                      const std::filesystem::path& file,
                      const std::vector<core::Table>& tables,
                      const std::map<std::string, std::string>& attributes) {
  const std::vector<core::Table> long_texts = tables_of_long(attributes);
  std::vector<core::Table> all = tables;
  all.insert(all.end(), long_texts.begin(), long_texts.end());
  const Plan plan = plan_for(all);
  std::uint64_t headers = 65'536 + 8192 * plan.tables.size() + 4096 * plan.columns.size();
  for (const auto& [name, text] : attributes)
    headers += name.size() + text.size() + 256;

  SharedFile shared(communicator, file, plan.bytes + headers, alignment);
  std::vector<h5::Dataset> datasets;
  shared.phase([&](hid_t id) {
    write_attributes(id, attributes);
    create_groups(id, plan);
    for (const Planned& planned : plan.columns)
      datasets.push_back(create_column(id, planned));
  });
  Written written;
  // Independent writes: in a collective one, the ranks would wait for one whose write failed.
  shared.independent_phase([&](hid_t) {
    for (std::size_t i = 0; i < datasets.size(); ++i) {
      if (datasets[i].elements() == 0)
        continue;
      ++written.datasets;
      written.bytes += datasets[i].bytes();
      const core::Column& column = *plan.columns[i].column;
      for (const Rows& part : parts_of(column, share_of(datasets[i], i, communicator))) {
        const std::vector<std::byte> bytes = bytes_of(column, part);
        h5::write_rows(datasets[i], part.first, part.count, bytes.data());
        written.bytes_here += bytes.size();
      }
    }
  });
  datasets.clear();
  shared.publish();
  return written;
}

}  // namespace proxytune::store
