#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/config/fields.h"
#include "proxytune/config/options.h"

namespace proxytune::config {
namespace {

enum class Metric { mutual_information, cross_correlation };
constexpr core::Name<Metric> metric_names[] = {
    {Metric::mutual_information, "mutual_information"},
    {Metric::cross_correlation, "cross_correlation"}};
constexpr std::span<const core::Name<Metric>> names(Metric) {
  return metric_names;
}

struct Inner {
  Metric metric = Metric::mutual_information;
  int window = 9;
  std::vector<double> rates{0.001, 1e-4};
};
template <class Fields>
void describe(Fields& fields, Inner& options) {
  fields("metric", options.metric, "measure");
  fields("window", options.window, "edge");
  fields("rates", options.rates, "rates");
}
void validate(const Inner& options) {
  if (options.window % 2 == 0)
    throw core::FieldError("window",
                           "is even, but the window needs a centre. Use an odd edge.");
}

struct Arm {
  std::string name;
  int budget = 4;
};
template <class Fields>
void describe(Fields& fields, Arm& options) {
  fields("name", options.name, "name");
  fields("budget", options.budget, "budget");
}

struct Study {
  std::optional<Arm> extra;
  Inner similarity;
  std::vector<Arm> arms;
  std::array<int, 3> patch{1, 2, 3};
  std::map<int, int> labels;
  bool fast = false;
};
template <class Fields>
void describe(Fields& fields, Study& options) {
  fields("similarity", options.similarity, "the pair matrix");
  fields("extra", options.extra, "one more arm");
  fields("arms", options.arms, "the arms");
  fields("patch", options.patch, "patch");
  fields("labels", options.labels, "labels");
  fields("fast", options.fast, "fast");
}

Study read_study(const std::string& text, const std::vector<std::string>& overrides = {}) {
  Node root = parse(text, "study.yaml");
  for (const std::string& assignment : overrides)
    override_field(root, assignment);
  Study study;
  read(root, "", study);
  return study;
}

std::string complaint(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    read_study(text, overrides);
  } catch (const core::Error& error) {
    EXPECT_EQ(error.code(), core::ExitCode::configuration);
    return error.what();
  }
  return "no complaint";
}

TEST(ReadTest, TakesEveryKindOfField) {
  const Study study = read_study(
      "similarity: {metric: cross_correlation, window: 5, rates: [1, 2.5e-3]}\n"
      "arms:\n- {name: a, budget: 2}\n- name: b\npatch: [4, 5, 6]\nlabels: {2: 1}\nfast: "
      "true\n");
  EXPECT_EQ(study.similarity.metric, Metric::cross_correlation);
  EXPECT_EQ(study.similarity.window, 5);
  EXPECT_THAT(study.similarity.rates, testing::ElementsAre(1.0, 2.5e-3));
  ASSERT_EQ(study.arms.size(), 2U);
  EXPECT_EQ(study.arms[1].name, "b");
  EXPECT_EQ(study.arms[1].budget, 4);
  EXPECT_THAT(study.patch, testing::ElementsAre(4, 5, 6));
  EXPECT_EQ(study.labels.at(2), 1);
  EXPECT_TRUE(study.fast);
}

TEST(ReadTest, WrittenOptionsAreReadBack) {
  const std::string text = "similarity:\n  window: 11\narms:\n- {name: \"a: b\", budget: 2}\n";
  const std::string yaml = to_yaml(read_study(text));
  EXPECT_EQ(to_yaml(read_study(yaml)), yaml);
  EXPECT_THAT(yaml, testing::HasSubstr("rates: [0.001, 1e-04]"));
}

TEST(ReadTest, EverySentenceNamesThePlace) {
  EXPECT_EQ(complaint("similarity:\n  metric: mse\n"),
            "study.yaml:2:11: similarity.metric is \"mse\", but the choices are: "
            "mutual_information, cross_correlation");
  EXPECT_EQ(
      complaint("similarity:\n  windw: 3\n"),
      "study.yaml:2:3: similarity.windw is not a field; did you mean \"window\"? The fields "
      "here are: metric, window, rates");
  EXPECT_EQ(
      complaint("similarity:\n  window: 8\n"),
      "study.yaml:2:11: similarity.window is even, but the window needs a centre. Use an odd "
      "edge.");
  EXPECT_EQ(complaint("similarity:\n  window: 8.5\n"),
            "study.yaml:2:11: similarity.window is \"8.5\", but a whole number is needed");
  EXPECT_EQ(complaint("patch: [1, 2]\n"),
            "study.yaml:1:8: patch is a list, but it needs 3 values and has 2");
  EXPECT_EQ(complaint("arms:\n- {budget: many}\n"),
            "study.yaml:2:12: arms.0.budget is \"many\", but a whole number is needed");
  EXPECT_EQ(complaint("fast: yes\n"),
            "study.yaml:1:7: fast is \"yes\", but true or false is needed");
  EXPECT_EQ(complaint("fast: true\nfast: false\n"),
            "study.yaml:2:1: fast is written twice here; keep one");
  EXPECT_THAT(complaint("a: [1\n"), testing::HasSubstr("study.yaml:2:1: this is not YAML"));
  EXPECT_THAT(complaint("just words\n"), testing::HasSubstr("mapping of sections"));
  EXPECT_THAT(complaint("similarity: 3\n"),
              testing::HasSubstr("a mapping of fields is needed"));
}

TEST(ReadTest, NamesTheRangeOfWholeNumbers) {
  EXPECT_EQ(complaint("similarity:\n  window: 99999999999\n"),
            "study.yaml:2:11: similarity.window is \"99999999999\", but a whole number from "
            "-2147483648 to 2147483647 is needed");
  EXPECT_EQ(complaint("labels: {99999999999: 1}\n"),
            "study.yaml:1:10: labels has the key \"99999999999\", but a whole number from "
            "-2147483648 to 2147483647 is needed");
  EXPECT_EQ(needed("-1", std::uint64_t{}), "a whole number from 0 to 18446744073709551615");
  EXPECT_EQ(needed("1e3", std::int64_t{}), "a whole number");
  EXPECT_EQ(needed("-", 0), "a whole number");
}

TEST(OverrideTest, OfASectionKeepsTheFieldsItDoesNotName) {
  const std::string text =
      "similarity: {window: 5, rates: [1]}\narms: [{name: a, budget: 2}]\nlabels: {0: 0, 2: "
      "1}\n";
  const Study study = read_study(text,
                                 {"similarity={metric: cross_correlation, rates: [3]}",
                                  "arms.0={budget: 6}",
                                  "labels={1: 1}"});
  EXPECT_EQ(study.similarity.window, 5);
  EXPECT_EQ(study.similarity.metric, Metric::cross_correlation);
  EXPECT_THAT(study.similarity.rates, testing::ElementsAre(3.0));
  EXPECT_EQ(study.arms[0].name, "a");
  EXPECT_EQ(study.arms[0].budget, 6);
  EXPECT_EQ(study.labels, (std::map<int, int>{{1, 1}}));
  EXPECT_THAT(complaint(text, {"similarity={windw: 3}"}), testing::HasSubstr("\"window\""));
  for (const char* empty : {"similarity=", "similarity={}"})
    EXPECT_EQ(complaint(text, {empty}),
              std::string("--set ") + empty +
                  ": similarity is a section, which cannot be emptied; set its fields, as in "
                  "--set similarity.window=VALUE");
}

TEST(OverrideTest, ReplacesAndMakesFields) {
  const Study study = read_study("arms: [{name: a}]\n",
                                 {"arms.0.budget=8", "similarity.window=3", "patch=[1,1,1]"});
  EXPECT_EQ(study.arms[0].budget, 8);
  EXPECT_EQ(study.similarity.window, 3);
  EXPECT_EQ(study.patch[2], 1);
}

TEST(OverrideTest, ItsSentencesNameTheOption) {
  EXPECT_EQ(
      complaint("fast: true\n", {"similarity.window=8"}),
      "--set similarity.window=8: similarity.window is even, but the window needs a centre. "
      "Use an odd edge.");
  EXPECT_THAT(complaint("fast: true\n", {"similarity"}),
              testing::HasSubstr("section.field=value"));
  EXPECT_THAT(complaint("arms: [{name: a}]\n", {"arms.1.budget=2"}),
              testing::HasSubstr("there is no item 1 in a list of 1"));
}

TEST(OptionalSectionTest, IsThereOnlyWhereItIsWritten) {
  const Study without = read_study("fast: true\n");
  EXPECT_FALSE(without.extra.has_value());
  EXPECT_THAT(to_yaml(without), testing::Not(testing::HasSubstr("extra")));
  EXPECT_EQ(flatten(without).count("extra.budget"), 0U);
  const Study with = read_study("extra: {name: b}\n", {"extra.budget=6"});
  EXPECT_EQ(with.extra.value().budget, 6);
  EXPECT_EQ(read_study(to_yaml(with)).extra.value().name, "b");
  EXPECT_EQ(flatten(with).at("extra.budget"), "6");
  EXPECT_THAT(complaint("extra:\n  bugdet: 2\n"),
              testing::HasSubstr("study.yaml:2:3: extra.bugdet is not a field; did you mean"));
  EXPECT_THAT(to_markdown(describe_fields<Study>()),
              testing::HasSubstr("`extra`\n\none more arm. May be left out.\n"));
}

TEST(FieldsTest, AreListedAndSetByTheirPaths) {
  std::map<std::string, FieldKind> kinds;
  for (const FieldFacts& field : fields_of<Study>())
    kinds[field.path] = field.kind;
  EXPECT_EQ(kinds.at("similarity.metric"), FieldKind::choice);
  EXPECT_EQ(kinds.at("similarity.window"), FieldKind::whole_number);
  EXPECT_EQ(kinds.at("patch"), FieldKind::list);
  EXPECT_EQ(kinds.at("fast"), FieldKind::truth);
  Study study;
  set_field(study, "similarity.metric", "cross_correlation");
  set_field(study, "similarity.window", "8");
  set_field(study, "patch", "[7, 8, 9]");
  set_field(study, "fast", "true");
  EXPECT_EQ(study.similarity.metric, Metric::cross_correlation);
  EXPECT_EQ(field_text(study, "similarity.window"), "8");
  EXPECT_THAT(study.patch, testing::ElementsAre(7, 8, 9));
  EXPECT_TRUE(study.fast);
  const auto refused = [&](const std::string& path, const std::string& text) {
    try {
      set_field(study, path, text);
    } catch (const core::FieldError& error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  EXPECT_EQ(refused("similarity.metric", "mse"),
            "similarity.metric is \"mse\", but the choices are: mutual_information, "
            "cross_correlation");
  EXPECT_EQ(refused("patch", "[1, 2]"), "patch is a list, but it needs 3 values and has 2");
  EXPECT_EQ(refused("similarity.edge", "1"), "similarity.edge is not a field.");
}

TEST(FlattenTest, GivesEveryFieldByItsPath) {
  const auto fields = flatten(read_study("arms: [{name: a}, {name: b}]\n"));
  EXPECT_EQ(fields.at("arms.1.name"), "b");
  EXPECT_EQ(fields.at("similarity.window"), "9");
}

TEST(DocumentTest, ListsFieldsOfListsOnce) {
  const auto rows = describe_fields<Study>();
  int budgets = 0;
  for (const auto& row : rows)
    budgets += row.path == "arms[].budget" ? 1 : 0;
  EXPECT_EQ(budgets, 1);
  EXPECT_THAT(to_markdown(rows),
              testing::HasSubstr("| `similarity.window` | a whole number | `9` |"));
}

}  // namespace
}  // namespace proxytune::config
