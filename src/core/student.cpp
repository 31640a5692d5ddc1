#include "proxytune/core/student.h"

#include <cmath>
#include <limits>
#include <numbers>

namespace proxytune::core {
namespace {

/// P(|T| <= t) for a whole number of degrees of freedom, in closed form (Abramowitz and Stegun
/// 26.7.3 and 26.7.4).
double student_within(double t, int freedom) {
  const double theta = std::atan(t / std::sqrt(static_cast<double>(freedom)));
  const double cosine = std::cos(theta);
  const bool odd = freedom % 2 != 0;
  double term = odd ? cosine : 1;
  double sum = odd && freedom == 1 ? 0 : term;
  for (int k = odd ? 3 : 2; k < freedom - 1; k += 2) {
    term *= cosine * cosine * (k - 1) / static_cast<double>(k);
    sum += term;
  }
  return odd ? 2 / std::numbers::pi * (theta + std::sin(theta) * sum) : std::sin(theta) * sum;
}

}  // namespace

double student_975(int degrees_of_freedom) {
  if (degrees_of_freedom < 1)
    return std::numeric_limits<double>::quiet_NaN();
  double low = 1.9;
  double high = 13;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (student_within(middle, degrees_of_freedom) < 0.95 ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace proxytune::core
