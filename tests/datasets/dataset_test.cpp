#include "proxytune/datasets/dataset.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/datasets/load_case.h"
#include "proxytune/imaging/preprocess.h"

#include "tests/support/image_folder.h"

namespace proxytune::datasets {
namespace {

using test::ImageFolder;
using test::sentence_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string entry(const std::string& name, const std::string& more = "") {
  return R"({"image": ")" + name + R"(.nii.gz", "label": ")" + name + R"(_label.nii.gz")" +
         more + "}";
}

/// A folder with empty files of these cases.
void touch(const ImageFolder& folder, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    folder.write(name + ".nii.gz", "");
    folder.write(name + "_label.nii.gz", "");
  }
}

std::vector<std::string> ids(const std::vector<Case>& cases) {
  std::vector<std::string> result;
  for (const Case& one : cases)
    result.push_back(one.id);
  return result;
}

TEST(ReadDecathlonTest, ListsCasesSortedWithGroupsAndNames) {
  const ImageFolder folder;
  touch(folder, {"c2", "c1", "c3"});
  folder.write("c3b.nii.gz", "");
  const auto file = folder.write(
      "dataset.json",
      R"({"name": "N", "modality": {"0": "T2"}, "labels": {"0": "background", "1": "x"}, "training": [)" +
          entry("c2", R"(, "patient": 7, "source": "UCL")") + ",\n" +
          entry("c1", R"(, "patient": 9)") + R"(,
 {"image": ["c3.nii.gz", "c3b.nii.gz"], "label": "c3_label.nii.gz", "patient": "z"}]})");
  const Dataset all = read_decathlon(file, {.group_key = "patient"});
  EXPECT_THAT(ids(all.cases), ElementsAre("c1", "c2", "c3"));
  EXPECT_EQ(all.cases[0].group, "9");
  EXPECT_EQ(all.cases[2].group, "z");
  EXPECT_EQ(all.cases[2].images.size(), 2U);
  EXPECT_THAT(all.modalities, ElementsAre("T2"));
  EXPECT_EQ(all.labels.at(1), "x");
  const Dataset fewer =
      read_decathlon(file, {.exclude_key = "source", .exclude_values = {"UCL"}});
  EXPECT_THAT(ids(fewer.cases), ElementsAre("c1", "c3"));
  EXPECT_EQ(fewer.cases[0].group, "c1");
}

TEST(ReadGroupsTest, GivesEveryCaseItsGroupOrNamesTheFirstWithout) {
  const ImageFolder folder;
  std::vector<Case> cases(3);
  for (std::size_t i = 0; i < 3; ++i)
    cases[i].id = "c" + std::to_string(i + 1);
  const auto table = folder.write("groups.csv", "id,group\nc3,q\nc1, p\nelsewhere,r\nc2,p\n");
  read_groups(table, cases);
  EXPECT_EQ(cases[0].group + cases[1].group + cases[2].group, "ppq");
  const auto refusal = [&](const std::string& lines) {
    const auto some = folder.write("some.csv", lines);
    return sentence_of<core::DataError>([&] { read_groups(some, cases); });
  };
  EXPECT_THAT(refusal("id,group\nc1,p\nc21,p\n"),
              AllOf(HasSubstr("some.csv has no line for the case c2"), HasSubstr("mean c")));
  EXPECT_THAT(refusal("c1,p\nc1,q\n"), HasSubstr("some.csv:2: c1 is listed twice"));
  EXPECT_THAT(refusal("c1\n"), HasSubstr("some.csv:1: a line of a group table is id,group"));
}

TEST(CaseIdTest, IsTheNameWithoutFolderAndImageEndings) {
  for (const char* path :
       {"a/b_1.nii.gz", "b_1.mha", "b_1.img", "b_1.tiff", "a/b_1.vtk", "a/b_1", "a/b_1/"})
    EXPECT_EQ(case_id(path), "b_1") << path;
}

TEST(ReadDecathlonTest, RefusesInOneSentence) {
  const ImageFolder folder;
  touch(folder, {"c1"});
  const auto refusal = [&](const std::string& text, const ReadOptions& options = {}) {
    const auto file = folder.write("dataset.json", text);
    const auto sentence = sentence_of<core::DataError>([&] { read_decathlon(file, options); });
    EXPECT_EQ(sentence.rfind(file.string(), 0), 0U) << sentence;
    return sentence;
  };
  EXPECT_THAT(refusal("{\"training\": [\n {\"image\" \"a\"}]}"), HasSubstr("dataset.json:2:"));
  EXPECT_THAT(refusal(R"({"name": "N"})"), HasSubstr("no \"training\" list"));
  EXPECT_THAT(refusal(R"({"training": []})"), HasSubstr("no training case"));
  EXPECT_THAT(refusal(R"({"training": [{"image": "c1.nii.gz"}]})"),
              AllOf(HasSubstr("(c1)"), HasSubstr("image without label")));
  EXPECT_THAT(refusal(R"({"training": [)" + entry("gone") + "]}"),
              HasSubstr("gone.nii.gz, which does not exist"));
  EXPECT_THAT(refusal(R"({"training": [)" + entry("c1") + "," + entry("c1") + "]}"),
              HasSubstr("two cases named c1"));
  EXPECT_THAT(refusal(R"({"training": [)" + entry("c1") + "]}", {.group_key = "patient"}),
              HasSubstr("has no \"patient\""));
  EXPECT_THAT(sentence_of<core::DataError>([&] { read_decathlon(folder / "none.json"); }),
              HasSubstr("none.json does not exist"));
}

