#include "jobs/results_file.h"

#include <numeric>

#include "jobs/study_changes.h"
#include "jobs/version.h"
#include "proxytune/store/results.h"

namespace proxytune::jobs {
namespace {

core::Table cases_table(const Cases& cases, const std::string& path) {
  std::vector<std::int64_t> x;
  std::vector<std::int64_t> y;
  std::vector<std::int64_t> z;
  for (int i = 0; i < cases.size(); ++i) {
    const imaging::Shape& shape = cases.at(i).image.shape;
    x.push_back(shape.x);
    y.push_back(shape.y);
    z.push_back(shape.z);
  }
  core::Table table{path, "cases as networks see them, after preprocessing", {}};
  table.add("case", "1", "name in the data set", cases.ids())
      .add("group", "1", "patient; the name where nothing says otherwise", cases.groups())
      .add("key", "1", "content: files and preprocessing", cases.keys())
      .add("voxels_x", "voxel", "extent along x", x)
      .add("voxels_y", "voxel", "extent along y", y)
      .add("voxels_z", "voxel", "extent along z", z);
  return table;
}

/// The matrix, or the pairs of it that were sampled.
core::Table pairs_table(const Ranking& ranking, const std::vector<std::string>& names) {
  if (ranking.estimates.empty())
    return similarity::to_table(ranking.matrix,
                                names,
                                ranking.unit,
                                "/similarity/matrix/" + ranking.name(),
                                "similarity of all pairs of internal cases");
  std::vector<std::string> rows;
  std::vector<std::string> columns;
  std::vector<double> similarities;
  for (const selection::PairValue& pair : ranking.sampled) {
    rows.push_back(names[static_cast<std::size_t>(pair.row)]);
    columns.push_back(names[static_cast<std::size_t>(pair.column)]);
    similarities.push_back(pair.similarity);
  }
  core::Table table{"/similarity/pairs/" + ranking.name(),
                    "similarity of the sampled pairs of internal cases",
                    {}};
  table.add("case", "1", "Name of the volume that is rated.", std::move(rows))
      .add("other", "1", "Name of the volume it is compared with.", std::move(columns))
      .add("similarity", ranking.unit, "Similarity of the two.", std::move(similarities));
  return table;
}

/// Columns of more than one dimension move to a group of their own, `<path>_arrays`, so that
/// every other group is a table for pandas as it stands.
std::vector<core::Table> with_arrays_apart(const std::vector<core::Table>& tables) {
  std::vector<core::Table> result;
  for (const core::Table& table : tables) {
    core::Table flat{table.path, table.description, {}};
    core::Table arrays{table.path + "_arrays", table.description + ", by row of the table", {}};
    for (const core::Column& column : table.columns)
      (column.shape.size() > 1 ? arrays : flat).columns.push_back(column);
    result.push_back(std::move(flat));
    if (!arrays.columns.empty())
      result.push_back(std::move(arrays));
  }
  return result;
}

}  // namespace

std::vector<core::Table> ranking_tables(const PreparedData& data, const Rankings& rankings) {
  std::vector<core::Table> tables{cases_table(data.internal, "/cases/internal"),
                                  cases_table(data.external, "/cases/external")};
  for (const Ranking& ranking : rankings.rankings) {
    tables.push_back(pairs_table(ranking, data.internal.ids()));
    std::vector<int> order(data.internal.ids().size());
    std::iota(order.begin(), order.end(), 0);
    for (const Importance& importance : ranking.importances)
      tables.push_back(importance_table(ranking, importance, data.internal.ids(), order));
  }
  tables.insert(tables.end(), rankings.duplicates.begin(), rankings.duplicates.end());
  return tables;
}

std::filesystem::path write_tables(Study& study,
                                   const std::vector<core::Table>& tables,
                                   const std::string& name) {
  std::filesystem::path file = study.folder() / name;
  const std::map<std::string, std::string> attributes{
      {"title", study.options().name},
      {"software", "proxytune"},
      {"software_version", version()},
      {"study", result_fields_text(study.options())},
      {"numerics_mixed", study.numerics_mixed() ? "true" : "false"},
  };
  store::write_results(study.world(), file, with_arrays_apart(tables), attributes);
  return file;
}

}  // namespace proxytune::jobs
