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
  const std::vector<std::byte> all = bytes_of(column, 0, rows_of(column));
  h5::set_attribute(dataset.handle, "checksum", core::checksum(all));
  return dataset;
}

/// This rank's share of the rows: as even as can be, empty where there are fewer rows than
/// ranks.
bool write_share(const h5::Dataset& dataset,
                 const core::Column& column,
                 const comm::Communicator& communicator) {
  const std::size_t rows = rows_of(column);
  const auto rank = static_cast<std::size_t>(communicator.rank());
  const auto size = static_cast<std::size_t>(communicator.size());
  const std::size_t first = rows * rank / size;
  const std::size_t count = rows * (rank + 1) / size - first;
  const std::vector<std::byte> bytes = bytes_of(column, first, count);
  return h5::write_rows(dataset, first, count, bytes.data(), size > 1);
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
  for (std::size_t i = 0; i < datasets.size(); ++i) {
    if (datasets[i].elements() == 0)
      continue;
    bool collective = false;
    shared.phase([&](hid_t) {
      collective = write_share(datasets[i], *plan.columns[i].column, communicator);
    });
    ++written.datasets;
    written.collective_writes += collective ? 1 : 0;
    written.bytes += datasets[i].bytes();
  }
  datasets.clear();
  shared.publish();
  return written;
}

}  // namespace proxytune::store
