#include "proxytune/similarity/options.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "proxytune/core/error.h"

namespace proxytune::similarity {
namespace {

std::string complaint(const SimilarityOptions& options) {
  try {
    validate(options);
  } catch (const core::FieldError& error) {
    return error.what();
  }
  return "";
}

TEST(SimilarityOptionsTest, TheDefaultsAreValid) {
  EXPECT_EQ(complaint({}), "");
}

TEST(SimilarityOptionsTest, SaysWhatToWriteInsteadOfAnEvenWindow) {
  EXPECT_EQ(
      complaint({.window = 8}),
      "window is 8, but the window needs a centre voxel. Use an odd edge of 3 or more; the "
      "paper uses 9.");
}

TEST(SimilarityOptionsTest, RefusesWhatCannotWork) {
  EXPECT_NE(complaint({.bins = 1}), "");
  EXPECT_NE(complaint({.bins = 257}), "");
  EXPECT_NE(complaint({.window = 1}), "");
  EXPECT_NE(complaint({.cube = 1}), "");
  EXPECT_NE(complaint({.border = Border::interior, .cube = 8}), "");
  EXPECT_NE(complaint({.tile = -1}), "");
  EXPECT_NE(complaint({.device_memory = -1}), "");
}

struct FieldNames {
  std::vector<std::string> names;
  template <class Value>
  void operator()(const std::string& name, Value&, const std::string& description) {
    names.push_back(name);
    EXPECT_FALSE(description.empty());
  }
};

TEST(SimilarityOptionsTest, DescribesEveryField) {
  FieldNames fields;
  SimilarityOptions options;
  describe(fields, options);
  EXPECT_EQ(fields.names,
            (std::vector<std::string>{"bins",
                                      "miller_madow",
                                      "normalised",
                                      "window",
                                      "flat_windows",
                                      "border",
                                      "sampled_pairs",
                                      "cube",
                                      "include_self",
                                      "tile",
                                      "memory",
                                      "threads",
                                      "device",
                                      "device_memory"}));
}

}  // namespace
}  // namespace proxytune::similarity
