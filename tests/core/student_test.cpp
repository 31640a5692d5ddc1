#include "proxytune/core/student.h"

#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "tests/reference/reference_numbers.h"

namespace proxytune::core {
namespace {

TEST(StudentTest, EqualsScipys) {
  const auto numbers = test::reference_numbers("similarity_reference");
  // scipy 1.10 has Student's quantiles to 1e-9 only.
  for (const int freedom : {1, 4, 7, 30})
    EXPECT_NEAR(student_975(freedom), numbers.at("student_" + std::to_string(freedom)), 1e-9);
}

TEST(StudentTest, ComesDownToTheNormalPointAndIsMissingWithoutFreedom) {
  EXPECT_NEAR(student_975(100000), 1.959964, 1e-4);
  EXPECT_TRUE(std::isnan(student_975(0)));
}

}  // namespace
}  // namespace proxytune::core
