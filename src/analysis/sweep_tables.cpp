#include "proxytune/analysis/sweep_tables.h"

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "proxytune/analysis/statistics.h"

namespace proxytune::analysis {
namespace {

/// The grid point of the reference's highest mean score.
std::optional<int> chosen_point(const std::vector<ArmTrials>& arms, Score chosen_by) {
  const ArmTrials* reference = reference_of(arms);
  if (reference == nullptr)
    return std::nullopt;
  const int point = best(score_grid(*reference, chosen_by, extents(arms)).means());
  return point < 0 ? std::nullopt : std::optional<int>(point);
}

trials::HyperParameters values_at(const std::vector<ArmTrials>& arms, int point) {
  for (const ArmTrials& arm : arms)
    for (const PlacedTrial& placed : arm.trials)
      if (placed.hyper_parameters == point && placed.trial != nullptr)
        return placed.trial->spec.hyper_parameters;
  return {};
}

/// Training and validation cases of the arm's trials; the first trial speaks for all.
double cases_used(const ArmTrials& arm) {
  for (const PlacedTrial& placed : arm.trials)
    if (placed.trial != nullptr)
      return static_cast<double>(placed.trial->spec.training_cases.size() +
                                 placed.trial->spec.validation_cases.size());
  return std::numeric_limits<double>::quiet_NaN();
}

/// Whether the study has an external set at all.
bool have_external_cases(const std::vector<ArmTrials>& arms) {
  for (const ArmTrials& arm : arms)
    for (const PlacedTrial& placed : arm.trials)
      if (placed.trial != nullptr && !placed.trial->spec.external_cases.empty())
        return true;
  return false;
}

/// Whether Fig. 2 (external Dice) or Fig. 3 (validation Dice) has points for the arm.
bool is_comparable(const ArmTrials& arm,
                   const ArmTrials& reference,
                   Score score,
                   bool external_cases) {
  return score == Score::external ? external_cases : same_data(arm, reference);
}

constexpr Score both_choices[] = {Score::external, Score::validation};

/// The rows that Table 1 and Fig. 4 share: every arm, at both choices.
template <class Use>
void for_each_choice(const std::vector<ArmTrials>& arms, const Use& use) {
  for (const Score chosen_by : both_choices)
    if (const auto point = chosen_point(arms, chosen_by))
      for (const ArmTrials& arm : arms)
        use(arm, chosen_by, *point);
}

const char* const chosen_by_text =
    "Which mean score of the reference arm chose the hyper-parameters; external is the paper's "
    "way "
    "and sees the test data.";

struct SummaryColumns {
  std::vector<double> means, deviations;
  std::vector<std::int64_t> counts;
  void add(const Summary& summary) {
    means.push_back(summary.mean);
    deviations.push_back(summary.deviation);
    counts.push_back(summary.n);
  }
  void into(core::Table& table, const std::string& score) const {
    table.add(score + "_dice", "1", "Mean " + score + " Dice over the repeats.", means);
    table.add(score + "_dice_deviation",
              "1",
              "Sample standard deviation of the " + score + " Dice over the repeats.",
              deviations);
    table.add(score + "_repeats", "1", "Repeats with " + score + " scores.", counts);
  }
};

}  // namespace

core::Table table_1(const std::vector<ArmTrials>& arms) {
  const GridExtents size = extents(arms);
  std::vector<std::string> arm_names, data, chosen;
  std::vector<std::int64_t> points;
  std::vector<trials::HyperParameters> values;
  SummaryColumns validation, external;
  std::vector<double> differences, lows, highs;
  for_each_choice(arms, [&](const ArmTrials& arm, Score chosen_by, int point) {
    arm_names.push_back(arm.arm);
    data.push_back(arm.data_description);
    chosen.push_back(core::to_string(chosen_by));
    points.push_back(point);
    values.push_back(values_at(arms, point));
    const auto scores = score_grid(arm, Score::external, size).row(point);
    validation.add(summarise(score_grid(arm, Score::validation, size).row(point)));
    external.add(summarise(scores));
    const auto difference = paired_difference(
        scores, score_grid(*reference_of(arms), Score::external, size).row(point));
    differences.push_back(difference.value);
    lows.push_back(difference.interval.low);
    highs.push_back(difference.interval.high);
  });
  core::Table table{
      "/analysis/table_1",
      "Dice of every arm at the reference's best hyper-parameters (paper, Table 1).",
      {}};
  table.add("arm", "1", "Name of the arm.", arm_names);
  table.add("data", "1", "Data that the arm trains and validates on.", data);
  table.add("chosen_by", "1", chosen_by_text, chosen);
  table.add("grid_point", "1", "Index of the chosen hyper-parameters in the grid.", points);
  add_hyper_parameters(table, values);
  validation.into(table, "validation");
  external.into(table, "external");
  table.add(
      "difference", "1", "Mean external Dice less the reference's, by repeat.", differences);
  table.add("difference_low", "1", "Lower end of the difference's 95 % t interval.", lows);
  table.add("difference_high", "1", "Upper end of the difference's 95 % t interval.", highs);
  return table;
}

core::Table correlations(const std::vector<ArmTrials>& arms) {
  const GridExtents size = extents(arms);
  const ArmTrials* reference = reference_of(arms);
  std::vector<std::string> arm_names, scores, over;
  std::vector<std::int64_t> counts;
  std::vector<double> pearsons, lows, highs, spearmans, kendalls, explained, regrets;
  const auto add = [&](const ArmTrials& arm, Score score, bool pooled) {
    const ScoreGrid proxy = score_grid(arm, score, size);
    const ScoreGrid full = score_grid(*reference, score, size);
    const auto x = pooled ? proxy.values : proxy.means();
    const auto y = pooled ? full.values : full.means();
    const Correlation r = pearson(x, y);
    arm_names.push_back(arm.arm);
    scores.push_back(core::to_string(score));
    over.emplace_back(pooled ? "grid_and_repeats" : "grid_means");
    counts.push_back(r.n);
    pearsons.push_back(r.value);
    lows.push_back(r.interval.low);
    highs.push_back(r.interval.high);
    spearmans.push_back(spearman(x, y));
    kendalls.push_back(kendall(x, y));
    explained.push_back(explained_variance(x, y));
    regrets.push_back(regret(proxy.means(), full.means()));
  };
  const bool external_cases = have_external_cases(arms);
  for (const ArmTrials& arm : arms) {
    if (reference == nullptr || arm.reference)
      continue;
    for (const Score score : both_choices)
      if (is_comparable(arm, *reference, score, external_cases))
        for (const bool pooled : {true, false})
          add(arm, score, pooled);
  }
  core::Table table{
      "/analysis/correlations",
      "Agreement of every arm's Dice with the reference's over the grid (paper, Fig. 2 and 3).",
      {}};
  table.add("arm", "1", "Name of the arm.", arm_names);
  table.add("score",
            "1",
            "Which Dice is compared; validation only where the arm has the reference's data.",
            scores);
  table.add("over",
            "1",
            "Points: each grid point and repeat, or grid points averaged over the repeats.",
            over);
  table.add("points", "1", "Points that both arms have a score for.", counts);
  table.add(
      "pearson", "1", "Pearson correlation; missing where one side is constant.", pearsons);
  table.add("pearson_low", "1", "Lower end of its 95 % interval by Fisher's z.", lows);
  table.add("pearson_high", "1", "Upper end of its 95 % interval by Fisher's z.", highs);
  table.add("spearman", "1", "Spearman rank correlation.", spearmans);
  table.add("kendall", "1", "Kendall's tau-b.", kendalls);
  table.add("explained_variance",
            "1",
            "Share of the reference's variance that a line in the arm's scores explains.",
            explained);
  table.add("regret",
            "1",
            "Reference's mean score of its own best grid point less that of the arm's best.",
            regrets);
  return table;
}

core::Table sweep_points(const std::vector<ArmTrials>& arms) {
  const GridExtents size = extents(arms);
  const ArmTrials* reference = reference_of(arms);
  std::vector<std::string> arm_names;
  std::vector<std::int64_t> points, repeats;
  std::vector<double> columns[4];
  for (const ArmTrials& arm : arms) {
    const ArmTrials none;
    const ArmTrials& full = reference == nullptr ? none : *reference;
    const ScoreGrid grids[4] = {score_grid(arm, Score::validation, size),
                                score_grid(arm, Score::external, size),
                                score_grid(full, Score::validation, size),
                                score_grid(full, Score::external, size)};
    for (int point = 0; point < size.points; ++point)
      for (int repeat = 0; repeat < size.repeats; ++repeat) {
        arm_names.push_back(arm.arm);
        points.push_back(point);
        repeats.push_back(repeat);
        for (std::size_t g = 0; g < 4; ++g)
          columns[g].push_back(grids[g].row(point)[static_cast<std::size_t>(repeat)]);
      }
  }
  core::Table table{"/analysis/points",
                    "Dice of every arm, grid point and repeat beside the reference's.",
                    {}};
  table.add("arm", "1", "Name of the arm.", arm_names);
  table.add("grid_point", "1", "Index of the hyper-parameters in the grid.", points);
  table.add("repeat", "1", "Repeat of the sweep, counted from 0.", repeats);
  table.add("validation_dice", "1", "Mean validation Dice of the arm's trial.", columns[0]);
  table.add("external_dice", "1", "Mean external Dice of the arm's trial.", columns[1]);
  table.add(
      "reference_validation_dice", "1", "Mean validation Dice of the reference.", columns[2]);
  table.add("reference_external_dice", "1", "Mean external Dice of the reference.", columns[3]);
  return table;
}

core::Table dice_against_budget(const std::vector<ArmTrials>& arms) {
  const GridExtents size = extents(arms);
  std::vector<std::string> arm_names, data, chosen;
  std::vector<double> cases, shares;
  SummaryColumns validation, external;
  for_each_choice(arms, [&](const ArmTrials& arm, Score chosen_by, int point) {
    arm_names.push_back(arm.arm);
    data.push_back(arm.data_description);
    chosen.push_back(core::to_string(chosen_by));
    cases.push_back(cases_used(arm));
    shares.push_back(cases_used(arm) / cases_used(*reference_of(arms)));
    validation.add(summarise(score_grid(arm, Score::validation, size).row(point)));
    external.add(summarise(score_grid(arm, Score::external, size).row(point)));
  });
  core::Table table{"/analysis/dice_against_budget",
                    "Dice against the number of cases an arm uses (paper, Fig. 4A and B).",
                    {}};
  table.add("arm", "1", "Name of the arm.", arm_names);
  table.add("data", "1", "Data that the arm trains and validates on.", data);
  table.add("chosen_by", "1", chosen_by_text, chosen);
  table.add("cases", "1", "Training and validation cases of the arm.", cases);
  table.add("share", "1", "The same as a share of the reference's cases.", shares);
  validation.into(table, "validation");
  external.into(table, "external");
  return table;
}

}  // namespace proxytune::analysis