TEST(ChooseCasesTest, ByCountOrById) {
  Dataset dataset;
  dataset.name = "N";
  for (const char* id : {"case_01", "case_02", "case_03"})
    dataset.cases.push_back({id, {}, {}, id});
  EXPECT_THAT(ids(first_cases(dataset, 2)), ElementsAre("case_01", "case_02"));
  EXPECT_THAT(sentence_of<core::ConfigurationError>([&] { first_cases(dataset, 4); }),
              HasSubstr("it has 3"));
  EXPECT_THAT(ids(cases_by_id(dataset, {"case_03", "case_01"})),
              ElementsAre("case_01", "case_03"));
  EXPECT_THAT(sentence_of<core::ConfigurationError>([&] { cases_by_id(dataset, {"case_2"}); }),
              HasSubstr("did you mean case_02?"));
  EXPECT_THAT(
      sentence_of<core::ConfigurationError>([&] { cases_by_id(dataset, {"prostate"}); }),
      HasSubstr("its ids look like case_01"));
  EXPECT_THROW(cases_by_id(dataset, {"case_01", "case_01"}), core::ConfigurationError);
}

/// Writes an image and a label with raw values 0, 1, 4.
Case write_case(const ImageFolder& folder, const std::string& name, const std::string& ending) {
  const imaging::Volume image = test::counting_volume({.z = 3, .y = 4, .x = 5});
  imaging::LabelVolume label{image.shape, image.geometry, {}};
  for (std::size_t i = 0; i < image.voxels.size(); ++i)
    label.voxels.push_back(i % 5 == 0 ? 4 : i % 7 == 0 ? 1 : 0);
  imaging::write_image(folder / (name + ending), image);
  imaging::write_labels(folder / (name + "_label" + ending), label);
  return {name, {folder / (name + ending)}, folder / (name + "_label" + ending), name};
}

TEST(LoadCaseTest, MapsLabelsAndRefusesUnknownValues) {
  const ImageFolder folder;
  const Case which = write_case(folder, "a", ".nii.gz");
  EXPECT_EQ(load_case(which, {}).label.voxels[0], 4);
  EXPECT_EQ(load_case(which, {.label_map = {{0, 0}, {1, 1}, {4, 2}}}).label.voxels[0], 2);
  EXPECT_THAT(sentence_of<core::DataError>([&] {
                load_case(which, {.label_map = {{0, 0}, {1, 1}}});
              }),
              AllOf(HasSubstr("a_label.nii.gz holds the label value 4"),
                    HasSubstr("add \"4: CLASS\"")));
  EXPECT_THAT(sentence_of<core::DataError>([&] {
                load_case(which, {.label_map = {{0, 0}, {1, 0}, {4, 0}}});
              }),
              HasSubstr("no foreground"));
}

TEST(LoadCaseTest, FindsEqualContentUnderAnotherNameAndFormat) {
  const ImageFolder folder;
  const LoadedCase one = load_case(write_case(folder, "a", ".nii.gz"), {});
  const LoadedCase copy = load_case(write_case(folder, "b", ".nrrd"), {});
  EXPECT_EQ(one.image_hash, copy.image_hash);
  EXPECT_EQ(one.label_hash, copy.label_hash);
  imaging::Volume other = one.image;
  other.voxels[3] += 1;
  EXPECT_NE(content_hash(imaging::view(other)), one.image_hash);
  other = one.image;
  other.shape = {.z = 3, .y = 5, .x = 4};
  EXPECT_NE(content_hash(imaging::view(other)), one.image_hash);
}

TEST(LoadCaseTest, RefusesAnotherGrid) {
  const ImageFolder folder;
  const Case which = write_case(folder, "a", ".nii.gz");
  imaging::Volume image = imaging::read_image(which.images, {});
  image.geometry.origin[2] += 0.25;
  imaging::write_image(which.images[0], image);
  EXPECT_THAT(sentence_of<core::DataError>([&] { load_case(which, {}); }),
              AllOf(HasSubstr("a_label.nii.gz does not lie on the grid of"),
                    HasSubstr("origin differs by 0.25 mm along z"),
                    HasSubstr("tolerance 0.001")));
  EXPECT_EQ(load_case(which, {.geometry_tolerance = 0.3}).label.voxels[0], 4);
}

TEST(RealDataTest, LoadsAndPreparesWhereTheFolderIsThere) {
  const char* data = std::getenv("PROXYTUNE_DATA");
  if (data == nullptr)
    GTEST_SKIP() << "PROXYTUNE_DATA names no folder of real data sets";
  const std::filesystem::path folder(data);
  imaging::PreprocessOptions options;
  options.spacing = {1, 1, 1};
  options.pad_to = {32, 32, 32};
  for (const char* name : {"Task04_Hippocampus/dataset_groupA.json",
                           "Task04_Hippocampus/dataset_groupB.json",
                           "PROMISE12_small/dataset.json",
                           "UCL_ProstateMR/dataset.json",
                           "SpleenCT_examples/dataset.json"}) {
    const Dataset dataset = read_decathlon(folder / name);
    for (const Case& one : first_cases(dataset, 2)) {
      SCOPED_TRACE(one.id);
      LoadedCase loaded = load_case(one, {});
      const auto original = loaded.label;
      const auto prepared = imaging::preprocess(loaded.image, loaded.label, options);
      EXPECT_TRUE(imaging::has_foreground(imaging::view(prepared.label)));
      const auto back = imaging::restore_labels(
          prepared.label, imaging::preprocess_image(std::move(loaded.image), options));
      std::size_t equal = 0;
      for (std::size_t i = 0; i < original.voxels.size(); ++i)
        equal += original.voxels[i] == back.voxels[i] ? 1 : 0;
      EXPECT_GT(static_cast<double>(equal), 0.98 * static_cast<double>(original.voxels.size()));
    }
  }
}

}  // namespace
}  // namespace proxytune::datasets
