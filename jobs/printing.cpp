#include "jobs/printing.h"

#include <algorithm>
#include <cmath>
#include <variant>

#include <fmt/format.h>

namespace proxytune::jobs {
namespace {

/// A column to show: under which name, and what of the table goes into it.
struct Shown {
  std::string title;
  std::string column;
  std::string deviation = {};  // its "+-", if it has one
  std::string high = {};       // with column as the low end: an interval
  bool external = false;       // known only where there is an external set
  bool searched = false;       // stands for all searched fields that have no column yet
};

struct View {
  std::string path;
  std::string title;
  std::vector<Shown> columns;
};

const Shown external_dice{.title = "external",
                          .column = "external_dice",
                          .deviation = "external_dice_deviation",
                          .external = true};

const Shown difference{.title = "difference", .column = "difference", .external = true};
const Shown its_interval{
    .title = "95 %", .column = "difference_low", .high = "difference_high", .external = true};

const std::vector<View>& views() {
  static const std::vector<View> all{
      {"/analysis/table_1",
       "Table 1: Dice at the reference's best hyper-parameters, chosen by external Dice as the "
       "paper did, and by validation",
       {{"chosen by", "chosen_by"},
        {"arm", "arm"},
        {"optimizer", "optimizer"},
        {"rate", "learning_rate"},
        {"validation", "validation_dice", "validation_dice_deviation"},
        external_dice,
        difference,
        its_interval}},
      {"/analysis/correlations",
       "Fig. 2 and 3: correlation with the reference over the sweep",
       {{"arm", "arm"},
        {"Dice", "score"},
        {"over", "over"},
        {"n", "points"},
        {"Pearson", "pearson"},
        {"95 %", "pearson_low", "", "pearson_high"},
        {"Spearman", "spearman"},
        {"regret", "regret"}}},
      {"/analysis/dice_against_budget",
       "Fig. 4 A, B: Dice against cases used",
       {{"chosen by", "chosen_by"},
        {"arm", "arm"},
        {"cases", "cases"},
        {"share", "share"},
        {"validation", "validation_dice", "validation_dice_deviation"},
        external_dice}},
      {"/analysis/relative_distances",
       "Fig. 4 C, D: distance of the hyper-parameters found from the reference's",
       {{"arm", "arm"},
        {"hyper-parameter", "hyper_parameter"},
        {"found", "found"},
        {"reference", "reference"},
        {"of range", "scaled_distance"},
        {"relative", "relative_distance"}}},
      {"/analysis/table_2",
       "Table 2: final full models with each arm's hyper-parameters",
       {{"arm", "arm"},
        {"trials", "trials"},
        {"optimizer", "optimizer"},
        {"rate", "learning_rate"},
        {"shift", "shift_probability"},
        {.title = "", .column = "", .searched = true},
        {"validation", "validation_dice", "validation_dice_deviation"},
        external_dice,
        difference,
        its_interval,
        {"repeats", "repeats"}}},
      {"/execution/table_2_costs",
       "Table 2: device hours, and how many times less than the reference's: by fewer epochs, "
       "fewer steps an epoch, faster steps",
       {{"arm", "arm"},
        {"search", "search_hours"},
        {"x", "search_ratio"},
        {"= epochs", "fewer_epochs"},
        {"* steps", "fewer_steps"},
        {"* faster", "faster_steps"},
        {"+ ranking", "with_ranking_hours"},
        {"x ", "with_ranking_ratio"},
        {"+ training", "with_training_hours"},
        {"x  ", "with_training_ratio"}}},
  };
  return all;
}

std::string number(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:.4g}", value);
}

std::vector<std::string> texts(const core::Column& column) {
  std::vector<std::string> result;
  if (const auto* numbers = std::get_if<core::Doubles>(&column.values))
    for (const double value : *numbers)
      result.push_back(number(value));
  else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&column.values))
    for (const std::int64_t value : *integers)
      result.push_back(fmt::format("{}", value));
  else
    result = std::get<std::vector<std::string>>(column.values);
  return result;
}

std::vector<std::string> cells(const core::Table& table, const Shown& shown) {
  std::vector<std::string> result = texts(table.column(shown.column));
  if (!shown.deviation.empty()) {
    const auto deviations = texts(table.column(shown.deviation));
    for (std::size_t i = 0; i < result.size(); ++i)
      if (deviations[i] != "-")
        result[i] += " +- " + deviations[i];
  }
  if (!shown.high.empty()) {
    const auto highs = texts(table.column(shown.high));
    for (std::size_t i = 0; i < result.size(); ++i)
      result[i] = highs[i] == "-" ? "-" : fmt::format("[{}, {}]", result[i], highs[i]);
  }
  return result;
}

/// Columns of the searched fields, as the searches' traces name them.
std::vector<std::string> searched_columns(const std::vector<core::Table>& tables) {
  const std::string prefix = "unit_";
  std::vector<std::string> names;
  for (const core::Table& table : tables)
    for (const core::Column& column : table.columns)
      if (table.path.starts_with("/search/") && column.name.starts_with(prefix))
        if (const std::string name = column.name.substr(prefix.size());
            std::find(names.begin(), names.end(), name) == names.end())
          names.push_back(name);
  return names;
}

/// The view's columns with the searched fields in their place.
std::vector<Shown> columns_of(const View& view, const std::vector<std::string>& searched) {
  std::vector<Shown> columns;
  for (const Shown& shown : view.columns) {
    if (!shown.searched) {
      columns.push_back(shown);
      continue;
    }
    for (const std::string& name : searched)
      if (std::none_of(view.columns.begin(), view.columns.end(), [&](const Shown& one) {
            return one.column == name;
          }))
        columns.push_back({name.starts_with("training_")
                               ? name.substr(std::string("training_").size())
                               : name,
                           name});
  }
  return columns;
}

std::string printed(const core::Table& table,
                    const View& view,
                    const std::vector<std::string>& searched,
                    bool external_set) {
  std::vector<std::vector<std::string>> columns;
  std::vector<std::size_t> widths;
  std::string title = view.title;
  for (const Shown& shown : columns_of(view, searched)) {
    if (shown.external && !external_set) {
      title = view.title + " (no external set)";
      continue;
    }
    columns.push_back(cells(table, shown));
    columns.back().insert(columns.back().begin(), shown.title);
    std::size_t width = 0;
    for (const std::string& cell : columns.back())
      width = std::max(width, cell.size());
    widths.push_back(width);
  }
  std::string text = "\n" + title + "\n";
  for (std::size_t row = 0; row <= table.rows(); ++row) {
    std::string line;
    for (std::size_t i = 0; i < columns.size(); ++i)
      line += fmt::format("  {:<{}}", columns[i][row], widths[i]);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace

std::string paper_tables(const std::vector<core::Table>& tables) {
  const bool external_set = std::any_of(tables.begin(), tables.end(), [](const auto& table) {
    return table.path == "/cases/external" && table.rows() > 0;
  });
  const std::vector<std::string> searched = searched_columns(tables);
  std::string text;
  for (const View& view : views())
    for (const core::Table& table : tables)
      if (table.path == view.path && table.rows() > 0)
        text += printed(table, view, searched, external_set);
  return text;
}

}  // namespace proxytune::jobs
